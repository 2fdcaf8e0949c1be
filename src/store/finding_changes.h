// What statements do to findings, noted as it is done and written once, at the end of the same
// transaction: the history that it makes (finding_event) and the counts that it moves
// (finding_counts.h). Every statement that changes findings goes through here and says which rows
// it changed, so that nothing is read again to find them.
//
// Errors: those of the engine. Thread rule: over the caller's connection, inside the caller's
// transaction, with the slices locked that it writes to (findings.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/sql.h"
#include "store/finding_counts.h"
#include "store/findings.h"
#include "store/ids.h"

namespace tenken::store {

// Which findings a change may touch.
struct ChangeScope {
  ResourceRange resources;
  std::string_view vulnerability;  // empty: every one
};

// The findings of a scope that are not CLOSED.
struct OpenFindings {
  std::map<FindingName, Counted> active;
  bool any = false;  // ACTIVE or SUPPRESSED
};
Result<OpenFindings> open_findings(sql::Connection& connection, const ChangeScope& scope);

class FindingChanges {
 public:
  // Runs an INSERT or UPDATE of finding, given without RETURNING. What it gives the number of the
  // evaluation is an event. before: what was ACTIVE in its scope, which is brought up to date.
  Result<std::int64_t> run(sql::Connection& connection, std::string_view sql,
                           std::span<const sql::Value> values, const Evaluation& evaluation,
                           std::map<FindingName, Counted>& before);
  // The same for an UPDATE that makes findings ACTIVE and changes nothing else of them (gained), or
  // ends that.
  Result<std::int64_t> run_switch(sql::Connection& connection, std::string_view sql,
                                  std::span<const sql::Value> values, const Evaluation& evaluation,
                                  bool gained);
  // The resource is of another type than its findings were counted under. active: what is ACTIVE.
  void retype(ResourceId resource, const std::map<FindingName, Counted>& active);

  Result<> write(sql::Connection& connection);

 private:
  struct Changed;
  struct Event {
    std::size_t number = 0;  // in the order in which they happened
    FindingName name;
    std::int64_t episode = 0;
    std::int64_t transition = 0;
    Seconds happened = 0;
    std::int64_t status = 0;
    std::shared_ptr<const std::string> cause;
  };
  template <typename F>
  Result<std::int64_t> each_changed(sql::Connection& connection, std::string_view sql,
                                    std::span<const sql::Value> values,
                                    const Evaluation& evaluation, F&& count);
  Result<> write_events(sql::Connection& connection);

  CountTally counts_;
  std::vector<Event> events_;
};

}  // namespace tenken::store
