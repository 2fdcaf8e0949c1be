#include "feeds/feed.h"

#include <algorithm>

#include "base/text.h"

namespace tenken::feeds {
namespace {

// Wildcard matching with one point to return to: after a mismatch the latest wildcard takes one
// item more. That is enough, since what an earlier wildcard could still take, the latest can too.
template <typename Items, typename IsWildcard, typename Same>
bool matches(const Items& pattern, const Items& items, IsWildcard is_wildcard, Same same) {
  std::size_t p = 0;
  std::size_t i = 0;
  std::size_t after_wildcard = 0;  // 0: no wildcard met
  std::size_t resume = 0;
  while (i < items.size()) {
    if (p < pattern.size() && is_wildcard(pattern[p])) {
      after_wildcard = ++p;
      resume = i;
    } else if (p < pattern.size() && same(pattern[p], items[i])) {
      ++p;
      ++i;
    } else if (after_wildcard != 0) {
      p = after_wildcard;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && is_wildcard(pattern[p])) ++p;
  return p == pattern.size();
}

bool segment_matches(std::string_view pattern, std::string_view segment) {
  return matches(
      pattern, segment, [](char c) { return c == '*'; }, [](char a, char b) { return a == b; });
}

}  // namespace

const Feed* find_feed(std::string_view id) {
  const auto all = feeds();
  const auto found =
      std::ranges::lower_bound(all, id, {}, [](const Feed* feed) { return feed->id; });
  return found != all.end() && (*found)->id == id ? *found : nullptr;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  return matches(
      split(pattern, '/'), split(path, '/'), [](std::string_view s) { return s == "**"; },
      segment_matches);
}

}  // namespace tenken::feeds
