#include "version/batch.h"

#include <gtest/gtest.h>

namespace tenken::version {
namespace {

TEST(CompareVersions, AnswersWithOneSign) {
  EXPECT_EQ(compare_versions("Debian", "1.0~rc1-1", "1.0-1").value(), "<");
  EXPECT_EQ(compare_versions("PyPI", "1.0", "1.0.0").value(), "=");
  EXPECT_EQ(compare_versions("AlmaLinux:9", "1:1-1", "9-1").value(), ">");
}

TEST(CompareVersions, SaysWhichVersionIsAtFault) {
  EXPECT_EQ(compare_versions("Debian", "1", "x").error().what,
            "second version: version does not start with a digit");
  EXPECT_EQ(compare_versions("npm", "", "1").error().what, "first version: missing");
}

TEST(CompareBatchLine, TakesAnEcosystemWithItsRelease) {
  EXPECT_EQ(compare_batch_line("Debian:12\t2\t10"), "<");
  EXPECT_EQ(compare_batch_line("Ubuntu:Pro:18.04:LTS\t2\t10"), "<");
}

TEST(CompareBatchLine, AnswersUnknownForWhatCannotBeOrdered) {
  for (const auto* line :
       {"", "\t", "\t\t", "\t\t\t", "Debian\t1", "Debian\t1\t2\t3", "Debian\t\t1", "Debian\t1\t",
        "NoSuch\t1\t2", "GIT\tabc\tdef", "npm\tlatest\t1.0.0", "RubyGems\t\t0", "Debian\t1\n2\t\r",
        "npm\t1.0.0\xE2\x80\xA8\t1"}) {
    const auto answer = compare_batch_line(line);
    EXPECT_TRUE(answer.starts_with("?\t")) << line << " -> " << answer;
    EXPECT_GT(answer.size(), 2U);
    EXPECT_EQ(answer.find_first_of("\n\r\x85\xE2", 2), std::string::npos);
    EXPECT_EQ(answer.find('\t', 2), std::string::npos);
  }
}

}  // namespace
}  // namespace tenken::version
