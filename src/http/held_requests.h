// The requests of one I/O thread whose answer waits for a key to be woken (long polls).
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>

namespace tenken::http {

class HeldRequests {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Wake = std::function<void()>;
  using Place = std::unordered_multimap<std::string, Wake>::iterator;

  // wake() is called, perhaps more than once, until the place is removed; it removes none itself.
  Place add(const std::string& key, Wake wake);
  void remove(Place place) { held_.erase(place); }

  void wake(const std::string& key, Time now);
  // Whether somebody woke the key since then. What was woken is known for a minute, as long as a
  // handler may take to say that it waits.
  bool woken_since(const std::string& key, Time time) const;

 private:
  std::unordered_multimap<std::string, Wake> held_;
  std::unordered_map<std::string, Time> woken_;
};

}  // namespace tenken::http
