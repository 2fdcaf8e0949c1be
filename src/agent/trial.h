// Trial: a newer agent proves itself before it takes over. It runs as a child of the one that is to
// be replaced, which looks on and takes the work back where the new one does not speak to the
// server in time. So it makes no difference what starts agents on this host.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "agent/versions.h"

namespace tenken::agent {

// How a program ends where another one uses its state: EX_TEMPFAIL of <sysexits.h>.
inline constexpr int exit_busy = 75;

struct TrialOptions {
  char* const* arguments = nullptr;  // of this process, as main() has them
  int orders = -1;                   // as of AgentOptions: 't' ends the trial
  std::chrono::milliseconds limit = std::chrono::minutes(2);
  std::function<void(std::string_view line)> log;
};

enum class Trial : std::uint8_t {
  passed,  // it has spoken to the server, and was ended again
  failed,  // it was given up, and why was noted
  ended,   // this process was told to end: it was given up as interrupted
};
// It has three tries within the limit, with pauses between them: a server that is away for a moment
// says nothing of it. One that finds the state in use (exit_busy) has not had a try.
Trial try_version(const Versions& versions, std::string_view version, const TrialOptions& options);

// Becomes the program of the version; returns where it cannot.
void become(const Versions& versions, std::string_view version, char* const* arguments);
// Whether this process is one that was started so, or on trial.
bool was_started_by_another();

}  // namespace tenken::agent
