#include "base/progress.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "base/width.h"

namespace tenken {
namespace {

constexpr auto redraw_every = std::chrono::milliseconds(100);
constexpr double settle_seconds = 0.5;  // before this a rate says nothing

std::string format_amount(std::uint64_t amount, std::string_view unit) {
  return unit.empty() ? format_bytes(amount) : fmt::format("{} {}", amount, unit);
}

std::string format_left(std::uint64_t seconds) {
  if (seconds < 3600) return fmt::format("ETA {}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("ETA {}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

bool can_show(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::size_t columns_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void write_text(int fd, std::string_view text) {
  // A progress line that cannot be written is not worth a failure.
  [[maybe_unused]] const auto ignored = ::write(fd, text.data(), text.size());
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array units{"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < units.size(); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string progress_line(const ProgressState& state, std::size_t columns) {
  const auto moved = state.done - std::min(state.done_before, state.done);
  const double rate =
      state.seconds < settle_seconds ? 0 : static_cast<double>(moved) / state.seconds;
  auto amount = format_amount(state.done, state.unit);
  std::string share;
  std::string left;
  if (state.total > 0) {
    const auto done = std::min(state.done, state.total);
    amount = state.unit.empty()
                 ? fmt::format("{} / {}", format_bytes(state.done), format_bytes(state.total))
                 : fmt::format("{} / {} {}", state.done, state.total, state.unit);
    share = fmt::format("{} %", static_cast<unsigned>(100.0 * static_cast<double>(done) /
                                                      static_cast<double>(state.total)));
    if (rate >= 1)
      left = format_left(
          static_cast<std::uint64_t>(static_cast<double>(state.total - done) / rate + 0.5));
  }
  const auto speed =
      rate >= 1 ? format_amount(static_cast<std::uint64_t>(rate), state.unit) + "/s" : "";
  // What of the figures fits; fewer and fewer until they leave room for a few letters of label.
  constexpr std::size_t least_label = 8;
  for (const auto& parts :
       {std::vector{amount, share, speed, left}, std::vector{amount, share, left},
        std::vector{share.empty() ? amount : share}, std::vector<std::string>{}}) {
    std::string figures;
    for (const auto& part : parts) {
      if (!part.empty()) figures += "  " + part;
    }
    if (display_width(figures) + least_label > columns && !parts.empty()) continue;
    return fit_width(state.label, columns - std::min(columns, display_width(figures))) + figures;
  }
  return {};
}

Progress::Progress(int fd) : fd_(fd), shown_(can_show(fd)) {}

void Progress::begin(std::string_view label, std::uint64_t total, std::string_view unit,
                     std::uint64_t done) {
  if (!shown_) return;
  label_ = printable(label);
  unit_ = unit;
  total_ = total;
  done_before_ = done;
  done_ = done;
  started_ = Clock::now();
  draw(started_);
}

void Progress::advance(std::uint64_t more) {
  if (!shown_) return;
  done_ += more;
  const auto now = Clock::now();
  const std::unique_lock lock(drawing_, std::try_to_lock);
  if (lock && now.time_since_epoch().count() >= next_draw_ns_) draw(now);
}

void Progress::end() {
  if (!drawn_) return;
  write_text(fd_, "\r\x1b[K");
  drawn_ = false;
}

void Progress::draw(Clock::time_point now) {
  const auto columns = columns_of(fd_);
  const ProgressState state{.label = label_,
                            .unit = unit_,
                            .done = done_,
                            .done_before = done_before_,
                            .total = total_,
                            .seconds = std::chrono::duration<double>(now - started_).count()};
  // The last column stays free: terminals wrap when it is written.
  write_text(fd_, fmt::format("\r{}\x1b[K", progress_line(state, columns > 1 ? columns - 1 : 1)));
  next_draw_ns_ = (now + redraw_every).time_since_epoch().count();
  drawn_ = true;
}

}  // namespace tenken
