#include "agent/pause.h"

#include <algorithm>
#include <ctime>

namespace tenken::agent {
namespace {

constexpr int share_of_looks = 72'000;  // one part in so many is 50 ms an hour
constexpr int longest_pause = 4;        // times the usual one

}  // namespace

std::chrono::nanoseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::chrono::nanoseconds pause_after(std::chrono::nanoseconds look,
                                     std::chrono::nanoseconds usual) {
  return std::clamp(look * share_of_looks, usual, longest_pause * usual);
}

}  // namespace tenken::agent
