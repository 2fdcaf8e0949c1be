#include "http/worker_pool.h"

#include <latch>
#include <memory>

#include <gtest/gtest.h>

namespace tenken::http {
namespace {

TEST(WorkerPool, a_burst_of_jobs_that_wait_for_each_other_has_a_thread_each) {
  constexpr int threads = 8;
  WorkerPool pool(threads, threads);
  for (int round = 0; round < 1'000; ++round) {
    const auto met = std::make_shared<std::latch>(threads + 1);
    for (int i = 0; i < threads; ++i) {
      while (!pool.reserve()) {
      }
      pool.run([met] { met->arrive_and_wait(); });
    }
    met->arrive_and_wait();
  }
}

}  // namespace
}  // namespace tenken::http
