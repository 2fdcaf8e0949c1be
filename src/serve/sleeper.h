// A thread of the background sleeps in it until it is woken, its time has come or the node stops.
//
// Thread rule: any thread. A wake ends one sleep, a stop all of them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tenken::serve {

class Sleeper {
 public:
  void wake() { set(woken_); }
  void stop() { set(stopping_); }
  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }
  // False: the node stops.
  bool sleep(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, at_most, [this] { return woken_ || stopping_; });
    woken_ = false;
    return !stopping_;
  }

 private:
  void set(bool& flag) {
    {
      const std::lock_guard lock(mutex_);
      flag = true;
    }
    arrived_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  bool woken_ = false;
  bool stopping_ = false;
};

}  // namespace tenken::serve
