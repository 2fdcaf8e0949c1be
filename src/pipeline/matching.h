// Package versions against a generation of advisories, and what that says written to the store.
//
// One version that cannot be matched, or whose matches cannot be written, keeps no other waiting:
// it is marked as one of which something is unknown, what it matched before stays as stale, and a
// job of the kind "match" tries it again, later and later.
//
// Errors: those of the store. Thread rule: functions over the caller's connection.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "advisories/database.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/matches.h"

namespace tenken::pipeline {

using NamedVersion = std::pair<store::PackageVersionId, store::PackageVersion>;

struct FailedVersion {
  store::PackageVersionId id;
  std::string name;  // "openssl 3.0.1 (Debian 12)"
  Error error;
};

// No store, no clock but `now`.
struct Matched {
  std::vector<store::VersionMatches> versions;
  std::vector<store::StoredVulnerability> vulnerabilities;  // that the matches name, each once
  std::vector<FailedVersion> failed;                        // not among the versions
};
Matched match_versions(const advisories::Database& database, std::span<const NamedVersion> versions,
                       Seconds now);

struct MatchWork {
  sql::Connection& connection;
  const advisories::Database& database;
  Seconds now = 0;
  // In each transaction, before anything is written; an error ends the work.
  std::function<Result<>()> begin;
  // In each transaction, with what changed.
  std::function<Result<>(const store::MatchChanges&)> changed;
};
// In one transaction, and where that fails in one for each version. Returns those that failed, of
// which nothing was written.
Result<std::vector<FailedVersion>> put_matched(const MatchWork& work,
                                               std::span<const NamedVersion> versions);
// Makes those that failed unknown, and leaves the jobs that try them again.
Result<> mark_unknown(const MatchWork& work, std::span<const FailedVersion> failed);

}  // namespace tenken::pipeline
