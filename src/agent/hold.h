// Hold: the server takes no report as large as this host's. It is not sent again for hours, over
// starts of the agent too (cron starts one every few minutes), and `status` says why. One that has
// become smaller need not wait.
//
// Errors: none; where it cannot be written, it ends with the process. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <string>

#include "agent/state.h"
#include "base/time.h"

namespace tenken::agent {

class Hold {
 public:
  // As the process before left it.
  explicit Hold(const State& state);

  // No report is to be sent.
  bool on() const;
  // Why; until a report was taken, also while one is tried again. Empty: nothing is held.
  const std::string& why() const { return why_; }

  // Of the whole report that was refused last.
  std::size_t bytes() const { return bytes_; }

  // From now on, and longer each time: 1 h to a day.
  void begin(std::string why, std::size_t bytes);
  // One more try, of this process.
  void lift() { lifted_ = true; }
  void end();

 private:
  std::string path_;
  std::string why_;
  Seconds from_ = 0;  // of this host's clock
  Seconds lasts_ = 0;
  std::size_t bytes_ = 0;
  bool lifted_ = false;
};

}  // namespace tenken::agent
