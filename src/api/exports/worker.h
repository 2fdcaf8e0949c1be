// Worker: does the exports that were asked for, one after another. A killed node's export begins
// anew when the node does, or on another when its lease has run out. What may pass (S3 out of
// reach, a full disk) is tried again some times; 12 hours after work on it began first, an export
// has failed. How long it waited for its turn does not count.
//
// Errors: those of the store; what goes wrong with an export is written into it, without what is
// the operator's alone, which is logged.
// Thread rule: one worker per thread, each with a name of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/exports/contents.h"
#include "aws/credentials.h"
#include "aws/s3.h"
#include "base/http_sender.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/exports.h"

namespace tenken::api::exports {

struct WorkerOptions {
  sql::Pool* pool = nullptr;
  std::string name;            // of this worker's leases, the same after a restart
  std::string region;          // the home region
  std::string s3_endpoint;     // empty: Amazon's
  std::string directory;       // of local exports; empty: none
  std::string work_directory;  // for temporary files
  std::function<Result<std::unique_ptr<HttpSender>>()> sender;
  // The server's own.
  std::function<Result<aws::Credentials>()> credentials = [] { return aws::find_credentials(); };
  std::function<Seconds()> clock;
  std::function<bool()> stopping;  // the node stops: an export under way is left to another
  // export: "ACCOUNT/ID".
  std::function<void(std::string_view export_name, std::string_view cause)> log =
      [](std::string_view, std::string_view) {};
};

class Worker {
 public:
  explicit Worker(WorkerOptions options);
  // Does one export that is due. Returns how many were done; 0: nothing was due.
  Result<std::size_t> work();

 private:
  Result<> run(sql::Connection& connection, const store::Job& job);
  // Stopped half-way: cancelled, or it goes on elsewhere.
  Result<> leave(sql::Connection& connection, const store::Job& job);
  Outcome<std::int64_t> perform(sql::Connection& connection, const store::Job& job,
                                const store::Export& one, Seconds begun);
  Outcome<std::int64_t> to_bucket(const Task& task);
  Outcome<std::int64_t> to_directory(const Task& task);
  Result<> end(sql::Connection& connection, const store::Job& job, store::Export one,
               const Outcome<std::int64_t>& outcome);

  WorkerOptions options_;
  bool begun_ = false;  // what this worker held before it was killed has been given back
};

}  // namespace tenken::api::exports
