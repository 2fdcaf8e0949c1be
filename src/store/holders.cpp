#include "store/holders.h"

#include <fmt/format.h>

namespace tenken::store {
namespace {

// Of 500 packages each: a million rows, sorted in some 50 MB.
constexpr std::int64_t resources_at_once = 2'000;
// Fewer than these are written at once: their places are few.
constexpr std::size_t few_versions = 32;

bool are_kept(sql::Connection& connection) {
  return connection.engine() == sql::Engine::sqlite;
}

// The last of the first so many that wait; -1 where none waits.
Result<std::int64_t> last_of_batch(sql::Connection& connection) {
  TRY(const auto last,
      connection.one_integer("SELECT MAX(resource_id) FROM (SELECT resource_id FROM "
                             "holder_waiting ORDER BY resource_id LIMIT ?1)",
                             resources_at_once));
  return last.value_or(-1);
}

// Returns how many resources those were.
Result<std::int64_t> bring_in_some(sql::Connection& connection) {
  if (!are_kept(connection)) return std::int64_t{0};
  TRY(const auto last, last_of_batch(connection));
  if (last < 0) return std::int64_t{0};
  TRY(const auto added,
      connection.run("INSERT INTO holder (package_version_id, resource_id) "
                     "SELECT rp.package_version_id, rp.resource_id FROM holder_waiting w "
                     "CROSS JOIN resource_package rp ON rp.resource_id = w.resource_id "
                     "WHERE w.resource_id <= ?1 ORDER BY 1, 2 ON CONFLICT DO NOTHING",
                     last));
  CHECK(added >= 0);
  return connection.run("DELETE FROM holder_waiting WHERE resource_id <= ?1", last);
}

}  // namespace

std::string_view holders(sql::Engine engine) {
  return engine == sql::Engine::sqlite ? "holder" : "resource_package";
}

Result<> note_gained(sql::Connection& connection, ResourceId resource,
                     std::span<const std::int64_t> versions) {
  if (!are_kept(connection) || versions.empty()) return {};
  if (versions.size() > few_versions) {
    TRY(const auto waiting, connection.run("INSERT INTO holder_waiting (resource_id) VALUES (?1) "
                                           "ON CONFLICT DO NOTHING",
                                           resource.value));
    CHECK(waiting <= 1);
    return {};
  }
  for (const auto version : versions) {
    TRY(const auto added,
        connection.run("INSERT INTO holder (package_version_id, resource_id) VALUES (?1, ?2) "
                       "ON CONFLICT DO NOTHING",
                       version, resource.value));
    CHECK(added <= 1);
  }
  return {};
}

Result<> note_lost(sql::Connection& connection, ResourceId resource, PackageVersionId version) {
  if (!are_kept(connection)) return {};
  TRY(const auto removed,
      connection.run("DELETE FROM holder WHERE package_version_id = ?1 AND resource_id = ?2",
                     version.value, resource.value));
  CHECK(removed <= 1);
  return {};
}

Result<> note_gone(sql::Connection& connection, ResourceId resource) {
  if (!are_kept(connection)) return {};
  TRY(const auto removed,
      connection.run("DELETE FROM holder WHERE resource_id = ?1 AND package_version_id IN "
                     "(SELECT package_version_id FROM resource_package WHERE resource_id = ?1)",
                     resource.value));
  TRY(const auto waited,
      connection.run("DELETE FROM holder_waiting WHERE resource_id = ?1", resource.value));
  CHECK(removed >= 0 && waited <= 1);
  return {};
}

Result<> bring_in_holders(sql::Connection& connection) {
  while (true) {
    TRY(const auto brought_in, bring_in_some(connection));
    if (brought_in == 0) return {};
  }
}

Result<> catch_up_holders(sql::Connection& connection) {
  while (true) {
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY(const auto brought_in, bring_in_some(connection));
    TRY_VOID(transaction.commit());
    // Those that came meanwhile are few: they wait for others.
    if (brought_in < resources_at_once) return {};
  }
}

Result<bool> many_holders_wait(sql::Connection& connection) {
  if (!are_kept(connection)) return false;
  TRY(const auto many,
      connection.one_integer("SELECT 1 FROM holder_waiting ORDER BY resource_id LIMIT 1 OFFSET ?1",
                             resources_at_once - 1));
  return many.has_value();
}

}  // namespace tenken::store
