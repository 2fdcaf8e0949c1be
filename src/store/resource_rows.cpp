// Resources as they are read.

#include <fmt/format.h>

#include "store/coverage.h"
#include "store/resources.h"

namespace tenken::store {

const std::string_view resource_columns =
    "resource_id, account_id, external_id, type, region, name, platform, details, tags, "
    "inventory_digest, inventory_complete, inventory_unknown, packages, coverage_status, "
    "coverage_reason, created_at, seen_at, changed_at, evaluated_at, expires_at, "
    "repository, registry, image_hash, image_architecture, image_id, vpc_id, subnet_id";

Resource read_resource(const sql::Row& row, int first_column) {
  const auto at = [&](int offset) { return first_column + offset; };
  return {.id = {row.integer(at(0))},
          .account = row.string(at(1)),
          .external_id = row.string(at(2)),
          .type = row.string(at(3)),
          .region = row.string(at(4)),
          .name = row.string(at(5)),
          .platform = row.string(at(6)),
          .details = row.string(at(7)),
          .tags = row.string(at(8)),
          .inventory_digest = row.string(at(9)),
          .inventory_complete = row.integer(at(10)) != 0,
          .inventory_unknown = row.string(at(11)),
          .packages = row.integer(at(12)),
          .coverage_status = row.string(at(13)),
          .coverage_reason = row.string(at(14)),
          .created = row.integer(at(15)),
          .seen = row.integer(at(16)),
          .changed = row.integer(at(17)),
          .evaluated = row.integer(at(18)),
          .expires = row.integer(at(19)),
          .facts = read_facts(row, at(20))};
}

Result<std::optional<Resource>> find_resource(sql::Connection& connection, std::string_view account,
                                              std::string_view external_id) {
  TRY(auto rows, connection.query(fmt::format("SELECT {} FROM resource WHERE resource_id = ?1 "
                                              "AND account_id = ?2",
                                              resource_columns),
                                  resource_id(account, external_id).value, account));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<Resource>();
  auto out = read_resource(*row);
  rows.reset();
  TRY(const auto fleet, fleet_evaluated_at(connection));
  note_fleet_evaluated(out, fleet);
  return std::optional(std::move(out));
}

}  // namespace tenken::store
