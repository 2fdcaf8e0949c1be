#include "sql/checkpointer.h"

#include <chrono>
#include <utility>

#include <sqlite3.h>

namespace tenken::sql {
namespace {

constexpr int pages_at_once = 16'000;  // of 4 KiB: each time waits for the whole file
constexpr int long_log = 4 * pages_at_once;
constexpr auto longest_wait_for_a_turn = std::chrono::seconds(10);

}  // namespace

Checkpointer::Checkpointer(std::string path, std::shared_ptr<WriteQueue> writers)
    : path_(std::move(path)), writers_(std::move(writers)) {}

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
    if (pages_ - brought_back_ < pages_at_once) return;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_all();
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

void Checkpointer::bring_back(bool in_own_turn) {
  if (database_ == nullptr) {
    auto opened = open_sqlite_file(path_, SQLITE_OPEN_READWRITE);
    if (!opened) return;
    database_ = *std::move(opened);
    if (!execute_sqlite(database_.get(), "PRAGMA synchronous = FULL")) return database_.reset();
  }
  checkpoint();
  if (!in_own_turn) return;
  // What was written meanwhile, while nobody writes more.
  if (const auto turn = writers_->enter(longest_wait_for_a_turn)) checkpoint();
}

void Checkpointer::checkpoint() {
  (void)sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                  nullptr);
}

}  // namespace tenken::sql
