#include "api/api_fixture.h"

namespace tenken::api {
namespace {

class ConfigurationTest : public ApiTest {
 protected:
  // The third account becomes a member of the second.
  void make_member() {
    become(own_account);
    answer("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"444455556666"})");
    become(second_account);
    answer("AssociateMember", R"({"accountId":"777788889999"})");
  }
};

TEST_F(ConfigurationTest, scans_are_configured_at_once_and_in_parts) {
  const auto configuration = [](std::string_view mode, std::string_view images) {
    return fmt::format(R"({{"ec2Configuration":{{"scanModeState":{{"scanMode":"{}",)"
                       R"("scanModeStatus":"SUCCESS"}}}},"ecrConfiguration":)"
                       R"({{"rescanDurationState":{{{}}}}}}})",
                       mode, images);
  };
  EXPECT_EQ(answer("GetConfiguration"),
            configuration("EC2_SSM_AGENT_BASED",
                          R"("rescanDuration":"DAYS_14","pullDateRescanDuration":"DAYS_14",)"
                          R"("pullDateRescanMode":"LAST_IN_USE_AT","status":"SUCCESS")"));
  EXPECT_EQ(answer("UpdateConfiguration", R"({"ecrConfiguration":{"rescanDuration":"LIFETIME",)"
                                          R"("pullDateRescanMode":"LAST_PULL_DATE"}})"),
            "{}");
  answer("UpdateConfiguration", R"({"ec2Configuration":{"scanMode":"EC2_HYBRID"}})");
  answer("UpdateConfiguration", R"({"ecrConfiguration":{"rescanDuration":"DAYS_30"}})");
  EXPECT_EQ(answer("GetConfiguration"),
            configuration("EC2_HYBRID",
                          R"("rescanDuration":"DAYS_30","pullDateRescanDuration":"DAYS_14",)"
                          R"("pullDateRescanMode":"LAST_PULL_DATE","status":"SUCCESS",)"
                          R"("updatedAt":1800000000)"));
  EXPECT_TRUE(refusal("UpdateConfiguration").starts_with("ValidationException"));
}

TEST_F(ConfigurationTest, a_member_has_its_administrators_configuration) {
  make_member();
  answer("UpdateConfiguration", R"({"ecrConfiguration":{"rescanDuration":"DAYS_180"}})");
  become(third_account);
  EXPECT_NE(answer("GetConfiguration").find(R"("rescanDuration":"DAYS_180")"), std::string::npos);
  EXPECT_TRUE(refusal("UpdateConfiguration", R"({"ecrConfiguration":{"rescanDuration":"DAYS_30"}})")
                  .starts_with("AccessDeniedException"));
  become(own_account);
  EXPECT_NE(answer("GetConfiguration").find(R"("rescanDuration":"DAYS_14")"), std::string::npos);
}

TEST_F(ConfigurationTest, the_administrator_gives_a_member_parts_of_its_own) {
  become(third_account);
  answer("UpdateConfiguration", R"({"ecrConfiguration":{"rescanDuration":"DAYS_3"}})");
  make_member();
  answer("UpdateConfiguration", R"({"ecrConfiguration":{"rescanDuration":"DAYS_180"}})");
  const auto of_member = [&](std::string_view word) {
    const auto text = answer("GetConfiguration", R"({"accountId":"777788889999"})");
    become(third_account);
    EXPECT_EQ(answer("GetConfiguration"), text);
    become(second_account);
    return text.find(word) != std::string::npos;
  };
  EXPECT_TRUE(of_member(R"("rescanDuration":"DAYS_180")"));
  answer("UpdateConfiguration", R"({"accountId":"777788889999",)"
                                R"("ecrConfiguration":{"rescanDuration":"DAYS_30"},)"
                                R"("ec2Configuration":{"scanMode":"EC2_HYBRID"}})");
  EXPECT_TRUE(of_member(R"("rescanDuration":"DAYS_30")"));
  EXPECT_TRUE(of_member("EC2_HYBRID"));
  EXPECT_NE(answer("GetConfiguration").find("DAYS_180"), std::string::npos);
  answer("UpdateConfiguration", R"({"accountId":"777788889999","updateConfigurationInheritance":)"
                                R"({"ecrConfiguration":"INHERIT_FROM_ADMIN"}})");
  EXPECT_TRUE(of_member(R"("rescanDuration":"DAYS_180")"));
  EXPECT_TRUE(of_member("EC2_HYBRID"));
  answer("UpdateConfiguration", R"({"accountId":"777788889999","updateConfigurationInheritance":)"
                                R"({"ecrConfiguration":"INHERIT_FROM_ADMIN",)"
                                R"("ec2Configuration":null}})");
  EXPECT_TRUE(of_member("EC2_HYBRID")) << "a null takes nothing back";
  for (const auto* wrong :
       {R"({"updateConfigurationInheritance":{"ecrConfiguration":"INHERIT_FROM_ADMIN"}})",
        R"({"accountId":"777788889999","ec2Configuration":{"scanMode":"EC2_HYBRID"},)"
        R"("updateConfigurationInheritance":{"ecrConfiguration":"INHERIT_FROM_ADMIN"}})"})
    EXPECT_TRUE(refusal("UpdateConfiguration", wrong).starts_with("ValidationException")) << wrong;
  EXPECT_TRUE(refusal("GetConfiguration", R"({"accountId":"111122223333"})")
                  .starts_with("AccessDeniedException"));
  answer("UpdateConfiguration", R"({"accountId":"777788889999",)"
                                R"("ecrConfiguration":{"rescanDuration":"DAYS_60"}})");
  answer("DisassociateMember", R"({"accountId":"777788889999"})");
  become(third_account);
  EXPECT_NE(answer("GetConfiguration").find(R"("rescanDuration":"DAYS_3")"), std::string::npos);
  become(second_account);
  answer("AssociateMember", R"({"accountId":"777788889999"})");
  EXPECT_TRUE(of_member(R"("rescanDuration":"DAYS_180")"));
}

TEST_F(ConfigurationTest, what_is_said_of_machine_images_and_the_scanner_is_kept) {
  answer("UpdateConfiguration",
         R"({"amiConfiguration":{"createdWithin":null,"lastLaunchedWithin":"DAYS_30",)"
         R"("scanModeConfiguration":)"
         R"({"scanMode":"TARGET_SCANNING","tags":[{"key":"scan","value":"yes"}]}},)"
         R"("ec2Configuration":{"scanMode":"EC2_HYBRID","activateVMScanner":true}})");
  const auto text = answer("GetConfiguration");
  EXPECT_NE(text.find(R"("amiConfiguration":{"lastLaunchedWithin":"DAYS_30",)"
                      R"("scanModeConfiguration":{"scanMode":"TARGET_SCANNING",)"
                      R"("tags":[{"key":"scan","value":"yes"}]},"status":"SUCCESS",)"
                      R"("updatedAt":1800000000})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("vmScannerState":{"activated":true,"activatedAt":1800000000,)"
                      R"("status":"SUCCESS"})"),
            std::string::npos)
      << text;
  answer("UpdateConfiguration", R"({"ec2Configuration":{"scanMode":"EC2_HYBRID",)"
                                R"("activateVMScanner":false}})");
  EXPECT_NE(answer("GetConfiguration").find(R"({"activated":false,"status":"SUCCESS"})"),
            std::string::npos);
}

TEST_F(ConfigurationTest, a_key_is_of_one_type_of_scan_and_resource) {
  const std::string_view which = R"("scanType":"CODE","resourceType":"AWS_LAMBDA_FUNCTION")";
  const auto asked = fmt::format("{{{}}}", which);
  EXPECT_TRUE(refusal("GetEncryptionKey", asked).starts_with("ResourceNotFoundException"));
  EXPECT_TRUE(refusal("ResetEncryptionKey", asked).starts_with("ResourceNotFoundException"));
  const std::string_view key =
      "arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012";
  EXPECT_EQ(answer("UpdateEncryptionKey", fmt::format(R"({{{},"kmsKeyId":"{}"}})", which, key)),
            "{}");
  EXPECT_EQ(answer("GetEncryptionKey", asked), fmt::format(R"({{"kmsKeyId":"{}"}})", key));
  EXPECT_TRUE(
      refusal("GetEncryptionKey", R"({"scanType":"CODE","resourceType":"AWS_EC2_INSTANCE"})")
          .starts_with("ResourceNotFoundException"));
  become(second_account);
  EXPECT_TRUE(refusal("GetEncryptionKey", asked).starts_with("ResourceNotFoundException"));
  become(own_account);
  EXPECT_EQ(answer("ResetEncryptionKey", asked), "{}");
  EXPECT_TRUE(refusal("GetEncryptionKey", asked).starts_with("ResourceNotFoundException"));
}

TEST_F(ConfigurationTest, deep_inspection_keeps_what_a_request_leaves_out) {
  EXPECT_EQ(answer("GetEc2DeepInspectionConfiguration"),
            R"({"packagePaths":[],"orgPackagePaths":[],"status":"ACTIVATED"})");
  EXPECT_EQ(answer("UpdateEc2DeepInspectionConfiguration", R"({"packagePaths":["/opt/app"]})"),
            R"({"packagePaths":["/opt/app"],"orgPackagePaths":[],"status":"ACTIVATED"})");
  EXPECT_EQ(answer("UpdateEc2DeepInspectionConfiguration", R"({"activateDeepInspection":false})"),
            R"({"packagePaths":["/opt/app"],"orgPackagePaths":[],"status":"DEACTIVATED"})");
  EXPECT_EQ(answer("UpdateEc2DeepInspectionConfiguration", R"({"packagePaths":[]})"),
            R"({"packagePaths":[],"orgPackagePaths":[],"status":"DEACTIVATED"})");
  EXPECT_TRUE(refusal("UpdateEc2DeepInspectionConfiguration", R"({"packagePaths":["relative"]})")
                  .starts_with("ValidationException"));
}

TEST_F(ConfigurationTest, members_have_their_organisations_paths_too) {
  EXPECT_TRUE(refusal("UpdateOrgEc2DeepInspectionConfiguration", R"({"orgPackagePaths":["/srv"]})")
                  .starts_with("AccessDeniedException"));
  make_member();
  EXPECT_EQ(answer("UpdateOrgEc2DeepInspectionConfiguration", R"({"orgPackagePaths":["/srv"]})"),
            "{}");
  for (const auto account : {second_account, third_account}) {
    become(account);
    EXPECT_NE(answer("GetEc2DeepInspectionConfiguration").find(R"("orgPackagePaths":["/srv"])"),
              std::string::npos);
  }
  become(own_account);
  EXPECT_NE(answer("GetEc2DeepInspectionConfiguration").find(R"("orgPackagePaths":[])"),
            std::string::npos);
}

TEST_F(ConfigurationTest, the_administrator_switches_deep_inspection_of_members) {
  make_member();
  EXPECT_EQ(
      answer("BatchUpdateMemberEc2DeepInspectionStatus",
             R"({"accountIds":[{"accountId":"777788889999","activateDeepInspection":false},)"
             R"({"accountId":"111122223333","activateDeepInspection":false},)"
             R"({"accountId":"000000000000","activateDeepInspection":true}]})"),
      R"({"accountIds":[{"accountId":"777788889999","status":"DEACTIVATED"}],"failedAccountIds":)"
      R"([{"accountId":"111122223333","errorMessage":"No access to 111122223333"},)"
      R"({"accountId":"000000000000","errorMessage":"There is no account 000000000000"}]})");
  EXPECT_EQ(answer("BatchGetMemberEc2DeepInspectionStatus"),
            R"({"accountIds":[{"accountId":"444455556666","status":"ACTIVATED"},)"
            R"({"accountId":"777788889999","status":"DEACTIVATED"}],"failedAccountIds":[]})");
  become(third_account);
  EXPECT_NE(answer("GetEc2DeepInspectionConfiguration").find("DEACTIVATED"), std::string::npos);
  EXPECT_NE(answer("BatchGetMemberEc2DeepInspectionStatus", R"({"accountIds":["444455556666"]})")
                .find(R"("accountIds":[],"failedAccountIds":[{"accountId":"444455556666")"),
            std::string::npos);
}

TEST_F(ConfigurationTest, a_member_activates_deep_inspection_and_does_not_deactivate_it) {
  const std::string_view off = R"({"activateDeepInspection":false,"packagePaths":["/opt/x"]})";
  const std::string_view on = R"({"activateDeepInspection":true,"packagePaths":["/opt/app"]})";
  const std::string_view off_by_batch =
      R"({"accountIds":[{"accountId":"777788889999","activateDeepInspection":false}]})";
  make_member();
  answer("BatchUpdateMemberEc2DeepInspectionStatus", off_by_batch);
  become(third_account);
  EXPECT_EQ(answer("UpdateEc2DeepInspectionConfiguration", on),
            R"({"packagePaths":["/opt/app"],"orgPackagePaths":[],"status":"ACTIVATED"})");
  EXPECT_EQ(refusal("UpdateEc2DeepInspectionConfiguration", off),
            "AccessDeniedException: Only the delegated administrator can deactivate deep "
            "inspection of a member");
  EXPECT_TRUE(
      answer("BatchUpdateMemberEc2DeepInspectionStatus", off_by_batch)
          .starts_with(R"({"accountIds":[],"failedAccountIds":[{"accountId":"777788889999")"));
  EXPECT_EQ(answer("GetEc2DeepInspectionConfiguration"),
            R"({"packagePaths":["/opt/app"],"orgPackagePaths":[],"status":"ACTIVATED"})");
  become(second_account);
  answer("DisassociateMember", R"({"accountId":"777788889999"})");
  become(third_account);
  EXPECT_EQ(answer("UpdateEc2DeepInspectionConfiguration", off),
            R"({"packagePaths":["/opt/x"],"orgPackagePaths":[],"status":"DEACTIVATED"})");
}

}  // namespace
}  // namespace tenken::api
