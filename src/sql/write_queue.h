// Who writes next into a SQLite file, among the connections of this process: SQLite has one writer,
// and lets those that wait sleep and look again, up to a tenth of a second long while nobody
// writes. Here they come in the order in which they asked, as soon as the one before has ended.
// Other processes are waited for as SQLite does. There is one for each file: sqlite_file.h.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace tenken::sql {

class WriteQueue : public std::enable_shared_from_this<WriteQueue> {
 public:
  // The right to write, given up with the object.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<WriteQueue> queue) : queue_(std::move(queue)) {}
    Turn(Turn&&) = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    std::shared_ptr<WriteQueue> queue_;
  };

  // nullopt: the turn did not come in that time.
  std::optional<Turn> enter(std::chrono::milliseconds wait);
  std::size_t waiting() const;

 private:
  void leave();

  mutable std::mutex mutex_;
  std::condition_variable moved_;
  std::deque<std::uint64_t> waiting_;
  std::uint64_t last_ = 0;
  bool taken_ = false;
};

}  // namespace tenken::sql
