#include "http/held_requests.h"

#include <utility>

namespace tenken::http {
namespace {

constexpr std::chrono::milliseconds longest_handler{60'000};  // for which a key stays woken

}  // namespace

HeldRequests::Place HeldRequests::add(const std::string& key, Wake wake) {
  return held_.emplace(key, std::move(wake));
}

void HeldRequests::wake(const std::string& key, Time now) {
  std::erase_if(woken_, [&](const auto& one) { return one.second + longest_handler < now; });
  woken_[key] = now;
  const auto [first, last] = held_.equal_range(key);
  for (auto one = first; one != last; ++one) one->second();
}

bool HeldRequests::woken_since(const std::string& key, Time time) const {
  const auto found = woken_.find(key);
  return found != woken_.end() && found->second >= time;
}

}  // namespace tenken::http
