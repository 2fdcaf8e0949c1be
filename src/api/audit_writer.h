// AuditWriter: what the APIs were asked goes into the audit log, after the change was committed.
// What the store does not take then waits here. The front door lets nothing more be changed before
// it is written: so no more waits than there were requests at work.
//
// Errors: those of the engine. Where the answer of the store was lost, an event may be noted twice.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "access/audit.h"
#include "base/result.h"
#include "sql/sql.h"

namespace tenken::api {

class AuditWriter {
 public:
  struct Note {
    access::AuditEvent event;
    std::vector<std::string> accounts = {};  // whose logs say it; empty: its own account's
  };

  explicit AuditWriter(sql::Pool& pool) : pool_(&pool) {}

  // An error: it waits.
  Result<> write(Note note);
  // All that waits, in order. An error: the rest waits on.
  Result<> catch_up();

 private:
  Result<> put(sql::Connection& connection, const Note& note);

  sql::Pool* pool_;
  access::AuditLog log_;
  std::atomic<std::size_t> waiting_ = 0;
  std::mutex mutex_;
  std::deque<Note> notes_;  // that wait
};

}  // namespace tenken::api
