// A child process of low priority whose output is collected: building a generation takes memory
// and minutes, which the server then neither keeps nor has to wait for.
//
// Errors: unavailable (it cannot be started, was stopped, took too long, wrote too much).
// Thread rule: one thread; the stop function is called on it, a few times a second.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tenken::serve {

struct ChildCommand {
  std::vector<std::string> words;                                     // the program's path first
  std::vector<std::pair<std::string, std::string>> environment = {};  // beside that of this process
  std::chrono::seconds limit = std::chrono::hours(6);
  std::size_t limit_bytes = std::size_t{4} << 20;
};

struct ChildAnswer {
  int code = 0;        // exit code; -1: a signal ended it
  std::string output;  // standard output and error as they came
};

// Returns when it has ended. Where stop() becomes true it is killed.
Result<ChildAnswer> run_child(const ChildCommand& command, const std::function<bool()>& stop);

}  // namespace tenken::serve
