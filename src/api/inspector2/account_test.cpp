#include "api/api_fixture.h"

namespace tenken::api {
namespace {

using AccountTest = ApiTest;

constexpr std::string_view all_disabled =
    R"("status":"DISABLED","resourceStatus":{"ec2":"DISABLED","ecr":"DISABLED",)"
    R"("lambda":"DISABLED","lambdaCode":"DISABLED","codeRepository":"DISABLED"})";

TEST_F(AccountTest, an_account_that_was_never_enabled_has_a_state_for_every_type) {
  const auto answered = answer("BatchGetAccountStatus");
  EXPECT_NE(answered.find(R"("accountId":"111122223333","state":{"status":"DISABLED")"),
            std::string::npos);
  for (const std::string_view type : {"ec2", "ecr", "lambda", "lambdaCode", "codeRepository"})
    EXPECT_NE(answered.find(fmt::format(R"("{}":{{"status":"DISABLED")", type)), std::string::npos)
        << type;
}

TEST_F(AccountTest, enabling_shows_at_once_and_may_be_said_again) {
  const std::string_view enabled =
      R"({"accounts":[{"accountId":"111122223333","status":"ENABLED","resourceStatus":)"
      R"({"ec2":"ENABLED","ecr":"ENABLED","lambda":"DISABLED","lambdaCode":"DISABLED",)"
      R"("codeRepository":"DISABLED"}}],"failedAccounts":[]})";
  EXPECT_EQ(answer("Enable", R"({"resourceTypes":["EC2","ECR"],"clientToken":"t"})"), enabled);
  EXPECT_EQ(answer("Enable", R"({"resourceTypes":["EC2"]})"), enabled);
  const auto status = answer("BatchGetAccountStatus", R"({"accountIds":["111122223333"]})");
  EXPECT_NE(status.find(R"("ecr":{"status":"ENABLED")"), std::string::npos);
  EXPECT_NE(status.find(R"("lambda":{"status":"DISABLED")"), std::string::npos);
}

TEST_F(AccountTest, lambda_code_needs_lambda) {
  EXPECT_TRUE(refusal("Enable", R"({"resourceTypes":["LAMBDA_CODE"]})")
                  .starts_with("ValidationException: LAMBDA_CODE"));
  EXPECT_NE(answer("BatchGetAccountStatus").find(R"("state":{"status":"DISABLED")"),
            std::string::npos);
  answer("Enable", R"({"resourceTypes":["LAMBDA"]})");
  EXPECT_NE(answer("Enable", R"({"resourceTypes":["LAMBDA_CODE"]})").find(R"("lambdaCode":"EN)"),
            std::string::npos);
  // And goes with it.
  EXPECT_NE(answer("Disable", R"({"resourceTypes":["LAMBDA"]})").find(all_disabled),
            std::string::npos);
}

TEST_F(AccountTest, disabling_the_last_type_turns_the_service_off) {
  answer("Enable", R"({"resourceTypes":["EC2","ECR"]})");
  EXPECT_NE(answer("Disable", R"({"resourceTypes":["EC2"]})").find(R"("status":"ENABLED")"),
            std::string::npos);
  EXPECT_NE(answer("Disable", R"({"resourceTypes":["ECR"]})").find(all_disabled),
            std::string::npos);
}

TEST_F(AccountTest, disabling_without_types_is_of_all_and_may_be_said_again) {
  answer("Enable", R"({"resourceTypes":["EC2","CODE_REPOSITORY"]})");
  for (int i = 0; i < 2; ++i) {
    const auto answered = answer("Disable");
    EXPECT_NE(answered.find(all_disabled), std::string::npos);
    EXPECT_NE(answered.find(R"("failedAccounts":[])"), std::string::npos);
  }
}

TEST_F(AccountTest, other_accounts_fail_one_by_one_for_who_may_not_act_for_them) {
  become(second_account);
  const auto answered = answer(
      "Enable",
      R"({"accountIds":["444455556666","777788889999","000000000000"],"resourceTypes":["EC2"]})");
  EXPECT_NE(answered.find(R"("accounts":[{"accountId":"444455556666","status":"ENABLED")"),
            std::string::npos);
  EXPECT_NE(answered.find(R"({"accountId":"777788889999","errorCode":"ACCESS_DENIED")"),
            std::string::npos);
  // Nor do they learn which accounts there are.
  EXPECT_NE(answered.find(R"({"accountId":"000000000000","errorCode":"ACCESS_DENIED")"),
            std::string::npos);
  const auto status = answer("BatchGetAccountStatus", R"({"accountIds":["777788889999"]})");
  EXPECT_TRUE(status.starts_with(R"({"accounts":[],"failedAccounts":[{"accountId":"777788889999")"))
      << status;
}

TEST_F(AccountTest, the_management_account_acts_for_others_as_their_administrator_alone) {
  const std::string_view wanted =
      R"({"accountIds":["777788889999","777788889999","000000000000"],"resourceTypes":["EC2"]})";
  auto answered = answer("Enable", wanted);
  EXPECT_TRUE(answered.contains(R"("accounts":[],"failedAccounts":[{"accountId":"777788889999",)"
                                R"("errorCode":"ACCESS_DENIED")"))
      << answered;
  EXPECT_TRUE(answered.contains(R"({"accountId":"000000000000","errorCode":"RESOURCE_NOT_FOUND")"));
  for (const std::string_view name : {"Disable", "BatchGetAccountStatus"})
    EXPECT_TRUE(answer(name, R"({"accountIds":["777788889999"]})")
                    .contains(R"({"accountId":"777788889999","errorCode":"ACCESS_DENIED")"))
        << name;
  EXPECT_TRUE(answer("BatchUpdateMemberEc2DeepInspectionStatus",
                     R"({"accountIds":[{"accountId":"777788889999",)"
                     R"("activateDeepInspection":false}]})")
                  .starts_with(R"({"accountIds":[],)"));
  answer("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"111122223333"})");
  answer("AssociateMember", R"({"accountId":"777788889999"})");
  answered = answer("Enable", wanted);
  EXPECT_TRUE(answered.contains(R"("accounts":[{"accountId":"777788889999","status":"ENABLED")"))
      << answered;
  become(third_account);
  EXPECT_NE(answer("BatchGetAccountStatus").find(R"("state":{"status":"ENABLED")"),
            std::string::npos);
}

TEST_F(AccountTest, a_member_may_enable_but_not_disable) {
  answer("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"444455556666"})");
  become(second_account);
  answer("AssociateMember", R"({"accountId":"777788889999"})");
  become(third_account);
  answer("Enable", R"({"resourceTypes":["EC2"]})");
  EXPECT_NE(answer("Disable").find(R"("accounts":[],"failedAccounts":[{"accountId":"777788889999",)"
                                   R"("errorCode":"ACCESS_DENIED")"),
            std::string::npos);
  EXPECT_EQ(answer("ListAccountPermissions").find("DISABLE"), std::string::npos);
  become(second_account);
  EXPECT_NE(answer("Disable", R"({"accountIds":["777788889999"]})").find(all_disabled),
            std::string::npos);
}

TEST_F(AccountTest, an_administrator_with_members_cannot_be_turned_off) {
  answer("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"444455556666"})");
  become(second_account);
  answer("Enable", R"({"resourceTypes":["EC2","ECR"]})");
  answer("AssociateMember", R"({"accountId":"777788889999"})");
  EXPECT_NE(answer("Disable").find(R"("errorCode":"DISASSOCIATE_ALL_MEMBERS")"), std::string::npos);
  EXPECT_NE(answer("Disable", R"({"resourceTypes":["ECR"]})").find(R"("ec2":"ENABLED")"),
            std::string::npos);
  answer("DisassociateMember", R"({"accountId":"777788889999"})");
  EXPECT_NE(answer("Disable").find(all_disabled), std::string::npos);
}

TEST_F(AccountTest, permissions_come_in_pages_and_by_service) {
  std::size_t seen = 0;
  std::string token;
  do {
    const auto page =
        answer("ListAccountPermissions",
               token.empty() ? std::string(R"({"maxResults":3})")
                             : fmt::format(R"({{"maxResults":3,"nextToken":"{}"}})", token));
    for (std::size_t at = 0; (at = page.find("\"operation\"", at)) != std::string::npos; ++at)
      ++seen;
    const auto next = page.find("\"nextToken\":\"");
    token = next == std::string::npos ? "" : page.substr(next + 13, page.size() - next - 15);
  } while (!token.empty() && seen < 20);
  EXPECT_EQ(seen, 8U);
  EXPECT_EQ(answer("ListAccountPermissions", R"({"service":"EC2"})"),
            R"({"permissions":[{"service":"EC2","operation":"DISABLE_SCANNING"},)"
            R"({"service":"EC2","operation":"ENABLE_SCANNING"}]})");
  EXPECT_TRUE(
      refusal("ListAccountPermissions", R"({"nextToken":"x"})").starts_with("ValidationException"));
}

TEST_F(AccountTest, a_viewer_reads_and_changes_nothing) {
  become(own_account, access::Role::viewer);
  answer("BatchGetAccountStatus");
  for (const std::string_view name :
       {"Enable", "Disable", "UpdateConfiguration", "AssociateMember", "TagResource"})
    EXPECT_TRUE(refusal(name).starts_with("AccessDeniedException")) << name;
}

}  // namespace
}  // namespace tenken::api
