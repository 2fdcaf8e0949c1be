// Numbers about the whole store, for metrics: all accounts together, counted by reading whole
// indices. Not for requests.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/agents.h"
#include "store/jobs.h"

namespace tenken::store {

struct Figures {
  struct Coverage {
    std::string status;
    std::string reason;
    std::int64_t resources = 0;
  };
  std::array<std::int64_t, 4> findings{};  // by Lifecycle
  std::int64_t stale_findings = 0;         // of which the advisories say nothing any more
  std::vector<Coverage> coverage;
  std::int64_t unmatched_versions = 0;             // wait for their first match
  std::array<std::int64_t, 4> decided_versions{};  // by Decided
  AgentCounts agents;
  std::vector<JobCounts> jobs;
  Seconds lag = 0;  // how long the job that is due for the longest time has been waiting
  std::int64_t database_bytes = 0;
};
Result<Figures> count_figures(sql::Connection& connection, Seconds now);

}  // namespace tenken::store
