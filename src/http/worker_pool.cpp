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
    wake = waiting_ > 0;
  }
  if (wake) arrived_.notify_one();
}

void WorkerPool::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      ++waiting_;
      arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      --waiting_;
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      --reserved_;
    }
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
