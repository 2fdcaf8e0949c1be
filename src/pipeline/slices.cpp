#include "pipeline/slices.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "store/findings.h"

namespace tenken::pipeline {
namespace {

// More keep a server busy that has other work too.
constexpr int workers_on_postgresql = 4;

class Slices {
 public:
  Slices(sql::Pool& pool, const SliceWork& work) : pool_(pool), work_(work) {}

  void run() {
    while (!cannot_go_on_) {
      const auto slice = next_++;
      if (slice >= store::slices) return;
      if (const auto done = run(slice); !done) fail(done.error());
    }
  }
  Result<> outcome() {
    if (fault_) return *std::move(fault_);
    return {};
  }

 private:
  Result<> run(std::int64_t slice) {
    TRY(auto connection, pool_.lease());
    return work_(*connection, slice);
  }
  void fail(const Error& fault) {
    const std::lock_guard lock(mutex_);
    const bool of_store = fault.code == Errc::unavailable;
    if (!fault_ || of_store) fault_ = fault;
    if (of_store) cannot_go_on_ = true;
  }

  sql::Pool& pool_;
  const SliceWork& work_;
  std::atomic<std::int64_t> next_ = 0;
  std::atomic<bool> cannot_go_on_ = false;
  std::mutex mutex_;
  std::optional<Error> fault_;
};

}  // namespace

Result<> each_slice(sql::Pool& pool, const SliceWork& work) {
  Slices slices(pool, work);
  std::vector<std::jthread> others;
  if (pool.engine() == sql::Engine::postgresql)
    for (int i = 1; i < workers_on_postgresql; ++i) others.emplace_back([&] { slices.run(); });
  slices.run();
  others.clear();
  return slices.outcome();
}

}  // namespace tenken::pipeline
