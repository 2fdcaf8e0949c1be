#include "sql/checkpointer.h"

#include <chrono>
#include <system_error>
#include <utility>

#include <sqlite3.h>

namespace tenken::sql {
namespace {

constexpr int pages_at_once = 16'000;  // of 4 KiB: each time waits for the whole file
constexpr int long_log = 4 * pages_at_once;
constexpr int few_pages = 2'000;  // what writers may wait for
constexpr int most_passes = 4;
constexpr auto longest_wait_for_a_turn = std::chrono::seconds(10);
constexpr int longest_wait_for_readers_ms = 100;  // with the turn taken

}  // namespace

Checkpointer::Checkpointer(SqliteHandle database, std::shared_ptr<WriteQueue> writers)
    : writers_(std::move(writers)), database_(std::move(database)) {
  sqlite3_busy_timeout(database_.get(), longest_wait_for_readers_ms);
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::log_has(int pages) {
  {
    const std::lock_guard lock(mutex_);
    if (pages < pages_) brought_back_ = 0;  // it has begun anew
    pages_ = pages;
    if (pages_ - brought_back_ < pages_at_once || !has_thread()) return;
  }
  changed_.notify_all();
}

// False where the system gives no more threads: the next commit tries again.
bool Checkpointer::has_thread() {
  if (thread_.joinable()) return true;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || pages_ - brought_back_ >= pages_at_once; });
    if (stopping_) return;
    brought_back_ = pages_;
    const bool is_long = pages_ >= long_log;
    lock.unlock();
    bring_back(is_long);
    lock.lock();
  }
}

void Checkpointer::bring_back(bool is_long) {
  if (!execute_sqlite(database_.get(), "PRAGMA synchronous = FULL")) return;
  auto left = checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  for (int pass = 1; is_long && left > few_pages && pass < most_passes; ++pass)
    left = checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  // More is left only where a reader stays, or the disk fails: no writer is to wait for that.
  if (!is_long || !left || left > few_pages) return;
  const auto turn = writers_->enter(longest_wait_for_a_turn);
  if (!turn || checkpoint(SQLITE_CHECKPOINT_RESTART) != 0) return;
  // Whoever writes next begins the log anew.
  const std::lock_guard lock(mutex_);
  pages_ = brought_back_ = 0;
}

// Returns how many pages of the log are not in the file yet; nullopt: it is not known.
std::optional<int> Checkpointer::checkpoint(int mode) {
  int pages = 0;
  int brought_back = 0;
  const int done =
      sqlite3_wal_checkpoint_v2(database_.get(), nullptr, mode, &pages, &brought_back);
  if (done != SQLITE_OK || pages < 0) return std::nullopt;
  return pages - brought_back;
}

}  // namespace tenken::sql
