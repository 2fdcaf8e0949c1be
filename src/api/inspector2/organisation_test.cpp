#include "api/organisation.h"

#include "api/api_fixture.h"
#include "store/organisation.h"
#include "store/scanning.h"

namespace tenken::api {
namespace {

class OrganisationTest : public ApiTest {
 protected:
  void designate(std::string_view account) {
    become(own_account);
    answer("EnableDelegatedAdminAccount",
           fmt::format(R"({{"delegatedAdminAccountId":"{}"}})", account));
    become(account);
  }
  void associate(std::string_view account) {
    answer("AssociateMember", fmt::format(R"({{"accountId":"{}"}})", account));
  }
  std::vector<std::string> visible() {
    auto connection = pool_->lease();
    auto out = store::visible_accounts(**connection, who_.account);
    EXPECT_TRUE(out);
    return out ? *out : std::vector<std::string>();
  }
  using Accounts = std::vector<std::string>;
};

constexpr std::string_view no_administrators = R"({"delegatedAdminAccounts":[]})";

TEST_F(OrganisationTest, the_management_account_designates_one_administrator) {
  EXPECT_EQ(answer("ListDelegatedAdminAccounts"), no_administrators);
  EXPECT_TRUE(refusal("GetDelegatedAdminAccount").starts_with("ResourceNotFoundException"));
  const std::string_view second = R"({"delegatedAdminAccountId":"444455556666"})";
  EXPECT_EQ(answer("EnableDelegatedAdminAccount", second), second);
  EXPECT_EQ(answer("ListDelegatedAdminAccounts", R"({"maxResults":5})"),
            R"({"delegatedAdminAccounts":[{"accountId":"444455556666","status":"ENABLED"}]})");
  EXPECT_EQ(answer("GetDelegatedAdminAccount"),
            R"({"delegatedAdmin":{"accountId":"444455556666","relationshipStatus":"ENABLED"}})");
  EXPECT_EQ(refusal("EnableDelegatedAdminAccount", second),
            "ConflictException: Delegated administrator 444455556666 is already enabled for the "
            "organization");
  // A client that takes "already enabled" for success must not take another's for it.
  const auto other =
      refusal("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"777788889999"})");
  EXPECT_TRUE(other.starts_with("ConflictException")) << other;
  EXPECT_EQ(other.find("already enabled"), std::string::npos);
}

TEST_F(OrganisationTest, nobody_else_designates_and_no_account_that_is_not_there) {
  EXPECT_TRUE(
      refusal("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"000000000000"})")
          .starts_with("ResourceNotFoundException"));
  become(second_account);
  for (const std::string_view name :
       {"EnableDelegatedAdminAccount", "DisableDelegatedAdminAccount"})
    EXPECT_TRUE(refusal(name, R"({"delegatedAdminAccountId":"444455556666"})")
                    .starts_with("AccessDeniedException"));
}

TEST_F(OrganisationTest, an_account_outside_learns_nothing_of_the_organisation) {
  designate(second_account);
  become(third_account);
  EXPECT_EQ(answer("ListDelegatedAdminAccounts"), no_administrators);
  EXPECT_EQ(refusal("GetDelegatedAdminAccount"),
            "ResourceNotFoundException: The account has no delegated administrator")
      << "true of it, and nothing of the organisation";
  EXPECT_EQ(answer("ListMembers"), R"({"members":[]})");
  EXPECT_TRUE(refusal("GetMember", R"({"accountId":"444455556666"})")
                  .starts_with("AccessDeniedException: Invoking account does not have access to "
                               "get member account"));
  for (const std::string_view name : {"AssociateMember", "DisassociateMember"})
    EXPECT_TRUE(
        refusal(name, R"({"accountId":"111122223333"})").starts_with("AccessDeniedException"));
  EXPECT_TRUE(refusal("DescribeOrganizationConfiguration").starts_with("AccessDeniedException"));
}

TEST_F(OrganisationTest, dismissing_the_administrator_frees_its_members) {
  designate(second_account);
  associate(third_account);
  become(own_account);
  const std::string_view second = R"({"delegatedAdminAccountId":"444455556666"})";
  EXPECT_TRUE(
      refusal("DisableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"777788889999"})")
          .starts_with("ResourceNotFoundException"));
  EXPECT_EQ(answer("DisableDelegatedAdminAccount", second), second);
  EXPECT_EQ(answer("ListDelegatedAdminAccounts"), no_administrators);
  EXPECT_TRUE(
      refusal("DisableDelegatedAdminAccount", second).starts_with("ResourceNotFoundException"));
  designate(second_account);
  EXPECT_EQ(answer("ListMembers"), R"({"members":[]})");
  EXPECT_EQ(visible(), (Accounts{"444455556666"}));
}

TEST_F(OrganisationTest, members_are_accounts_that_exist) {
  designate(second_account);
  EXPECT_TRUE(refusal("AssociateMember", R"({"accountId":"000000000000"})")
                  .starts_with("ValidationException"));
  EXPECT_TRUE(refusal("AssociateMember", R"({"accountId":"444455556666"})")
                  .starts_with("ValidationException"));
  associate(third_account);
  clock_ += 60;
  associate(third_account);
  EXPECT_EQ(answer("GetMember", R"({"accountId":"777788889999"})"),
            R"({"member":{"accountId":"777788889999","delegatedAdminAccountId":"444455556666",)"
            R"("relationshipStatus":"ENABLED","updatedAt":1800000000}})");
}

TEST_F(OrganisationTest, what_is_no_member_is_not_found_and_not_yet_associated) {
  designate(second_account);
  associate(third_account);
  EXPECT_TRUE(refusal("GetMember", R"({"accountId":"111122223333"})")
                  .starts_with("ResourceNotFoundException"));
  const auto refused = refusal("DisassociateMember", R"({"accountId":"111122223333"})");
  EXPECT_TRUE(refused.starts_with("ValidationException")) << refused;
  EXPECT_NE(refused.find("is not yet associated to it"), std::string::npos) << refused;
  answer("DisassociateMember", R"({"accountId":"777788889999"})");
  EXPECT_TRUE(refusal("GetMember", R"({"accountId":"777788889999"})")
                  .starts_with("ResourceNotFoundException"));
}

TEST_F(OrganisationTest, members_are_listed_in_pages_alone_or_with_all_accounts) {
  designate(second_account);
  associate(own_account);
  associate(third_account);
  const auto first = answer("ListMembers", R"({"maxResults":1})");
  EXPECT_NE(first.find("111122223333"), std::string::npos);
  const auto at = first.find("\"nextToken\":\"") + 13;
  const auto token = first.substr(at, first.size() - at - 2);
  EXPECT_EQ(answer("ListMembers", fmt::format(R"({{"maxResults":1,"nextToken":"{}"}})", token)),
            R"({"members":[{"accountId":"777788889999","delegatedAdminAccountId":"444455556666",)"
            R"("relationshipStatus":"ENABLED","updatedAt":1800000000}]})");
  // The token is of another question.
  EXPECT_TRUE(
      refusal("ListMembers", fmt::format(R"({{"onlyAssociated":false,"nextToken":"{}"}})", token))
          .starts_with("ValidationException"));
  answer("DisassociateMember", R"({"accountId":"111122223333"})");
  EXPECT_NE(answer("ListMembers", R"({"onlyAssociated":false})")
                .find(R"({"accountId":"111122223333","relationshipStatus":"CREATED"})"),
            std::string::npos);
}

TEST_F(OrganisationTest, a_member_whose_account_was_revoked_is_suspended) {
  designate(second_account);
  associate(third_account);
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(access::revoke_account(**connection, third_account, clock_));
  }
  for (const std::string_view name : {"GetMember", "ListMembers"})
    EXPECT_NE(answer(name, R"({"accountId":"777788889999"})").find("ACCOUNT_SUSPENDED"),
              std::string::npos);
}

TEST_F(OrganisationTest, only_the_administrator_sees_what_members_have) {
  EXPECT_EQ(visible(), (Accounts{"111122223333"}));
  designate(second_account);
  EXPECT_EQ(visible(), (Accounts{"444455556666"}));
  associate(third_account);
  EXPECT_EQ(visible(), (Accounts{"444455556666", "777788889999"}));
  become(third_account);
  EXPECT_EQ(visible(), (Accounts{"777788889999"}));
  become(own_account);
  EXPECT_EQ(visible(), (Accounts{"111122223333"}));
}

TEST_F(OrganisationTest, what_is_enabled_by_itself_is_so_for_new_members) {
  designate(second_account);
  EXPECT_EQ(answer("DescribeOrganizationConfiguration"),
            R"({"autoEnable":{"ec2":false,"ecr":false,"lambda":false,"lambdaCode":false,)"
            R"("codeRepository":false,"ami":false},"maxAccountLimitReached":false})");
  associate(own_account);
  EXPECT_EQ(answer("UpdateOrganizationConfiguration",
                   R"({"autoEnable":{"ec2":true,"ecr":false,"lambda":true,"ami":true}})"),
            R"({"autoEnable":{"ec2":true,"ecr":false,"lambda":true,"lambdaCode":false,)"
            R"("codeRepository":false,"ami":true}})");
  EXPECT_TRUE(answer("DescribeOrganizationConfiguration").contains(R"("ami":true)"));
  associate(third_account);
  const auto status =
      answer("BatchGetAccountStatus", R"({"accountIds":["111122223333","777788889999"]})");
  EXPECT_NE(status.find(R"({"accountId":"111122223333","state":{"status":"DISABLED")"),
            std::string::npos);
  EXPECT_NE(status.find(R"({"accountId":"777788889999","state":{"status":"ENABLED")"),
            std::string::npos);
  auto connection = pool_->lease();
  EXPECT_EQ(store::enabled_types(**connection, third_account).value(),
            (store::ScanTypes{"EC2", "LAMBDA"}));
  EXPECT_TRUE(refusal("UpdateOrganizationConfiguration",
                      R"({"autoEnable":{"ec2":false,"ecr":false,"lambdaCode":true}})")
                  .starts_with("ValidationException"));
}

}  // namespace
}  // namespace tenken::api
