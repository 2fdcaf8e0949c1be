// Progress: one line on a terminal that says what is being done, how fast, and what is left. Where
// the output is no terminal nothing is written, ever.
//
// Thread rule: advance() may be called from any thread; begin() and end() by the one that owns the
// object, while no other advances it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace tenken {

class Progress {
 public:
  // Standard error, as a rule. Shown only on a terminal that can move its cursor.
  explicit Progress(int fd = 2);
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A new thing begins. total 0: not known. unit: the plural noun of what is counted, empty for
  // bytes. Of the total, `done` were there before and count for no rate.
  void begin(std::string_view label, std::uint64_t total, std::string_view unit = {},
             std::uint64_t done = 0);
  void advance(std::uint64_t more);
  void end();  // wipes the line

 private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now);

  int fd_;
  bool shown_;
  std::string label_;
  std::string unit_;
  std::uint64_t total_ = 0;
  std::uint64_t done_before_ = 0;
  Clock::time_point started_{};
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::int64_t> next_draw_ns_ = 0;
  std::mutex drawing_;
  bool drawn_ = false;
};

// The line itself, at most `columns` wide and without words, so that it needs no translation:
// "osv PyPI/all.zip  1.2 MB / 2.4 MB  50 %  3.4 MB/s  ETA 0:01". What does not fit goes in this
// order: the rate, the amounts, the end of the label.
struct ProgressState {
  std::string_view label;
  std::string_view unit;  // empty: bytes
  std::uint64_t done = 0;
  std::uint64_t done_before = 0;
  std::uint64_t total = 0;  // 0: not known
  double seconds = 0;
};
std::string progress_line(const ProgressState& state, std::size_t columns);

// "512 B", "1.2 MB": powers of 1000, as networks and disks are measured.
std::string format_bytes(std::uint64_t bytes);

}  // namespace tenken
