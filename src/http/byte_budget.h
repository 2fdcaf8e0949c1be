// The memory that strangers may make the server hold: one number that all connections draw from.
//
// Thread rule: a ByteBudget is shared by all threads; a Lease belongs to one at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace tenken::http {

class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes) : limit_(bytes) {}

  bool take(std::size_t bytes) {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
    give(bytes);
    return false;
  }
  void give(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_ = 0;
};

// What one request holds of the budget, given back at its end. The first kilobytes are free: they
// are bounded by the number of connections, and small requests then share no cache line.
class Lease {
 public:
  static constexpr std::size_t free_bytes = 4096;

  explicit Lease(ByteBudget& budget) : budget_(&budget) {}
  Lease(Lease&& other) noexcept : budget_(other.budget_), taken_(std::exchange(other.taken_, 0)) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Lease() { budget_->give(taken_); }

  // Makes the lease cover so many bytes in all; false where the budget has not as much left.
  [[nodiscard]] bool cover(std::size_t bytes) {
    if (bytes <= free_bytes + taken_) return true;
    const std::size_t more = bytes - free_bytes - taken_;
    if (!budget_->take(more)) return false;
    taken_ += more;
    return true;
  }

 private:
  ByteBudget* budget_;
  std::size_t taken_ = 0;
};

}  // namespace tenken::http
