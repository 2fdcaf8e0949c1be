// The prepared statements of one connection, by their text. Bounded: the one that was not used for
// the longest time goes first.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tenken::sql {

template <typename Statement>
class StatementCache {
 public:
  explicit StatementCache(std::size_t limit) : limit_(limit) {}

  // Stays where it is until another one is put.
  Statement* find(std::string_view text) {
    const auto found = by_text_.find(text);
    if (found == by_text_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  // Returns the statement that had to make room.
  std::optional<Statement> put(std::string_view text, Statement statement) {
    std::optional<Statement> gone;
    if (entries_.size() >= limit_) {
      by_text_.erase(entries_.back().first);
      gone = std::move(entries_.back().second);
      entries_.pop_back();
    }
    entries_.emplace_front(std::string(text), std::move(statement));
    by_text_.emplace(entries_.front().first, entries_.begin());
    return gone;
  }

  std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Statement>>;
  std::size_t limit_;
  Entries entries_;  // the one used last is in front
  std::unordered_map<std::string_view, typename Entries::iterator> by_text_;
};

}  // namespace tenken::sql
