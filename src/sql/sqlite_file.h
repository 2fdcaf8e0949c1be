// What the connections of this process to one SQLite file share, whichever pool or open() made
// them: two queues of writers for one file would be none. It is found by the file (device and
// inode) in a table of the process, and ends with the last connection.
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "sql/checkpointer.h"
#include "sql/sqlite_handle.h"
#include "sql/write_queue.h"

namespace tenken::sql {

struct SqliteFile {
  explicit SqliteFile(SqliteHandle own)
      : writers(std::make_shared<WriteQueue>()), checkpointer(std::move(own), writers) {}

  // Errors: the file is not there, or cannot be opened to be written.
  static Result<std::shared_ptr<SqliteFile>> of(const std::string& path);

  std::shared_ptr<WriteQueue> writers;
  Checkpointer checkpointer;
};

}  // namespace tenken::sql
