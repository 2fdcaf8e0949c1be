// What the install script that a server hands out has in it.
#include "api/agents/install_script.h"

#include <gtest/gtest.h>

#include "api/agents/agents_fixture.h"

namespace tenken::api::agents {
namespace {

TEST(ServerUrls, have_one_form_and_nothing_that_a_shell_reads) {
  EXPECT_EQ(server_url("tenken.example:8443").value(), "https://tenken.example:8443");
  EXPECT_EQ(server_url("Tenken.Example:0443").value(), "https://tenken.example");
  EXPECT_EQ(server_url("192.0.2.7").value(), "https://192.0.2.7");
  EXPECT_EQ(server_url("[2001:db8::7]:8443").value(), "https://[2001:db8::7]:8443");
  EXPECT_EQ(server_url("[2001:DB8::7]").value(), "https://[2001:db8::7]");
  for (const auto* text : {"", ":8443", "a:", "a:0", "a:65536", "a:b", "a b", "a'b", "a\"", "$(id)",
                           "a\nb", "a/b", "user@a", "2001:db8::7", "[]", "[a:", "a_b"})
    EXPECT_FALSE(server_url(text)) << text;
  EXPECT_FALSE(server_url(std::string(256, 'a')));
}

TEST(ServerUrls, are_those_that_the_certificate_holds) {
  const std::vector<std::string> names{"tenken.example", "*.Fleet.example", "2001:db8::7"};
  for (const auto* url : {"https://tenken.example", "https://tenken.example:1",
                          "https://a.fleet.example", "https://[2001:db8::7]:8443"})
    EXPECT_TRUE(is_named(url, names)) << url;
  for (const auto* url : {"https://a.tenken.example", "https://fleet.example", "https://example",
                          "https://a.b.fleet.example", "https://.fleet.example", "", "https://"})
    EXPECT_FALSE(is_named(url, names)) << url;
}

TEST_F(AgentsTest, TheScriptKnowsTheServerThatItCameFrom) {
  const auto script_for = [&](std::string_view host) {
    http::Request request{.method = "GET", .target = "/agent/install", .id = "r"};
    request.headers.all.emplace_back("Host", host);
    return door_->answer(request).body;
  };
  EXPECT_EQ(script_for("Tenken.example:8443"),
            install_script("https://tenken.example:8443", authority_.certificate));
  EXPECT_TRUE(script_for("tenken.example").contains("\ndefault_server='https://tenken.example'\n"));
  // What a stranger says is not handed to others.
  for (const auto* host : {"evil.example", "tenken.example.evil.example", "x'; reboot; '", ""})
    EXPECT_EQ(script_for(host), install_script("", authority_.certificate)) << host;
}

}  // namespace
}  // namespace tenken::api::agents
