#include "store/interned.h"

#include <fmt/format.h>

#include "store/findings.h"
#include "store/settings.h"

namespace tenken::store {
namespace {

constexpr std::string_view epoch_setting = "interned_epoch";

}  // namespace

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
  return number_setting(connection, epoch_setting);
}

Result<> move_interned_epoch(sql::Connection& connection) {
  TRY(const auto epoch, interned_epoch(connection));
  return put_setting(connection, epoch_setting, epoch + 1);
}

}  // namespace tenken::store
