// Background work as rows: a job is named by its kind and subject, so that the same work asked for
// twice is one job; a node takes it under a lease, and a lease that ran out is anybody's. A job
// asked for again while it runs stays after it is done.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

struct Job {
  std::string kind;
  std::string subject;
  std::int64_t version = 0;
  std::string payload;
  std::int64_t attempts = 0;
};

// Inside the caller's transaction, so that the work is never lost nor done for nothing.
Result<> enqueue(sql::Connection& connection, std::string_view kind, std::string_view subject,
                 std::string_view payload, Seconds run_after);

// The same unless it was asked for already: one that fails keeps its turn.
Result<> enqueue_once(sql::Connection& connection, std::string_view kind, std::string_view subject,
                      std::string_view payload, Seconds run_after);
// Adds the job, or has the one that is there run by that time. One that runs goes on, and is done.
Result<> enqueue_at_latest(sql::Connection& connection, std::string_view kind,
                           std::string_view subject, Seconds run_after);

// Takes at most `limit` jobs of the kind that are due, oldest first, in a transaction of its own.
Result<std::vector<Job>> lease(sql::Connection& connection, std::string_view kind,
                               std::string_view owner, Seconds now, Seconds lease_seconds,
                               std::int64_t limit);

// Holds on to a lease for longer. False: it is another's by now, or the job is gone.
Result<bool> renew(sql::Connection& connection, const Job& job, std::string_view owner,
                   Seconds until);

// Keeps what the work must know when it is begun anew, while the lease is its owner's.
Result<> set_payload(sql::Connection& connection, const Job& job, std::string_view owner,
                     std::string_view payload);

// The job is done. False: it was asked for again meanwhile and stays, free for the next.
// Inside the caller's transaction: the job ends with its work or not at all.
Result<bool> finish(sql::Connection& connection, const Job& job, std::string_view owner);

// The job failed under its owner's lease: it runs again later, after 2^attempts seconds, an hour at
// most. What was asked for meanwhile does not wait for what failed, and another's lease stays.
Result<> postpone(sql::Connection& connection, const Job& job, std::string_view owner,
                  std::string_view reason, Seconds now);
// The same for a job that nobody leased, or that this work has left anew.
Result<> put_off(sql::Connection& connection, const Job& job, std::string_view reason, Seconds now);

// Gives back every lease of an owner, or those of one kind: after a crash under the same name, or
// work that failed.
Result<> release_leases(sql::Connection& connection, std::string_view owner);
Result<> release_leases(sql::Connection& connection, std::string_view kind, std::string_view owner);

struct JobCounts {
  std::string kind;
  std::int64_t waiting = 0;
  std::int64_t running = 0;
  std::int64_t failing = 0;
};
Result<std::vector<JobCounts>> count_jobs(sql::Connection& connection, Seconds now);

}  // namespace tenken::store
