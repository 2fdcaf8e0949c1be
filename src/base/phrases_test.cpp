#include "base/phrases.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"

namespace tenken {
namespace {

// "2:>8" for each {…}, sorted; "bad" stands for one that cannot be read.
std::vector<std::string> placeholders(std::string_view text) {
  std::vector<std::string> out;
  std::size_t next = 0;
  for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const auto close = text.find('}', at);
    if (close == std::string_view::npos) return {"bad"};
    const auto [index, specification] = split_once(text.substr(at + 1, close - at - 1), ':');
    const auto number = index.empty() ? std::to_string(next++) : std::string(index);
    out.push_back(number + ":" + std::string(specification.value_or("")));
  }
  std::ranges::sort(out);
  return out;
}

std::vector<Phrase> all() {
  std::vector<Phrase> out(command_phrases().begin(), command_phrases().end());
  out.insert(out.end(), reason_phrases().begin(), reason_phrases().end());
  return out;
}

TEST(Phrases, both_languages_use_the_same_placeholders) {
  for (const auto& row : all()) EXPECT_EQ(placeholders(row.en), placeholders(row.ja)) << row.en;
}

// Positions are all stated or all counted: fmt takes no mixture.
TEST(Phrases, a_japanese_text_does_not_mix_kinds_of_placeholders) {
  for (const auto& row : all())
    EXPECT_FALSE(row.ja.contains("{}") && row.ja.contains("{0")) << row.ja;
}

TEST(Phrases, no_english_text_has_two_rows) {
  std::set<std::string_view> seen;
  for (const auto& row : all()) EXPECT_TRUE(seen.insert(row.en).second) << row.en;
}

// A reason is found by what its row states: a row of arguments alone would take any text.
TEST(Phrases, every_reason_states_something) {
  for (const auto& row : reason_phrases())
    EXPECT_GE(std::ranges::count_if(row.en, is_alpha), 2) << row.en;
}

TEST(Phrases, every_reason_is_found_again_when_its_arguments_are_put_in) {
  for (const auto& row : reason_phrases()) {
    std::string english;
    for (const char c : row.en) english += c;
    for (auto at = english.find('{'); at != std::string::npos; at = english.find('{'))
      english.replace(at, english.find('}', at) - at + 1, "7");
    EXPECT_NE(in_language(Lang::ja, english), english);
    EXPECT_EQ(in_language(Lang::en, english), english);
  }
}

TEST(Phrases, a_composed_reason_is_taken_apart_from_the_outside) {
  EXPECT_EQ(in_language(Lang::ja, "var/lib/dpkg/status: line 5: no version"),
            "var/lib/dpkg/status: 5 行目: バージョンがありません");
  EXPECT_EQ(in_language(Lang::ja, "a/b.json: more than 500 bytes"),
            "a/b.json: 500 バイトを超えています");
  EXPECT_EQ(in_language(Lang::ja, "purl 'pkg:x': a purl needs a type and a name"),
            "purl「pkg:x」: purl には種類と名前が必要です");
  EXPECT_EQ(in_language(Lang::ja, "introduced 0, fixed 1.2; 4 listed versions"),
            "0 で混入、1.2 で修正; 列挙されたバージョン 4 件");
}

TEST(Phrases, what_no_row_knows_stays_as_it_is) {
  EXPECT_EQ(in_language(Lang::ja, "Postponed: a minor issue"), "Postponed: a minor issue");
  EXPECT_EQ(in_language(Lang::ja, ": ; :: "), ": ; :: ");
  EXPECT_EQ(in_language(Lang::ja, ""), "");
  const std::string colons(100'000, ':');
  EXPECT_EQ(in_language(Lang::ja, colons), colons);
}

TEST(Phrases, arguments_go_where_the_language_wants_them) {
  EXPECT_EQ(tell(Lang::en, "{}: {} of {}", "a", 1, 2), "a: 1 of 2");
  EXPECT_EQ(tell(Lang::en, "  {:<16} {:>8} records", "osv", 7),
            "  osv                     7 records");
  EXPECT_EQ(tell(Lang::ja, "  {:<16} {:>8} records", "osv", 7), "  osv                     7 記録");
  EXPECT_EQ(phrase(Lang::ja, "no such row"), "no such row");
}

}  // namespace
}  // namespace tenken
