// What exports consist of: the findings of a question as one file, and one SBOM for each resource.
// Both are read page by page, so that memory does not grow with the fleet.
//
// Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api/exports/target.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/exports.h"

namespace tenken::api::exports {

struct Task {
  sql::Connection& connection;
  const store::Export& one;
  std::string region;          // the home region, of ARNs
  std::string work_directory;  // for a temporary file that has no name
  Seconds now = 0;
  // Asked between pages: false where the export was cancelled, or is another node's by now.
  std::function<bool()> keep_going;
};

// Both return how many findings or SBOMs were written; the file of no findings is not written.
Outcome<std::int64_t> export_findings(const Task& task, Target& target);
Outcome<std::int64_t> export_sboms(const Task& task, Target& target);

}  // namespace tenken::api::exports
