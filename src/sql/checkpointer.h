// Brings what the write-ahead log of a SQLite file holds back into the file, beside those who
// write: to do that waits for pages all over the file, and SQLite itself lets the writer wait whose
// commit made the log long. The log begins anew once all of it is back; while one writes after the
// other it never is, so that a long one is finished in a turn of its own once little is left.
// Readers that stay keep it from beginning anew, as they do without this. A log that has begun anew
// with a commit longer than all it held before is seen 64 MB later.
//
// Errors: what cannot be brought back stays in the log, where every reader finds it, and is tried
// again as the log grows. Thread rule: any thread; the work is done by one of its own, which begins
// with the first long log.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "sql/sqlite_handle.h"
#include "sql/write_queue.h"

namespace tenken::sql {

class Checkpointer {
 public:
  // A connection of its own to the file, opened with the others: its name may be another file's
  // later.
  Checkpointer(SqliteHandle database, std::shared_ptr<WriteQueue> writers);
  Checkpointer(Checkpointer&&) = delete;
  ~Checkpointer();

  // The log has so many pages, as each commit learns. Waits for nothing.
  void log_has(int pages);

 private:
  bool has_thread();
  void run();
  void bring_back(bool is_long);
  std::optional<int> checkpoint(int mode);

  std::shared_ptr<WriteQueue> writers_;
  SqliteHandle database_;  // of the thread

  std::mutex mutex_;
  std::condition_variable changed_;
  int pages_ = 0;
  int brought_back_ = 0;  // of them, or tried
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tenken::sql
