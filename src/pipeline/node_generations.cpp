#include "pipeline/node_generations.h"

#include <algorithm>
#include <charconv>
#include <compare>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "store/settings.h"

namespace tenken::pipeline {
namespace {

// Rows of the table `setting`: this and the node's name; the value holds the members of Noted in
// their order, between blanks.
constexpr std::string_view prefix = "generation of ";
constexpr std::string_view behind_prefix = "generation of!";

struct Age {
  Seconds newest_record = 0;
  Seconds newest_of_feeds = 0;
  Seconds fetched = 0;
  std::string generation;
  friend auto operator<=>(const Age&, const Age&) = default;
};

Age age_of(const advisories::Database& database) {
  const auto& meta = database.meta();
  Age out{.newest_record = meta.newest_record, .generation = database.generation()};
  for (const auto& feed : meta.feeds) {
    out.newest_of_feeds = std::max(out.newest_of_feeds, feed.newest);
    out.fetched = std::max(out.fetched, feed.fetched);
  }
  return out;
}

Seconds number(std::string_view text) {
  Seconds out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

struct Noted {
  Seconds seen = 0;
  Age age;
};

std::string to_text(const Noted& noted) {
  const auto& age = noted.age;
  return fmt::format("{} {} {} {} {}", noted.seen, age.newest_record, age.newest_of_feeds,
                     age.fetched, age.generation);
}

Noted from_text(std::string_view text) {
  const auto words = split(text, ' ');
  if (words.size() != 5) return {};
  return {.seen = number(words[0]),
          .age = {.newest_record = number(words[1]),
                  .newest_of_feeds = number(words[2]),
                  .fetched = number(words[3]),
                  .generation = std::string(words[4])}};
}

// What the other nodes noted, by the names of the rows.
Result<std::vector<std::pair<std::string, Noted>>> noted_by_others(sql::Connection& connection,
                                                                   std::string_view own_row) {
  TRY(auto rows, connection.query("SELECT name, value FROM setting WHERE name > ?1 AND name < ?2 "
                                  "AND name <> ?3",
                                  prefix, behind_prefix, own_row));
  std::vector<std::pair<std::string, Noted>> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.emplace_back(row->string(0), from_text(row->text(1)));
  }
}

}  // namespace

Result<std::string> generation_to_use(sql::Connection& connection, std::string_view node,
                                      const advisories::Database& own, Seconds now) {
  auto best = age_of(own);
  // One node at a time holds a SQLite store.
  if (connection.engine() == sql::Engine::sqlite) return best.generation;
  const auto name = fmt::format("{}{}", prefix, node);
  TRY_VOID(store::put_setting(connection, name, to_text({.seen = now, .age = best})));
  TRY(auto others, noted_by_others(connection, name));
  for (auto& [row, noted] : others) {
    if (noted.seen < now - node_gone_after) {
      TRY_VOID(connection.run("DELETE FROM setting WHERE name = ?1", row));
    } else {
      best = std::max(best, std::move(noted.age));
    }
  }
  return best.generation;
}

}  // namespace tenken::pipeline
