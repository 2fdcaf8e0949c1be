#include "store/interned.h"

#include <fmt/format.h>

#include "store/findings.h"

namespace tenken::store {

Result<> lock_interned(sql::Connection& connection, Sharing sharing) {
  if (connection.engine() == sql::Engine::sqlite) return {};  // has one writer
  const auto* const function =
      sharing == Sharing::shared ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock";
  // The number after those of the slices.
  TRY(const auto locked, connection.one_text(fmt::format("SELECT {}(7465, {})", function, slices)));
  CHECK(!locked || locked->empty());
  return {};
}

Result<std::int64_t> interned_epoch(sql::Connection& connection) {
  TRY(const auto epoch,
      connection.one_integer("SELECT CAST(value AS BIGINT) FROM setting WHERE name = "
                             "'interned_epoch'"));
  return epoch.value_or(0);
}

Result<> move_interned_epoch(sql::Connection& connection) {
  TRY(const auto epoch, interned_epoch(connection));
  const auto next = fmt::format("{}", epoch + 1);
  TRY(const auto written,
      connection.run("INSERT INTO setting (name, value) VALUES ('interned_epoch', ?1) "
                     "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     next));
  CHECK(written == 1);
  return {};
}

}  // namespace tenken::store
