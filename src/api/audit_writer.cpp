#include "api/audit_writer.h"

#include <utility>

namespace tenken::api {

Result<> AuditWriter::put(sql::Connection& connection, const Note& note) {
  return note.accounts.empty() ? log_.append(connection, note.event)
                               : log_.append_to_each(connection, note.event, note.accounts);
}

Result<> AuditWriter::write(Note note) {
  auto connection = pool_->lease();
  auto done = connection ? put(**connection, note) : Result<>(std::move(connection).error());
  if (done) return {};
  const std::scoped_lock lock(mutex_);
  notes_.push_back(std::move(note));
  waiting_ = notes_.size();
  return done;
}

Result<> AuditWriter::catch_up() {
  if (waiting_ == 0) return {};
  const std::scoped_lock lock(mutex_);
  TRY(auto connection, pool_->lease());
  while (!notes_.empty()) {
    TRY_VOID(put(*connection, notes_.front()));
    notes_.pop_front();
    waiting_ = notes_.size();
  }
  return {};
}

}  // namespace tenken::api
