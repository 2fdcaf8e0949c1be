// Threads that run handlers, with a bounded queue before them.
//
// Thread rule: every function is safe from any thread; stop() from one, and not from a worker.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tenken::http {

class WorkerPool {
 public:
  using Job = std::move_only_function<void()>;

  WorkerPool(int threads, std::size_t longest_queue);
  ~WorkerPool();

  // A place in the queue, for the one run() that follows; false where it is full.
  bool reserve();
  void run(Job job);
  // Jobs that have not begun are dropped; returns when those under way have ended.
  void stop();

 private:
  void work();
  bool must_wake();

  const std::size_t longest_queue_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> queue_;
  std::size_t reserved_ = 0;  // places given away, filled or not
  std::size_t waiting_ = 0;   // threads without a job
  bool waking_ = false;       // one of them was told of a job and has not looked yet
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tenken::http
