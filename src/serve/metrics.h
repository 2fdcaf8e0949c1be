// Metrics: what the server counts, as Prometheus text (exposition format 0.0.4).
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace tenken::serve {

// Writes families of samples, in the order in which they are given.
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  // type: "counter", "gauge", "histogram".
  void family(std::string_view name, std::string_view type, std::string_view help);
  // Of the family named last; suffix: "_bucket", "_sum", "_count" of a histogram.
  void sample(double value, Labels labels = {}, std::string_view suffix = {});
  std::string take() { return std::move(out_); }

 private:
  std::string name_;
  std::string out_;
};

// Finished requests by operation and status, and how long they took.
class RequestMetrics {
 public:
  // An empty operation: the request named none, or was refused before.
  void add(std::string_view operation, int status, std::int64_t micros);
  void write(Exposition& out) const;

 private:
  // Upper bounds in microseconds; beyond: +Inf.
  static constexpr std::array<std::int64_t, 10> bounds{
      500, 1'000, 5'000, 10'000, 50'000, 100'000, 500'000, 1'000'000, 5'000'000, 10'000'000};
  struct Latency {
    std::array<std::uint64_t, bounds.size() + 1> in_bucket{};
    std::uint64_t count = 0;
    std::int64_t micros = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> answered_;
  std::map<std::string, Latency> latency_;
};

// Memory, processor time and file descriptors of this process.
void write_process_metrics(Exposition& out);

}  // namespace tenken::serve
