#include <gtest/gtest.h>

#include "base/archive.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "support/scratch.h"
#include "support/test_data.h"

namespace tenken {
namespace {

TEST(Json, walks_what_is_there_and_answers_missing_for_the_rest) {
  json::Parser parser;
  const auto root = parser.parse(R"({"a":[1,{"b":"x"},null,true,2.5],"c":{}})");
  ASSERT_TRUE(root.has_value()) << root.error().what;
  std::string types;
  (*root)["a"].for_each(
      [&](json::Value v) { types += std::to_string(static_cast<int>(v.type())); });
  EXPECT_EQ(types, "36123");
  std::vector<std::string> keys;
  root->for_each_member([&](std::string_view key, json::Value v) {
    keys.push_back(std::string(key) + std::to_string(v.size()));
  });
  EXPECT_EQ(keys, (std::vector<std::string>{"a5", "c0"}));
  EXPECT_FALSE((*root)["a"]["b"]["c"]);
  EXPECT_EQ((*root)["nothing"].string(), "");
}

TEST(Json, depth_and_syntax_are_errors) {
  json::Parser parser({.bytes = 1000, .depth = 8});
  EXPECT_EQ(parser.parse("[[[[[[[[[[[[1]]]]]]]]]]]]").error().code, Errc::limit);
  EXPECT_EQ(parser.parse(std::string(2000, ' ')).error().code, Errc::limit);
  EXPECT_EQ(parser.parse("{\"a\":").error().code, Errc::invalid);
  EXPECT_EQ(parser.parse("").error().code, Errc::invalid);
  EXPECT_TRUE(parser.parse(R"({"a":1,"a":2})").has_value());
  json::Parser strict({.unique_keys = true});
  EXPECT_EQ(strict.parse(R"([{"b":{"a":1,"c":2,"a":2}}])").error().code, Errc::invalid);
  EXPECT_TRUE(strict.parse(R"([{"a":1},{"a":{"a":2}}])").has_value());
  EXPECT_EQ(parser.parse("\"\xFF\"").error().code, Errc::invalid);
  EXPECT_TRUE(parser.parse("\xEF\xBB\xBF[]").has_value());
}

TEST(JsonWriter, one_line_stays_one_line) {
  json::Writer writer;
  writer.begin_object().member("k", "a\"\\\n\xE2\x80\xA8\xC2\x85\xFF\x01é").end_object();
  EXPECT_EQ(writer.text(), "{\"k\":\"a\\\"\\\\\\n\\u2028\\u0085\\ufffd\\u0001é\"}");
}

TEST(JsonWriter, escapes_wherever_in_a_text_they_are_needed) {
  const std::string plain = " !#[]~abcdefghijklmnop";
  for (const char special : {'"', '\\', '\x1f', '\x7f', '\xff'}) {
    for (std::size_t at = 0; at <= plain.size(); ++at) {
      std::string text = plain, whole, middle;
      text.insert(at, 1, special);
      json::append_string(whole, text);
      json::append_string(middle, std::string(1, special));
      EXPECT_EQ(whole, "\"" + plain.substr(0, at) + middle.substr(1, middle.size() - 2) +
                           plain.substr(at) + "\"");
    }
  }
}

TEST(JsonWriter, c1_controls_are_escaped) {
  json::Writer writer;
  writer.string(
      "a\xC2\x9B"
      "31m\xC2\xA0");
  EXPECT_EQ(writer.text(), "\"a\\u009b31m\xC2\xA0\"");
}

TEST(JsonWriter, indents_by_level) {
  json::Writer writer(2);
  writer.begin_object()
      .key("a")
      .begin_array()
      .integer(1)
      .integer(2)
      .end_array()
      .key("b")
      .begin_array()
      .end_array()
      .end_object();
  EXPECT_EQ(writer.text(), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": []\n}");
}

TEST(Time, reads_the_forms_feeds_use) {
  EXPECT_EQ(format_time(parse_time("2024-10-21T13:15:02.117").value()), "2024-10-21T13:15:02Z");
  EXPECT_EQ(format_time(parse_time("2024-10-21T13:15:02.123456Z").value()), "2024-10-21T13:15:02Z");
  EXPECT_EQ(format_time(parse_time("2024-10-21T13:15:02+0900").value()), "2024-10-21T04:15:02Z");
  EXPECT_EQ(format_time(parse_time("0001-01-01T00:00:00Z").value()), "0001-01-01T00:00:00Z");
  EXPECT_EQ(format_date(parse_time("2024-02-29").value()), "2024-02-29");
  for (const auto* bad : {"", "2023-02-29", "2024-13-01", "2024-10-21T25:00:00Z",
                          "2024-10-21T13:15:02.Z", "20241021"})
    EXPECT_FALSE(parse_time(bad)) << bad;
}

TEST(Text, hostile_text_is_made_printable) {
  EXPECT_EQ(printable("a\x1b[31mé\xC2\x9B\xFF"), "a\\x1b[31mé\\xc2\\x9b\\xff");
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "a\\xe2\\x80\\xaeb");
}

TEST(Text, percent_decoding_refuses_half_an_escape) {
  EXPECT_EQ(percent_decode("a%20b%2fc%2F+%C3%A9"), "a b/c/+\xC3\xA9");
  EXPECT_EQ(percent_decode(""), "");
  for (const auto* bad : {"%", "a%4", "%zz", "%4g", "%%41"})
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(Archive, hands_out_the_members_of_zip_and_tar) {
  NEED_TEST_DATA("feeds/osv/PyPI/all.zip");
  std::size_t members = 0;
  const auto count = [&](std::string_view, std::string_view bytes) -> Result<> {
    members += bytes.starts_with("{") ? 1 : 0;
    return {};
  };
  const auto json = [](std::string_view name) { return name.ends_with(".json"); };
  ASSERT_TRUE(for_each_member(test::data_path("feeds/osv/PyPI/all.zip"), {}, json, count));
  EXPECT_EQ(members, 2674u);
  members = 0;
  ASSERT_TRUE(for_each_member(test::data_path("feeds/kev/cisa-kev.tar.zst"), {}, json, count));
  EXPECT_GT(members, 1u);
  EXPECT_EQ(for_each_member("/nowhere.zip", {}, json, count).error().code, Errc::not_found);
  const ArchiveLimits tight{.member_bytes = 100};
  EXPECT_EQ(
      for_each_member(test::data_path("feeds/osv/PyPI/all.zip"), tight, json, count).error().code,
      Errc::limit);
}

TEST(File, a_failed_write_leaves_the_old_file_and_nothing_else) {
  const test::Scratch scratch;
  scratch.write("a", "old");
  const auto failed =
      write_file_atomic(scratch / "a", 0644, [](const WritePiece& write) -> Result<> {
        TRY_VOID(write("half"));
        return unavailable("disk full");
      });
  EXPECT_FALSE(failed.has_value());
  EXPECT_EQ(*read_file(scratch / "a", 100), "old");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    ++files;
  EXPECT_EQ(files, 1u);
}

// Such a file gives its text to the first read and nothing to a second.
TEST(File, a_setting_of_the_kernel_is_read_whole) {
  const auto text = read_file("/proc/sys/kernel/pid_max", 100);
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_GT(parse_uint(trim(*text)).value_or(0), 299u);  // no kernel allows fewer
}

TEST(File, a_device_is_written_not_replaced) {
  EXPECT_TRUE(write_file_atomic("/dev/null", "x").has_value());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace tenken
