#include "sql/write_queue.h"

#include <cerrno>
#include <map>

#include <sys/stat.h>

namespace tenken::sql {

Result<std::shared_ptr<WriteQueue>> WriteQueue::of_file(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return from_errno(errno, path);
  static std::mutex mutex;
  static std::map<std::pair<dev_t, ino_t>, std::weak_ptr<WriteQueue>> queues;
  const std::lock_guard lock(mutex);
  std::erase_if(queues, [](const auto& one) { return one.second.expired(); });
  auto& known = queues[{found.st_dev, found.st_ino}];
  auto out = known.lock();
  if (out == nullptr) known = out = std::make_shared<WriteQueue>();
  return out;
}

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
