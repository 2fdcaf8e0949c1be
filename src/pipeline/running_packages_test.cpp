#include "pipeline/running_packages.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace tenken::pipeline {
namespace {

TEST(RunningPackages, are_brought_together_by_name) {
  HostFacts facts;
  facts.outdated = {{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 9, "libssl3"},
                    {"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"},
                    {"/usr/sbin/sshd", "/usr/lib/libcrypto.so.3", 1, "libssl3"},
                    {"/usr/sbin/sshd", "/usr/local/lib/x.so", 1, ""},
                    {"/usr/sbin/cron", "/usr/sbin/cron", 2, "cron"}};
  const auto packages = running_packages(facts);
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0].name, "cron");
  EXPECT_EQ(packages[1].name, "libssl3");
  EXPECT_EQ(packages[1].files, "/usr/lib/libcrypto.so.3\n/usr/lib/libssl.so.3");
  EXPECT_EQ(packages[1].processes, R"([{"executable":"/usr/sbin/nginx","pids":[8,9]},)"
                                   R"({"executable":"/usr/sbin/sshd","pids":[1]}])");
}

TEST(RunningPackages, are_bounded) {
  HostFacts facts;
  for (std::uint32_t i = 0; i < 200; ++i) {
    facts.outdated.push_back({"/a", fmt::format("/lib/{}", i), i, "p"});
    facts.outdated.push_back({fmt::format("/b{}", i), "/lib/0", 1, "p"});
  }
  const auto packages = running_packages(facts);
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(std::ranges::count(packages[0].files, '\n'), 9);
  json::Parser parser;
  const auto programs = parser.parse(packages[0].processes).value();
  EXPECT_EQ(programs.size(), 50U);
  programs.for_each([](const json::Value& program) {
    const bool first = program["executable"].string() == "/a";
    EXPECT_EQ(program["pids"].size(), first ? 100U : 1U);
  });
}

}  // namespace
}  // namespace tenken::pipeline
