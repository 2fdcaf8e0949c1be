#include "base/messages.h"

#include <set>

#include <gtest/gtest.h>

#include "base/text.h"
#include "base/width.h"

namespace tenken {
namespace {

// The indexes of the arguments a text uses; -1 stands for a placeholder that cannot be read.
std::set<int> arguments_of(std::string_view text) {
  std::set<int> found;
  for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const auto close = text.find('}', at);
    if (close == std::string_view::npos) return {-1};
    const auto parts = split(text.substr(at + 1, close - at - 1), '|');
    const auto index = parse_uint(parts[0]);
    found.insert(index && (parts.size() == 1 || parts.size() == 3) ? static_cast<int>(*index) : -1);
  }
  return found;
}

TEST(Messages, every_message_has_both_languages_and_the_same_arguments) {
  for (const MessageText& row : messages()) {
    EXPECT_FALSE(row.en.empty());
    EXPECT_FALSE(row.ja.empty()) << row.en;
    const auto arguments = arguments_of(row.en);
    EXPECT_EQ(arguments, arguments_of(row.ja)) << row.en;
    int expected = 0;
    for (const int index : arguments) EXPECT_EQ(index, expected++) << row.en;
  }
}

TEST(Messages, arguments_go_where_the_language_wants_them) {
  EXPECT_EQ(say(Lang::en, Message::total_findings, 1, 2), "1 finding in 2 packages");
  EXPECT_EQ(say(Lang::en, Message::total_findings, 39, 1), "39 findings in 1 package");
  EXPECT_EQ(say(Lang::en, Message::status_newest_record, "2026-01-01T00:00:00Z", 1),
            "newest record 2026-01-01T00:00:00Z, 1 day ago");
  EXPECT_TRUE(say(Lang::en, Message::restore_ended_keys, 1).contains("its 1 access key is ended;"));
  EXPECT_TRUE(say(Lang::en, Message::restore_ended_keys, 2).contains("2 access keys are ended;"));
  EXPECT_EQ(say(Lang::ja, Message::total_findings, 39, 12), "12 個のパッケージに 39 件の検出");
  EXPECT_EQ(say(Lang::en, Message::unknown_vendor, "PGDG {0}", std::string("AlmaLinux")),
            "built by \"PGDG {0}\", not by AlmaLinux: the distribution's advisories do not apply");
}

TEST(Messages, a_language_is_known_by_its_name_or_its_locale) {
  EXPECT_EQ(parse_lang("ja"), Lang::ja);
  EXPECT_EQ(parse_lang("ja_JP.UTF-8"), Lang::ja);
  EXPECT_EQ(parse_lang("C.UTF-8"), Lang::en);
  EXPECT_EQ(parse_lang("jazz"), std::nullopt);
}

TEST(Width, japanese_takes_two_columns_and_combining_marks_none) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("深刻度"), 6u);
  EXPECT_EQ(display_width("ｶﾅ"), 2u);
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);
  EXPECT_EQ(display_width("\xFF"), 1u);
}

TEST(Width, a_text_is_cut_between_characters_and_says_so) {
  EXPECT_EQ(fit_width("abcdef", 6), "abcdef");
  EXPECT_EQ(fit_width("abcdefg", 6), "abcde…");
  EXPECT_EQ(fit_width("緊急の対応", 6), "緊急…");
  EXPECT_EQ(fit_width("abcd efg", 6), "abcd…");
  EXPECT_EQ(fit_width("abc", 0), "");
  EXPECT_EQ(pad_width("重要", 6) + "|", "重要  |");
}

}  // namespace
}  // namespace tenken
