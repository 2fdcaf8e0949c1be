#include "store/finding_rows.h"

#include <algorithm>
#include <bit>
#include <map>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::store {
namespace {

// One package of one finding.
struct Wanted {
  std::int64_t package = 0;
  std::string_view vulnerability;
  std::int64_t resource = 0;
  std::size_t finding = 0;  // index
};
constexpr std::size_t most_at_once = 1024;
constexpr std::size_t most_packages = 1000;  // shown of one finding

// Few sizes, so that the engine knows the statement from the last time.
std::string packages_statement(std::size_t rows) {
  std::string values;
  for (std::size_t i = 0; i < rows; ++i)
    values += fmt::format("{}(CAST(?{} AS BIGINT), CAST(?{} AS TEXT), CAST(?{} AS BIGINT), {})",
                          i == 0 ? "" : ", ", 3 * i + 1, 3 * i + 2, 3 * i + 3, i);
  return fmt::format(
      "SELECT k.column4, p.package_version_id, p.kind, p.name, p.version, p.arch, "
      "COALESCE(rp.location, ''), m.score, m.score_source, m.fixed_version, m.advisories, "
      "COALESCE(rp.running, '') "
      "FROM (VALUES {}) k CROSS JOIN match m CROSS JOIN package_version p "
      "LEFT JOIN resource_package rp ON rp.resource_id = k.column3 "
      "AND rp.package_version_id = k.column1 "
      "WHERE m.package_version_id = k.column1 AND m.vulnerability_id = k.column2 "
      "AND p.package_version_id = k.column1",
      values);
}

FindingPackage read_package(const sql::Row& row) {
  return {.id = {row.integer(1)},
          .kind = row.string(2),
          .name = row.string(3),
          .version = row.string(4),
          .arch = row.string(5),
          .location = row.string(6),
          .running = row.string(11),
          .score = row.integer(7),
          .score_source = row.string(8),
          .fixed_version = row.string(9),
          .advisories = row.string(10)};
}

Result<> read_some(sql::Connection& connection, std::span<const Wanted> wanted,
                   std::span<FindingRow> findings) {
  const auto rows = std::bit_ceil(wanted.size());
  std::vector<sql::Value> values;
  for (std::size_t i = 0; i < rows; ++i) {
    // What fills up names nothing.
    const auto one = i < wanted.size() ? wanted[i] : Wanted{.package = -1};
    values.insert(values.end(), {one.package, one.vulnerability, one.resource});
  }
  TRY(auto answer, connection.query(packages_statement(rows), values));
  while (true) {
    TRY(const auto* row, answer->next());
    if (row == nullptr) return {};
    const auto index = static_cast<std::size_t>(row->integer(0));
    CHECK(index < wanted.size());
    findings[wanted[index].finding].packages.push_back(read_package(*row));
  }
}

}  // namespace

const std::string_view finding_columns =
    "f.resource_id, f.vulnerability_id, f.episode, f.account_id, f.status, f.score, f.fix, "
    "f.stale, f.packages, f.last_observed_at, f.updated_at, f.closed_at, f.suppressed_by, "
    "f.cause, r.external_id, r.type, r.region, r.name, r.platform, r.details, r.tags, "
    "v.source, v.published_at, v.modified_at, v.epss, v.exploited_at, v.document, "
    "r.repository, r.registry, r.image_hash, r.image_architecture, r.image_id, r.vpc_id, "
    "r.subnet_id, f.vendor_severity";

FindingRow read_finding(const sql::Row& row, int first_column) {
  const auto at = [&](int offset) { return first_column + offset; };
  FindingRow out{.key = {{row.integer(at(0))}, row.string(at(1)), row.integer(at(2))},
                 .account = row.string(at(3)),
                 .status = static_cast<Lifecycle>(row.integer(at(4))),
                 .score = row.integer(at(5)),
                 .fix = static_cast<Fix>(row.integer(at(6))),
                 .stale = static_cast<Staleness>(row.integer(at(7))),
                 .last_observed = row.integer(at(9)),
                 .updated = row.integer(at(10)),
                 .closed = row.integer(at(11)),
                 .suppressed_by = row.string(at(12)),
                 .cause = row.string(at(13)),
                 .vendor_severity = row.string(at(34)),
                 .resource_external_id = row.string(at(14)),
                 .resource_type = row.string(at(15)),
                 .resource_region = row.string(at(16)),
                 .resource_name = row.string(at(17)),
                 .resource_platform = row.string(at(18)),
                 .resource_details = row.string(at(19)),
                 .resource_tags = row.string(at(20)),
                 .resource_facts = read_facts(row, at(27)),
                 .source = row.string(at(21)),
                 .published = row.integer(at(22)),
                 .modified = row.integer(at(23)),
                 .epss = row.number(at(24)),
                 .exploited = row.integer(at(25)),
                 .document = row.string(at(26))};
  for (const auto id : split(row.text(at(8)), ',')) {
    if (const auto number = parse_uint(id))
      out.package_ids.push_back({static_cast<std::int64_t>(*number)});
  }
  return out;
}

Result<> read_packages(sql::Connection& connection, std::span<FindingRow> findings) {
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto& finding = findings[i];
    const auto shown = std::min(finding.package_ids.size(), most_packages);
    for (std::size_t n = 0; n < shown; ++n)
      wanted.push_back({.package = finding.package_ids[n].value,
                        .vulnerability = finding.key.vulnerability,
                        .resource = finding.key.resource.value,
                        .finding = i});
  }
  for (std::size_t at = 0; at < wanted.size(); at += most_at_once) {
    const auto part = std::span(wanted).subspan(at, std::min(most_at_once, wanted.size() - at));
    TRY_VOID(read_some(connection, part, findings));
  }
  for (auto& finding : findings) {
    std::ranges::sort(finding.packages, [](const FindingPackage& a, const FindingPackage& b) {
      return std::tie(a.name, a.version, a.arch, a.id) < std::tie(b.name, b.version, b.arch, b.id);
    });
  }
  return {};
}

Result<std::vector<FindingRow>> findings_of(sql::Connection& connection, std::string_view account,
                                            std::span<const FindingKey> keys) {
  const auto statement = fmt::format(
      "SELECT {} FROM finding f JOIN resource r ON r.resource_id = f.resource_id "
      "JOIN vulnerability v ON v.vulnerability_id = f.vulnerability_id "
      "WHERE f.resource_id = ?1 AND f.vulnerability_id = ?2 AND f.episode = ?3 "
      "AND f.account_id = ?4",
      finding_columns);
  std::vector<FindingRow> out;
  for (const auto& key : keys) {
    TRY(auto rows, connection.query(statement, key.resource.value,
                                    std::string_view(key.vulnerability), key.episode, account));
    TRY(const auto* row, rows->next());
    if (row != nullptr) out.push_back(read_finding(*row));
  }
  TRY_VOID(read_packages(connection, out));
  return out;
}

}  // namespace tenken::store
