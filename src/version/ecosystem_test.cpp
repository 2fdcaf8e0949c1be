#include "version/ecosystem.h"

#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "support/test_data.h"

namespace tenken::version {
namespace {

TEST(Ecosystem, IsFoundByItsNameWithoutRelease) {
  ASSERT_NE(find_ecosystem("Debian"), nullptr);
  EXPECT_EQ(find_ecosystem("Debian")->scheme, find_scheme("dpkg"));
  EXPECT_EQ(find_ecosystem("npm")->scheme, find_scheme("semver"));
  EXPECT_EQ(find_ecosystem("Debian:12"), nullptr);
  EXPECT_EQ(find_ecosystem("debian"), nullptr);
  EXPECT_EQ(find_ecosystem(""), nullptr);
}

TEST(Ecosystem, IsAmongThoseThatAreListed) {
  EXPECT_GT(ecosystems().size(), 50U);
  for (const auto& one : ecosystems()) EXPECT_EQ(find_ecosystem(one.name), &one);
}

TEST(Ecosystem, HasNoSchemeWhereUpstreamDefinesNoOrder) {
  for (const auto* name : {"GIT", "OSS-Fuzz", "Android", "Root"}) {
    ASSERT_NE(find_ecosystem(name), nullptr) << name;
    EXPECT_EQ(find_ecosystem(name)->scheme, nullptr) << name;
  }
}

TEST(Ecosystem, KnowsEveryEcosystemOfTheFeeds) {
  NEED_TEST_DATA("feeds/osv/ecosystems.txt");
  std::ifstream in(test::data_path("feeds/osv/ecosystems.txt"));
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count)
    EXPECT_NE(find_ecosystem(line), nullptr) << line;
  EXPECT_GT(count, 30U);
}

TEST(Ecosystem, MeansTheSourcePackageWhereTheTrackerDoes) {
  for (const auto* name : {"Debian", "Ubuntu", "Alpine", "Wolfi", "SUSE", "openEuler"})
    EXPECT_EQ(find_ecosystem(name)->key, PackageKey::source) << name;
  for (const auto* name : {"AlmaLinux", "Red Hat", "PyPI", "Go"})
    EXPECT_EQ(find_ecosystem(name)->key, PackageKey::binary) << name;
}

TEST(SplitRelease, CutsAtTheFirstColon) {
  EXPECT_EQ(split_release("Debian:11").ecosystem, "Debian");
  EXPECT_EQ(split_release("Debian:11").release, "11");
  EXPECT_EQ(split_release("Ubuntu:Pro:18.04:LTS").release, "Pro:18.04:LTS");
  EXPECT_EQ(split_release("npm").ecosystem, "npm");
  EXPECT_EQ(split_release("npm").release, "");
}

TEST(NormalName, FoldsOnlyWhereTheRegistryDoes) {
  EXPECT_EQ(normal_name("PyPI", "Zope.Interface_-x"), "zope-interface-x");
  EXPECT_EQ(normal_name("NuGet", "Newtonsoft.Json"), "newtonsoft.json");
  EXPECT_EQ(normal_name("Packagist", "Drupal/Core"), "drupal/core");
  EXPECT_EQ(normal_name("GitHub Actions", "Actions/Runner"), "actions/runner");
  EXPECT_EQ(normal_name("Go", "github.com/BurntSushi/toml"), "github.com/BurntSushi/toml");
  EXPECT_EQ(normal_name("npm", "JSONStream"), "JSONStream");
  EXPECT_EQ(normal_name("Unheard Of", "A_b"), "A_b");
}

TEST(NormalRelease, IsTheFormAdvisoriesUse) {
  struct Case {
    const char* ecosystem;
    const char* release;
    const char* normal;
  };
  for (const auto& [ecosystem, release, normal] : {
           Case{"AlmaLinux", "9.4", "9"},
           Case{"Rocky Linux", "8", "8"},
           Case{"Debian", "12.5", "12"},
           Case{"Debian", "6.0", "6"},
           Case{"Debian", "3.1", "3.1"},  // sarge; 3.0 was woody
           Case{"Debian", "trixie", "trixie"},
           Case{"Alpine", "3.18.4", "v3.18"},
           Case{"Alpine", "3.18", "v3.18"},
           Case{"Alpine", "v3.18", "v3.18"},
           Case{"Alpine", "edge", "edge"},
           Case{"Ubuntu", "22.04", "22.04:LTS"},
           Case{"Ubuntu", "22.04.3", "22.04:LTS"},
           Case{"Ubuntu", "22.04:LTS", "22.04:LTS"},
           Case{"Ubuntu", "23.10", "23.10"},
           Case{"Ubuntu", "23.04", "23.04"},
           Case{"Ubuntu", "Pro:18.04:LTS", "Pro:18.04:LTS"},
           Case{"SUSE", "Linux Enterprise Server 15 SP4", "Linux Enterprise Server 15 SP4"},
           Case{"openEuler", "20.03-LTS-SP1", "20.03-LTS-SP1"},
           Case{"Wolfi", "20230201", ""},
           Case{"PyPI", "", ""},
           Case{"Debian", "", ""},
           Case{"Unheard Of", "1.2", "1.2"},
       })
    EXPECT_EQ(normal_release(ecosystem, release), normal) << ecosystem << ' ' << release;
}

TEST(NormalRelease, OfANormalReleaseIsItself) {
  for (const auto* ecosystem : {"AlmaLinux", "Debian", "Alpine", "Ubuntu", "SUSE", "npm"})
    for (const auto* release : {"9.4", "3.1", "3.18.4", "22.04", "x", "", ".", "1.", "v", "v3."}) {
      const auto once = normal_release(ecosystem, release);
      EXPECT_EQ(normal_release(ecosystem, once), once) << ecosystem << ' ' << release;
    }
}

}  // namespace
}  // namespace tenken::version
