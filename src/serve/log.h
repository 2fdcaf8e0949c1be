// The server's log: JSON, a line each, on standard error or appended to a file. A thread of its own
// writes, so that no request waits for a reader: where none drains the pipe, or the disk is full,
// lines are dropped and counted, and a line says so once there is room again.
//
// Lines of the server: {"time", "level", "message", …}. Lines of finished requests: {"time",
// "level": "access", "request", "method", "path", "status", "bytes", "micros", …}. Callers put no
// secrets in; of a request's target only the path is logged, since a query may hold some.
//
// Thread rule: any thread. Ending waits a second at most for what is queued.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "http/server.h"

namespace tenken::serve {

enum class Level : std::uint8_t { info, warning, error };

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
};

class Log {
 public:
  // An empty name is standard error. Errors: those of the file system.
  static Result<std::unique_ptr<Log>> open(const std::string& file);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void note(Level level, std::string_view message, std::initializer_list<Field> fields = {});
  void access(const http::Request& request, const http::Response& response, std::int64_t micros);

  // Opens the file anew: it was renamed, to be kept. Errors: the old one stays in use.
  Result<> reopen();
  std::uint64_t dropped() const;  // lines

 private:
  struct State;
  explicit Log(std::string file);

  std::string file_;
  std::shared_ptr<State> state_;  // shared with the writer, which may hang in a write for ever
};

}  // namespace tenken::serve
