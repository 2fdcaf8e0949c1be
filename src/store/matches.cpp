#include "store/matches.h"

#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "store/interned.h"

namespace tenken::store {
namespace {

using Versions = std::vector<std::pair<PackageVersionId, PackageVersion>>;

template <typename... Values>
Result<Versions> read_versions(sql::Connection& connection, std::string_view rest,
                               const Values&... values) {
  TRY(auto rows, connection.query(fmt::format("SELECT {} FROM package_version {}",
                                              package_version_columns, rest),
                                  values...));
  Versions out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.emplace_back(PackageVersionId{row->integer(0)}, read_package_version(*row));
  }
}

struct Present {
  StoredMatch match;
  bool live = false;
  bool stale = false;
};

Result<std::map<std::string, Present>> present_matches(sql::Connection& connection,
                                                       PackageVersionId id) {
  TRY(auto rows,
      connection.query("SELECT vulnerability_id, status, score, score_source, vendor_severity, "
                       "fixed_version, advisories, live, stale FROM match "
                       "WHERE package_version_id = ?1",
                       id.value));
  std::map<std::string, Present> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.emplace(row->string(0),
                Present{.match = {.vulnerability = row->string(0),
                                  .status = static_cast<FindingStatus>(row->integer(1)),
                                  .score = row->integer(2),
                                  .score_source = row->string(3),
                                  .vendor_severity = row->string(4),
                                  .fixed_version = row->string(5),
                                  .advisories = row->string(6)},
                        .live = row->integer(7) != 0,
                        .stale = row->integer(8) != 0});
  }
}

Result<> put_match(sql::Connection& connection, PackageVersionId id, const StoredMatch& match) {
  TRY(const auto written,
      connection.run("INSERT INTO match (package_version_id, vulnerability_id, live, stale, "
                     "status, score, score_source, vendor_severity, fixed_version, advisories) "
                     "VALUES (?1, ?2, 1, 0, ?3, ?4, ?5, ?6, ?7, ?8) "
                     "ON CONFLICT (package_version_id, vulnerability_id) DO UPDATE SET live = 1, "
                     "stale = 0, status = excluded.status, score = excluded.score, "
                     "score_source = excluded.score_source, "
                     "vendor_severity = excluded.vendor_severity, "
                     "fixed_version = excluded.fixed_version, advisories = excluded.advisories",
                     id.value, match.vulnerability, static_cast<std::int64_t>(match.status),
                     match.score, match.score_source, match.vendor_severity, match.fixed_version,
                     match.advisories));
  CHECK(written == 1);
  return {};
}

// A match that the generation lacks: ended, or kept as stale where its release is not covered.
Result<> end_match(sql::Connection& connection, PackageVersionId id,
                   const std::string& vulnerability, bool keep) {
  TRY(const auto changed,
      connection.run("UPDATE match SET live = ?3, stale = ?4 WHERE package_version_id = ?1 "
                     "AND vulnerability_id = ?2",
                     id.value, vulnerability, std::int64_t{keep}, std::int64_t{keep}));
  CHECK(changed == 1);
  return {};
}

// As set_coverage asks.
bool is_covered(Decided decided) {
  return decided == Decided::wholly || decided == Decided::partly;
}

// As close_statement asks.
bool holds_open(Decided decided) {
  return decided == Decided::partly || decided == Decided::not_covered;
}

using AdvisoryName = std::pair<std::string, std::string>;  // ecosystem, name

// What a version was decided to be, and its name. nullopt: it waits for its first match, and those
// who have it are evaluated anyway.
struct Before {
  Decided decided = Decided::wholly;
  AdvisoryName name;
};
Result<std::optional<Before>> before_of(sql::Connection& connection, PackageVersionId id) {
  TRY(auto rows, connection.query("SELECT undecided, ecosystem, advisory_name FROM package_version "
                                  "WHERE package_version_id = ?1 AND matched = 1",
                                  id.value));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<Before>();
  return std::optional(Before{.decided = static_cast<Decided>(row->integer(0)),
                              .name = {row->string(1), row->string(2)}});
}

// Every vulnerability that a version of the name has or had: the finding of one may have waited.
Result<> add_concerned(sql::Connection& connection, const AdvisoryName& name,
                       std::set<std::string>& vulnerabilities) {
  TRY(auto rows, connection.query("SELECT DISTINCT m.vulnerability_id FROM package_version p "
                                  "JOIN match m ON m.package_version_id = p.package_version_id "
                                  "WHERE p.ecosystem = ?1 AND p.advisory_name = ?2",
                                  name.first, name.second));
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return {};
    vulnerabilities.insert(row->string(0));
  }
}

// decided: the names of versions that keep findings open no longer.
Result<> put_version(sql::Connection& connection, const VersionMatches& version,
                     MatchChanges& changes, std::set<AdvisoryName>& decided) {
  auto& changed = changes.vulnerabilities;
  TRY(auto was, before_of(connection, version.id));
  if (was) {
    changes.coverage = changes.coverage || is_covered(was->decided) != is_covered(version.decided);
    if (holds_open(was->decided) && !holds_open(version.decided))
      decided.insert(std::move(was->name));
  }
  TRY(const auto marked,
      connection.run("UPDATE package_version SET matched = 1, undecided = ?2, unknown = ?3 "
                     "WHERE package_version_id = ?1",
                     version.id.value, static_cast<std::int64_t>(version.decided),
                     version.unknown));
  if (marked == 0) return {};  // removed meanwhile: nothing has it
  TRY(auto present, present_matches(connection, version.id));
  for (const auto& match : version.matches) {
    const auto before = present.find(match.vulnerability);
    const bool same = before != present.end() && before->second.live && !before->second.stale &&
                      before->second.match == match;
    if (!same) {
      TRY_VOID(put_match(connection, version.id, match));
      changed.insert(match.vulnerability);
    }
    if (before != present.end()) present.erase(before);
  }
  for (const auto& [vulnerability, before] : present) {
    if (!before.live || (version.keep_missing && before.stale)) continue;
    TRY_VOID(end_match(connection, version.id, vulnerability, version.keep_missing));
    changed.insert(vulnerability);
  }
  return {};
}

}  // namespace

Result<MatchChanges> put_matches(sql::Connection& connection,
                                 std::span<const VersionMatches> versions) {
  TRY_VOID(lock_interned(connection, Sharing::shared));
  MatchChanges changes;
  std::set<AdvisoryName> decided;
  for (const auto& version : versions) TRY_VOID(put_version(connection, version, changes, decided));
  for (const auto& name : decided)
    TRY_VOID(add_concerned(connection, name, changes.vulnerabilities));
  return changes;
}

Result<> put_vulnerabilities(sql::Connection& connection,
                             std::span<const StoredVulnerability> vulnerabilities) {
  TRY_VOID(lock_interned(connection, Sharing::shared));
  for (const auto& one : vulnerabilities) {
    TRY(const auto written,
        connection.run("INSERT INTO vulnerability (vulnerability_id, title, source, published_at, "
                       "modified_at, epss, exploited_at, document, aliases) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                       "ON CONFLICT (vulnerability_id) DO UPDATE SET title = excluded.title, "
                       "source = excluded.source, published_at = excluded.published_at, "
                       "modified_at = excluded.modified_at, epss = excluded.epss, "
                       "exploited_at = excluded.exploited_at, document = excluded.document, "
                       "aliases = excluded.aliases",
                       one.id, one.title, one.source, one.published, one.modified, one.epss,
                       one.exploited, one.document, one.aliases));
    CHECK(written == 1);
  }
  return {};
}

Result<std::int64_t> remove_unused_vulnerabilities(sql::Connection& connection) {
  return connection.run(
      "DELETE FROM vulnerability WHERE NOT EXISTS (SELECT 1 FROM match m "
      "WHERE m.vulnerability_id = vulnerability.vulnerability_id) AND NOT EXISTS "
      "(SELECT 1 FROM finding f WHERE f.vulnerability_id = vulnerability.vulnerability_id)");
}

Result<> remove_matches(sql::Connection& connection, PackageVersionId version) {
  TRY(const auto removed,
      connection.run("DELETE FROM match WHERE package_version_id = ?1", version.value));
  CHECK(removed >= 0);
  return {};
}

Result<std::set<std::string>> known_vulnerabilities(sql::Connection& connection) {
  TRY(auto rows, connection.query("SELECT vulnerability_id FROM vulnerability"));
  std::set<std::string> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.insert(row->string(0));
  }
}

Result<Versions> versions_of(sql::Connection& connection, PackageVersionId id) {
  return read_versions(connection, "WHERE package_version_id = ?1", id.value);
}

Result<Versions> unmatched_versions(sql::Connection& connection, std::int64_t limit) {
  return read_versions(connection, "WHERE matched = 0 ORDER BY package_version_id LIMIT ?1", limit);
}

Result<Versions> versions_named(sql::Connection& connection, std::string_view ecosystem,
                                std::string_view advisory_name) {
  return read_versions(connection, "WHERE ecosystem = ?1 AND advisory_name = ?2", ecosystem,
                       advisory_name);
}

Result<Versions> versions_matching(sql::Connection& connection, std::string_view vulnerability) {
  return read_versions(connection,
                       "WHERE package_version_id IN (SELECT package_version_id FROM match "
                       "WHERE vulnerability_id = ?1)",
                       vulnerability);
}

const std::string_view match_holds =
    "m.live = 1 AND (m.stale = 0 OR EXISTS (SELECT 1 FROM finding f "
    "WHERE f.resource_id = rp.resource_id AND f.vulnerability_id = m.vulnerability_id "
    "AND f.status <> 3))";

const std::string_view package_version_columns =
    "package_version_id, ecosystem, release, kind, name, version, arch, source_name, "
    "source_version, module_label, vendor, purl, host_state, advisory_name";

PackageVersion read_package_version(const sql::Row& row) {
  PackageVersion out;
  auto& p = out.package;
  p.ecosystem = row.string(1);
  p.release = row.string(2);
  p.kind = row.string(3);
  p.name = row.string(4);
  p.version = row.string(5);
  p.arch = row.string(6);
  p.source_name = row.string(7);
  p.source_version = row.string(8);
  p.module_label = row.string(9);
  p.vendor = row.string(10);
  p.purl = row.string(11);
  out.host_state = row.string(12);
  out.advisory_name = row.string(13);
  return out;
}

Result<Versions> versions_after(sql::Connection& connection, PackageVersionId after,
                                std::int64_t limit) {
  return read_versions(connection,
                       "WHERE package_version_id > ?1 ORDER BY package_version_id LIMIT ?2",
                       after.value, limit);
}

}  // namespace tenken::store
