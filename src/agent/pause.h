// Pause: how long until the next look at the host. Hosts with many processes are looked at less
// often, so that looks take no more than 50 ms of the processor an hour; within the hour they come.
//
// Thread rule: any thread.
#pragma once

#include <chrono>

namespace tenken::agent {

// That this thread has used.
std::chrono::nanoseconds processor_time();

// Between two looks, of which the last took so much of it.
std::chrono::nanoseconds pause_after(std::chrono::nanoseconds look, std::chrono::nanoseconds usual);

}  // namespace tenken::agent
