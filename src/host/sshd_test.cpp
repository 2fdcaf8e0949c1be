#include "host/sshd.h"

#include <gtest/gtest.h>

#include "inventory/temp_root.h"

namespace tenken::host {
namespace {

using inventory::Root;
using inventory::test::TempRoot;
using Settings = std::vector<Setting>;

Found<Setting> settings(const TempRoot& root) {
  return sshd_settings(*Root::at(root.path()));
}

Settings of_text(std::string_view text) {
  const TempRoot root;
  root.write("etc/ssh/sshd_config", text);
  return settings(root).items;
}

TEST(HostSshd, the_first_value_counts) {
  EXPECT_EQ(of_text("PermitRootLogin no\nPERMITROOTLOGIN yes\n"),
            (Settings{{"permitrootlogin", "no"}}));
}

TEST(HostSshd, lists_grow_in_their_order) {
  EXPECT_EQ(of_text("Port 2222\nPort 22\nAllowUsers b a\nAllowUsers c\n"),
            (Settings{{"allowusers", "b a c"}, {"port", "2222 22"}}));
}

TEST(HostSshd, aliases_are_the_keyword_they_stand_for) {
  EXPECT_EQ(of_text("ChallengeResponseAuthentication no\nKbdInteractiveAuthentication yes\n"),
            (Settings{{"kbdinteractiveauthentication", "no"}}));
}

TEST(HostSshd, a_line_has_quotes_an_equals_sign_and_a_comment) {
  const auto line = [](std::string_view text) { return parse_sshd_line(text)->arguments; };
  using Words = std::vector<std::string>;
  EXPECT_EQ(line("Banner=/etc/issue"), Words{"/etc/issue"});
  EXPECT_EQ(line("  Banner = \"/etc/my issue\" # said first\r"), Words{"/etc/my issue"});
  EXPECT_EQ(line("Subsystem sftp internal-sftp -f 'A B'"),
            (Words{"sftp", "internal-sftp", "-f", "A B"}));
  EXPECT_EQ(line(R"(Banner a\ b\"c#d)"), Words{"a b\"c#d"});
  EXPECT_TRUE(parse_sshd_line("# Port 22")->keyword.empty());
  EXPECT_TRUE(parse_sshd_line(" \t")->keyword.empty());
  EXPECT_FALSE(parse_sshd_line("Banner \"a"));
  EXPECT_FALSE(parse_sshd_line("= a"));
}

TEST(HostSshd, includes_stand_where_they_are_named) {
  const TempRoot root;
  root.write("etc/ssh/sshd_config",
             "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nInclude more\n");
  root.write("etc/ssh/sshd_config.d/50-b.conf", "PermitRootLogin no\nMaxSessions 2\n");
  root.write("etc/ssh/sshd_config.d/10-a.conf", "MaxSessions 1\n");
  root.write("etc/ssh/sshd_config.d/.hidden.conf", "MaxSessions 3\n");
  root.write("etc/ssh/sshd_config.d/note.txt", "MaxSessions 4\n");
  root.write("etc/ssh/more", "UseDNS no\n");
  const auto found = settings(root);
  EXPECT_EQ(found.items,
            (Settings{{"maxsessions", "1"}, {"permitrootlogin", "no"}, {"usedns", "no"}}));
  EXPECT_TRUE(found.skips.empty());
}

TEST(HostSshd, match_blocks_are_left_out_up_to_the_end_of_their_file) {
  const TempRoot root;
  root.write("etc/ssh/sshd_config",
             "Include sub\nPort 22\nMatch User git\nX11Forwarding yes\nInclude other\n"
             "Match all\nUseDNS no\n");
  root.write("etc/ssh/sub", "Match Address 10.0.0.0/8\nPermitRootLogin yes\n");
  root.write("etc/ssh/other", "PermitRootLogin yes\n");
  const auto found = settings(root);
  EXPECT_EQ(found.items, (Settings{{"port", "22"}, {"usedns", "no"}}));
  ASSERT_EQ(found.skips.size(), 1U);
  EXPECT_EQ(found.skips[0].record, "Match");
}

TEST(HostSshd, a_file_that_includes_itself_ends) {
  const TempRoot root;
  root.write("etc/ssh/sshd_config", "Port 22\nInclude sshd_config sshd_config\n");
  const auto found = settings(root);
  ASSERT_EQ(found.items.size(), 1U);
  EXPECT_LE(found.skips.size(), 100U);
  EXPECT_GE(found.skips.size(), 1U);
}

TEST(HostSshd, what_cannot_be_read_is_a_skip) {
  const TempRoot root;
  root.write("etc/ssh/sshd_config", "Banner \"a\nMaxSessions\nInclude /etc/*/x\nInclude gone\n");
  const auto found = settings(root);
  EXPECT_TRUE(found.items.empty());
  ASSERT_EQ(found.skips.size(), 3U);
  EXPECT_EQ(found.skips[0].record, "line 1");
  EXPECT_EQ(found.skips[1].record, "line 2");
}

TEST(HostSshd, without_a_file_of_the_administrator_that_of_the_distribution_counts) {
  const TempRoot root;
  EXPECT_TRUE(settings(root).items.empty());
  root.write("usr/etc/ssh/sshd_config", "UsePAM yes\n");
  EXPECT_EQ(settings(root).items, (Settings{{"usepam", "yes"}}));
  root.write("etc/ssh/sshd_config", "UsePAM no\n");
  EXPECT_EQ(settings(root).items, (Settings{{"usepam", "no"}}));
}

TEST(HostSshd, patterns_are_those_of_glob) {
  EXPECT_TRUE(matches_pattern("a.conf", "*.conf"));
  EXPECT_FALSE(matches_pattern(".a.conf", "*.conf"));
  EXPECT_TRUE(matches_pattern(".a", ".?"));
  EXPECT_TRUE(matches_pattern("10-x", "[0-9][!a-z]-x"));
  EXPECT_FALSE(matches_pattern("1a-x", "[0-9][!a-z]-x"));
  EXPECT_TRUE(matches_pattern("a]", "a[]]"));
  EXPECT_TRUE(matches_pattern("[", "["));
  EXPECT_FALSE(matches_pattern("", "?"));
  EXPECT_TRUE(matches_pattern("", "**"));
  EXPECT_TRUE(matches_pattern("abcabc", "*abc"));
  EXPECT_FALSE(matches_pattern(std::string(1000, 'a'), "*a*a*a*a*a*a*a*a*a*b"));
}

}  // namespace
}  // namespace tenken::host
