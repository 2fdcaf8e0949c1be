#include "fetch/delta.h"

#include <algorithm>

#include "base/text.h"

namespace tenken::fetch {
namespace {

struct Row {
  std::string_view id;
  std::string_view time;
  auto operator<=>(const Row&) const = default;
};

struct Index {
  std::vector<Row> rows;  // sorted
  std::size_t unreadable = 0;
  std::optional<Seconds> newest;
};

Index read_index(std::string_view text) {
  Index index;
  for_each_line(text, [&](std::string_view line) {
    if (trim(line).empty()) return;
    const auto [time_text, id] = split_once(line, ',');
    const auto time = parse_time(time_text);
    if (!time || !id || id->empty()) {
      ++index.unreadable;
      return;
    }
    index.newest = std::max(index.newest, time);
    index.rows.push_back({.id = *id, .time = time_text});
  });
  std::ranges::sort(index.rows);
  return index;
}

}  // namespace

IndexDelta compare_indexes(std::string_view old_text, std::string_view fresh_text) {
  const auto old = read_index(old_text);
  const auto fresh = read_index(fresh_text);
  IndexDelta delta{.unreadable = fresh.unreadable, .newest = fresh.newest};
  auto before = old.rows.begin();
  for (const auto& row : fresh.rows) {
    for (; before != old.rows.end() && before->id < row.id; ++before) ++delta.removed;
    const bool known = before != old.rows.end() && *before == row;
    if (!known && (delta.changed.empty() || delta.changed.back() != row.id))
      delta.changed.push_back(row.id);
    if (before != old.rows.end() && before->id == row.id) ++before;
  }
  delta.removed += static_cast<std::size_t>(old.rows.end() - before);
  return delta;
}

}  // namespace tenken::fetch
