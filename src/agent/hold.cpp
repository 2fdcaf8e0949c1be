#include "agent/hold.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace tenken::agent {
namespace {

constexpr Seconds shortest = 3'600;
constexpr Seconds longest = 86'400;
constexpr std::uint64_t most_seconds = std::uint64_t{1} << 40U;
constexpr std::size_t longest_file = 4096;
constexpr unsigned file_mode = 0600;

}  // namespace

// "FROM LASTS BYTES WHY"
Hold::Hold(const State& state) : path_(state.path("held")) {
  const auto text = read_file(path_, longest_file);
  if (!text) return;
  const auto [from, rest] = split_once(trim(*text), ' ');
  const auto [lasts, refused] = split_once(rest.value_or(""), ' ');
  const auto [bytes, why] = split_once(refused.value_or(""), ' ');
  const auto begun = parse_uint(from);
  const auto length = parse_uint(lasts);
  const auto size = parse_uint(bytes);
  if (!begun || !length || !size || !why || *begun > most_seconds || *length > longest) return;
  from_ = static_cast<Seconds>(*begun);
  lasts_ = static_cast<Seconds>(*length);
  bytes_ = *size;
  why_ = *why;
}

bool Hold::on() const {
  const auto passed = now() - from_;
  // A clock that was set back ends it.
  return !why_.empty() && !lifted_ && passed >= 0 && passed < lasts_;
}

void Hold::begin(std::string why, std::size_t bytes) {
  why_ = std::move(why);
  bytes_ = bytes;
  lifted_ = false;
  from_ = now();
  lasts_ = std::clamp(lasts_ * 2, shortest, longest);
  const auto text = fmt::format("{} {} {} {}\n", from_, lasts_, bytes_, why_);
  std::ignore = write_file_atomic(path_, text, file_mode);
}

void Hold::end() {
  if (why_.empty()) return;
  why_.clear();
  lasts_ = 0;
  ::unlink(path_.c_str());
}

}  // namespace tenken::agent
