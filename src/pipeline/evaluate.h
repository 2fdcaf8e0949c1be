// Evaluation on the server: what is installed × what the advisories say → findings in the store.
// A package version is matched once for the whole fleet; findings follow by joins. Three things
// start it, each as jobs in the store, so that any node does them and a killed node loses nothing:
//
//   evaluate <resource>        its inventory changed
//   advance generation         another advisory generation is in use: names in the difference to
//                              every one since which the matches were not wholly brought up
//   settle <vulnerability>     some match of it changed: its findings on the whole fleet
//   coverage resources         releases came to be covered or no longer are: what can be said of
//                              every resource
//   match <package version>    it could not be matched before (matching.h)
//
// A job that fails is tried again later, and keeps no other waiting.
//
// Rules: nothing is closed for want of knowledge. A package version of which something could not
// be decided is marked, and a match that the generation lacks stays, as stale, where the
// generation covers the release in part only or not at all. Where it does not cover the release,
// but single records name a package of it, they are heard: a version that they call affected is a
// finding, and a version that they call fixed closes it. The release stays one that nothing covers.
//
// Errors: those of the store and of the database file. Thread rule: one Evaluator per thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "advisories/database.h"
#include "base/result.h"
#include "base/time.h"
#include "pipeline/matching.h"
#include "sql/sql.h"
#include "store/findings.h"
#include "store/jobs.h"

namespace tenken::pipeline {

using Generation = std::shared_ptr<const advisories::Database>;

struct EvaluatorOptions {
  sql::Pool* pool = nullptr;
  // Names this node's leases; the same after a restart, which then takes its work up at once.
  std::string node;
  std::function<Generation()> current;
  // The generation of that id, where its file is still at hand; nullptr: it is not.
  std::function<Generation(const std::string& id)> find;
  std::function<Seconds()> clock;
  // Many inventories wait to be written. While they do, resources are evaluated once a second only:
  // a fleet that reports for the first time is taken in first. Empty: they never do.
  std::function<bool()> inventories_wait = {};
};

class Evaluator {
 public:
  explicit Evaluator(EvaluatorOptions options);

  // Brings the current generation into use where it is the one to use (node_generations.h): an
  // advance job. To be called often: it does nothing until there is something to note. False: a
  // running node has a newer one, and this node evaluates nothing.
  Result<bool> notice_generation();
  // Does due jobs, at most a batch of each kind. Returns how many were done; 0: nothing was due.
  // The error of a job that failed comes after the others are done; that of a store that cannot be
  // used (unavailable) at once.
  Result<std::size_t> work();

 private:
  Result<> give_back_leases();
  Result<> keep_lease(sql::Connection& connection, const store::Job& job);
  Result<> check_in_use(sql::Connection& connection, const Generation& generation);
  bool give_way() const;
  Result<std::size_t> evaluate_resources(const Generation& generation);
  Result<std::size_t> evaluate_due(const Generation& generation);
  Result<std::size_t> advance(const Generation& generation);
  Result<std::size_t> settle();
  Result<std::size_t> match_again(const Generation& generation);
  Result<> match_again(sql::Connection& connection, const store::Job& job,
                       const Generation& generation);
  Result<> keep_holders();
  Result<> match_new_versions(sql::Connection& connection, const Generation& generation);
  Result<> evaluate(sql::Connection& connection, std::span<const store::Job> jobs,
                    const Generation& generation);
  Error postpone(sql::Connection& connection, std::span<const store::Job> jobs, const Error& fault);
  bool store_answers();
  MatchWork match_work(sql::Connection& connection, const Generation& generation);
  Result<> put_matches(const MatchWork& work, std::span<const NamedVersion> versions);
  Result<> advance_to(sql::Connection& connection, const store::Job& job,
                      const Generation& generation);
  Result<> rematch(sql::Connection& connection, const store::Job& job,
                   std::span<const NamedVersion> versions, const Generation& generation);
  Result<> rematch_those(sql::Connection& connection, const store::Job& job,
                         const std::function<bool(const store::PackageVersion&)>& those,
                         const Generation& generation);
  Result<> settle(sql::Connection& connection, std::span<const store::Job> jobs);
  Result<> settle_slice(sql::Connection& connection, std::span<const store::Job> jobs,
                        std::int64_t slice);
  Result<std::size_t> update_coverage();
  Result<> update_coverage(sql::Connection& connection, const store::Job& job);
  Result<bool> is_in_use(sql::Connection& connection, const Generation& generation);

  EvaluatorOptions options_;
  std::optional<Error> unmatched_;  // why some version is unknown since the last work()
  std::string noted_generation_;
  Seconds noted_at_ = 0;
  bool is_ours_ = true;  // the generation to use
  std::chrono::steady_clock::time_point evaluated_;
  bool may_hold_leases_ = true;  // of a run that ended without giving them back
};

}  // namespace tenken::pipeline
