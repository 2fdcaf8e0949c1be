// Exporter: the threads that write the exports accounts asked for, some at a time: one that is
// large, or whose bucket hangs, holds up no other account's.
//
// Thread rule: start and stop from one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/exports/policy.h"
#include "base/result.h"
#include "serve/log.h"
#include "sql/sql.h"

namespace tenken::serve {

struct ExportRules {
  std::vector<std::string> buckets;  // "ACCOUNT=BUCKET"
  std::string directory;             // of local exports; empty: none
  std::string s3_endpoint;           // empty: Amazon's
};
// Errors: invalid.
Result<api::exports::Policy> read_policy(const ExportRules& rules);

struct ExporterOptions {
  sql::Pool* pool = nullptr;
  Log* log = nullptr;
  std::string node;  // begins the names of its leases
  std::string region;
  std::string data_directory;
  ExportRules rules;
};

class Exporter {
 public:
  static std::unique_ptr<Exporter> start(ExporterOptions options);
  virtual ~Exporter() = default;
  virtual void stop() = 0;
};

}  // namespace tenken::serve
