#include "http/url.h"

#include <gtest/gtest.h>

#include "http/server.h"

namespace tenken::http {
namespace {

TEST(Url, path_segments_are_decoded_after_they_are_parted) {
  EXPECT_EQ(*path_segments("/tags/arn%3Aaws%2Fx"), (std::vector<std::string>{"tags", "arn:aws/x"}));
  EXPECT_EQ(*path_segments("/"), (std::vector<std::string>{""}));
  EXPECT_EQ(*path_segments("/a//b/"), (std::vector<std::string>{"a", "", "b", ""}));
  for (const auto* bad : {"", "*", "a/b", "/%", "/%4", "/%zz", "/%00", "/%ff"})
    EXPECT_EQ(path_segments(bad).error().code, Errc::invalid) << bad;
}

TEST(Url, a_path_with_another_form_is_told) {
  for (const auto* path :
       {"/a/./b", "/a/../b", "/..", "/a/.", "/a/%2e/b", "/a/%2E%2e", "/a/.%2E/b", "//a", "/a//b"})
    EXPECT_TRUE(has_dot_or_empty_segment(path)) << path;
  for (const auto* path :
       {"/", "/a/b", "/a/", "/a/.b", "/a/...", "/a/%2e%2e%2fb", "/a/%", "/a/%252e", "*", ""})
    EXPECT_FALSE(has_dot_or_empty_segment(path)) << path;
}

TEST(Url, a_query_keeps_order_repetition_and_plus) {
  EXPECT_EQ(*parse_query("b=2&a=1&b=&c&&=x&d=e=f%20+"),
            (std::vector<Parameter>{
                {"b", "2"}, {"a", "1"}, {"b", ""}, {"c", ""}, {"", "x"}, {"d", "e=f +"}}));
  EXPECT_TRUE(parse_query("")->empty());
  for (const auto* bad : {"a=%", "%4=a", "a=%80", "a=%00"})
    EXPECT_EQ(parse_query(bad).error().code, Errc::invalid) << bad;
}

TEST(Url, a_plus_in_a_form_is_a_blank) {
  EXPECT_EQ(*parse_form("Action=Get+It&x=%2B"),
            (std::vector<Parameter>{{"Action", "Get It"}, {"x", "+"}}));
}

TEST(Url, a_target_has_a_path_and_a_query) {
  const Request request{.target = "/a%2F?b?c"};
  EXPECT_EQ(request.path(), "/a%2F");
  EXPECT_EQ(request.query(), "b?c");
  EXPECT_EQ(Request{.target = "/"}.query(), "");
}

}  // namespace
}  // namespace tenken::http
