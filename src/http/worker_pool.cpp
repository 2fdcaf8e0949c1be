#include "http/worker_pool.h"

#include <utility>

namespace tenken::http {

WorkerPool::WorkerPool(int threads, std::size_t longest_queue) : longest_queue_(longest_queue) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (...) {
    stop();  // threads that run cannot be left behind
    throw;
  }
}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::reserve() {
  const std::scoped_lock lock(mutex_);
  if (stopping_ || reserved_ >= longest_queue_) return false;
  ++reserved_;
  return true;
}

void WorkerPool::run(Job job) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(job));
    wake = must_wake();
  }
  if (wake) arrived_.notify_one();
}

// One thread is on its way at a time, and wakes the next if it finds more than it takes: where jobs
// are short, a burst of them is done by few threads and costs few switches.
bool WorkerPool::must_wake() {
  if (queue_.empty() || waiting_ == 0 || waking_) return false;
  waking_ = true;
  return true;
}

void WorkerPool::work() {
  for (;;) {
    Job job;
    bool wake = false;
    {
      std::unique_lock lock(mutex_);
      while (!stopping_ && queue_.empty()) {
        ++waiting_;
        arrived_.wait(lock);
        --waiting_;
        waking_ = false;
      }
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      --reserved_;
      wake = must_wake();
    }
    if (wake) arrived_.notify_one();
    try {
      job();
    } catch (...) {
      // Out of memory while handing over an answer: the connection ends with its job.
    }
  }
}

void WorkerPool::stop() {
  std::deque<Job> dropped;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  arrived_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace tenken::http
