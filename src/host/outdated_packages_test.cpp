#include "host/outdated_packages.h"

#include <gtest/gtest.h>

#include "inventory/temp_root.h"

namespace tenken::host {
namespace {

TEST(OutdatedPackages, AreAskedForOnceUntilSomethingIsInstalled) {
  const inventory::test::TempRoot root;
  const auto opened = inventory::Root::at(root.path()).value();
  constexpr std::string_view list = "var/lib/dpkg/info/libssl3:amd64.list";
  root.write(list, "/usr/lib/libssl.so.3\n");
  std::vector<OutdatedProgram> outdated{
      {.executable = "/usr/sbin/nginx", .file = "/usr/lib/libssl.so.3", .pid = 8},
      {.executable = "/usr/sbin/nginx", .file = "/usr/lib/libssl.so.3", .pid = 9},
      {.executable = "/usr/sbin/nginx", .file = "/usr/local/lib/own.so", .pid = 9}};
  OutdatedPackages packages;
  packages.name(opened, outdated);
  EXPECT_EQ(outdated[0].package, "libssl3");
  EXPECT_EQ(outdated[1].package, "libssl3");
  EXPECT_EQ(outdated[2].package, "");
  root.write(list, "");
  packages.name(opened, outdated);
  EXPECT_EQ(outdated[0].package, "libssl3");
  packages.forget();
  packages.name(opened, outdated);
  EXPECT_EQ(outdated[0].package, "");
}

}  // namespace
}  // namespace tenken::host
