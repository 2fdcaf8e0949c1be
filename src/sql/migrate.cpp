#include "sql/migrate.h"

#include <fmt/format.h>

#include "base/time.h"
#include "sql/dialect.h"

namespace tenken::sql {
namespace {

constexpr std::int64_t migration_lock = 7464;  // any number that nothing else of tenken locks

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

Result<> lock_migrations(Connection& connection) {
  if (connection.engine() == Engine::sqlite) return {};  // has one writer
  TRY(const auto locked, connection.one_text("SELECT pg_advisory_xact_lock(?1)", migration_lock));
  CHECK(!locked || locked->empty());
  return {};
}

}  // namespace

std::string for_engine(std::string_view sql, Engine engine) {
  const auto& words = dialect(engine);
  std::string out(sql);
  replace_all(out, " {clustered}", words.clustered);
  replace_all(out, " {id}", words.id);
  replace_all(out, "{blob}", words.blob);
  replace_all(out, " TEXT", fmt::format(" {}", words.text));
  return out;
}

Result<> migrate(Connection& connection, std::string_view area,
                 std::span<const Migration> migrations) {
  TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
  TRY_VOID(lock_migrations(connection));
  TRY_VOID(connection.script(
      "CREATE TABLE IF NOT EXISTS schema_version (area VARCHAR(40) NOT NULL, "
      "version BIGINT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (area, version))"));
  TRY(const auto newest,
      connection.one_integer("SELECT MAX(version) FROM schema_version WHERE area = ?1", area));
  const auto have = newest.value_or(0);
  if (have > migrations.back().version)
    return Error{Errc::conflict,
                 fmt::format("the database has version {} of \"{}\", this tenken knows {} at most: "
                             "run the newer tenken again, or restore the backup made before the "
                             "upgrade",
                             have, area, migrations.back().version)};
  for (const auto& one : migrations) {
    if (one.version <= have) continue;
    const bool on_sqlite = connection.engine() == Engine::sqlite;
    for (const auto text : {one.sql, on_sqlite ? one.sqlite_only : one.postgresql_only}) {
      if (text.empty()) continue;
      TRY_VOID(connection.script(for_engine(text, connection.engine()))
                   .within(fmt::format("migration {} of {}", one.version, area)));
    }
    TRY_VOID(
        connection.run("INSERT INTO schema_version (area, version, applied_at) VALUES (?1, ?2, ?3)",
                       area, one.version, std::int64_t{now()}));
  }
  return transaction.commit();
}

}  // namespace tenken::sql
