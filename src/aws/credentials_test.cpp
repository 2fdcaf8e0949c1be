#include "aws/credentials.h"

#include <map>

#include <gtest/gtest.h>

#include "support/scratch.h"

namespace tenken::aws {
namespace {

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Credentials, OfTheEnvironmentOutrankFiles) {
  const auto credentials = find_credentials(environment_of({{"AWS_ACCESS_KEY_ID", "AKIDENV"},
                                                            {"AWS_SECRET_ACCESS_KEY", "secret"},
                                                            {"AWS_SESSION_TOKEN", "token"},
                                                            {"AWS_PROFILE", "work"}}))
                               .value();
  EXPECT_EQ(credentials.access_key_id, "AKIDENV");
  EXPECT_EQ(credentials.secret.reveal(), "secret");
  EXPECT_EQ(credentials.session_token, "token");
}

TEST(Credentials, HalfOfAPairInTheEnvironmentIsAnError) {
  const auto found = find_credentials(environment_of({{"AWS_ACCESS_KEY_ID", "AKIDENV"}}));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::invalid);
}

class Profiles : public testing::Test {
 protected:
  Profiles() {
    home.write(".aws/credentials",
               "# of mine\n"
               "[default]\n"
               "aws_access_key_id = AKIDDEFAULT\n"
               "aws_secret_access_key=a/b+c=d\n"
               "[ work ]\r\n"
               "AWS_ACCESS_KEY_ID = AKIDWORK\r\n"
               "aws_secret_access_key = s3 # a comment\r\n"
               "aws_session_token = t\r\n"
               "not a setting\n");
    home.write(".aws/config",
               "[default]\n"
               "region = ap-northeast-1\n"
               "s3 =\n"
               "  region = wrong\n"
               "[profile work]\n"
               "region = eu-west-1\n"
               "aws_access_key_id = AKIDCONFIG\n"
               "[profile sso]\n"
               "sso_session = corp\n");
  }
  Environment with(std::map<std::string, std::string> more) const {
    more.emplace("HOME", home.path());
    return environment_of(std::move(more));
  }
  test::Scratch home;
};

TEST_F(Profiles, DefaultIsReadFromBothFiles) {
  const auto credentials = find_credentials(with({})).value();
  EXPECT_EQ(credentials.access_key_id, "AKIDDEFAULT");
  EXPECT_EQ(credentials.secret.reveal(), "a/b+c=d");
  EXPECT_EQ(credentials.session_token, "");
  EXPECT_EQ(find_region(with({})).value(), "ap-northeast-1");
}

TEST_F(Profiles, AnotherIsChosenByNameAndItsCredentialsFileOutranksTheConfiguration) {
  const auto credentials = find_credentials(with({{"AWS_PROFILE", "work"}})).value();
  EXPECT_EQ(credentials.access_key_id, "AKIDWORK");
  EXPECT_EQ(credentials.secret.reveal(), "s3");
  EXPECT_EQ(credentials.session_token, "t");
  EXPECT_EQ(find_region(with({{"AWS_PROFILE", "work"}})).value(), "eu-west-1");
}

TEST_F(Profiles, RegionOfTheEnvironmentOutranksTheProfile) {
  EXPECT_EQ(find_region(with({{"AWS_DEFAULT_REGION", "b"}})).value(), "b");
  EXPECT_EQ(find_region(with({{"AWS_DEFAULT_REGION", "b"}, {"AWS_REGION", "a"}})).value(), "a");
}

TEST_F(Profiles, OfAnUnsupportedKindSayWhich) {
  const auto found = find_credentials(with({{"AWS_PROFILE", "sso"}}));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::invalid);
  EXPECT_NE(found.error().what.find("sso_session"), std::string::npos);
}

TEST_F(Profiles, ThatDoNotExistAreNotFoundAndTheFilesAreNamed) {
  const auto found = find_credentials(with({{"AWS_PROFILE", "nobody"}}));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::not_found);
  EXPECT_NE(found.error().what.find(home / ".aws/credentials"), std::string::npos);
  EXPECT_EQ(find_region(with({{"AWS_PROFILE", "nobody"}})).value(), "us-east-1");
}

TEST(Region, IsUsEast1WhereNothingIsSaid) {
  EXPECT_EQ(find_region(environment_of({{"HOME", "/nonexistent"}})).value(), "us-east-1");
}

}  // namespace
}  // namespace tenken::aws
