// Status: how it goes, for `tenken-agent status`: the file "status", a line "name=value" for each.
//
// Errors: none; one that cannot be written stays as it was. Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/state.h"
#include "base/time.h"

namespace tenken::agent {

struct Status {
  Seconds contact = 0;  // the server's time when it answered last; 0: not yet
  std::string fault;    // empty: none
  std::string unread;   // what of the host cannot be read; empty: nothing
  std::string_view version;
};
// What could not be read when the host was looked at last, by this process or one before.
std::string unread_before(const State& state);
void put_status(const State& state, const Status& status);
// Of an agent that does not run: when the server answered last stays. Said once, however often it is
// started.
void put_refusal(const State& state, std::string_view fault, std::string_view version);

}  // namespace tenken::agent
