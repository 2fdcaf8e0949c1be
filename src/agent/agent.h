// Agent: the loop of a host that reports by itself. It watches the package databases, makes a
// report of each change, sends what is on its way in order, and keeps a long poll open for
// commands; while the server is away it goes on watching, and tries again after ever longer waits.
//
// One thread (names are resolved in another, resolution.h), one connection: where a report is to be
// sent while a poll is open, it is written behind it, and the server answers the poll at once.
//
// Errors of run: those of the state. A server that refuses the agent for good (revoked, retired) is
// asked again every hour; one that says that another agent has taken over, as one that is away.
// Thread rule: one thread; stop by the descriptor.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agent/collection.h"
#include "agent/state.h"
#include "agent/versions.h"
#include "base/result.h"

namespace tenken::agent {

struct Timing {
  int settle_ms = 1'500;  // without a further change, before a changed database is read
  int settle_at_most_ms = 20'000;
  int sweep_ms = 8'000;    // where inotify is blind; eight times that where it tells all
  int facts_ms = 900'000;  // between two looks at processes, sockets and the like; longer where one
                           // takes long, four times at most
  int seldom_ms = 3'600'000;  // between two questions to a cloud that answered, and looks of `once`
  int doubt_ms = 2'500;       // between two looks at what may be the middle of a change
  int doubt_at_most_ms = 60'000;  // how long that is waited for
  int anew_ms = 60'000;           // between two whole inventories that the server commands
  int first_wait_ms = 1'000;      // after a failure; doubles
  int longest_wait_ms = 300'000;
  int refused_wait_ms = 3'600'000;
};

struct AgentOptions {
  std::string_view version;
  Timing timing = {};
  // To be watched for reading: 't' ends run, 'c' takes the inventory now. (A pipe of the signals'.)
  int orders = -1;
  // One inventory, until it is acknowledged; the commands that wait; and the end. For hosts where
  // nothing keeps a program running.
  bool once = false;
  std::function<void(std::string_view line)> log;
};

// Until it is told to end, which answers an empty text, or a newer version of the agent was
// fetched, which answers that version: it is to be tried. Errors also, with `once`: the server's,
// or the way to it.
Result<std::string> run(Collection& collection, const State& state, const AgentOptions& options);

}  // namespace tenken::agent
