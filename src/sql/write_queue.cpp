#include "sql/write_queue.h"

namespace tenken::sql {

std::optional<WriteQueue::Turn> WriteQueue::enter(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const auto ticket = ++last_;
  waiting_.push_back(ticket);
  const bool mine =
      moved_.wait_for(lock, wait, [&] { return !taken_ && waiting_.front() == ticket; });
  std::erase(waiting_, ticket);
  taken_ = taken_ || mine;
  lock.unlock();
  if (mine) return Turn(shared_from_this());
  moved_.notify_all();
  return std::nullopt;
}

WriteQueue::Turn::~Turn() {
  if (queue_ != nullptr) queue_->leave();
}

std::size_t WriteQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void WriteQueue::leave() {
  {
    const std::lock_guard lock(mutex_);
    taken_ = false;
  }
  moved_.notify_all();
}

}  // namespace tenken::sql
