// Which operations of the models are handled: none by accident.
#include <algorithm>
#include <set>

#include "api/api_fixture.h"
#include "api/v1/v1.h"
#include "base/text.h"

namespace tenken::api {
namespace {

// Operations that come with later versions: until then the front door answers that they are not
// available, after checking the request.
const std::set<std::string_view> later{
    // CIS benchmarks
    "CreateCisScanConfiguration",
    "DeleteCisScanConfiguration",
    "GetCisScanReport",
    "GetCisScanResultDetails",
    "ListCisScanConfigurations",
    "ListCisScanResultsAggregatedByChecks",
    "ListCisScanResultsAggregatedByTargetResource",
    "ListCisScans",
    "SendCisSessionHealth",
    "SendCisSessionTelemetry",
    "StartCisSession",
    "StopCisSession",
    "UpdateCisScanConfiguration",
    // machine images, scanned when asked for
    "GetOnDemandScanStatus",
    "ListOnDemandScans",
    "StartOnDemandScan",
    // connectors to other clouds
    "CreateConnector",
    "DeleteConnector",
    "ListConnectorScanConfigurations",
    "ListConnectors",
    "UpdateConnector",
    "UpdateConnectorScanConfiguration",
    // Code Security
    "BatchAssociateCodeSecurityScanConfiguration",
    "BatchDisassociateCodeSecurityScanConfiguration",
    "BatchGetCodeSnippet",
    "CreateCodeSecurityIntegration",
    "CreateCodeSecurityScanConfiguration",
    "DeleteCodeSecurityIntegration",
    "DeleteCodeSecurityScanConfiguration",
    "GetCodeSecurityIntegration",
    "GetCodeSecurityScan",
    "GetCodeSecurityScanConfiguration",
    "ListCodeSecurityIntegrations",
    "ListCodeSecurityScanConfigurationAssociations",
    "ListCodeSecurityScanConfigurations",
    "StartCodeSecurityScan",
    "UpdateCodeSecurityIntegration",
    "UpdateCodeSecurityScanConfiguration",
};

TEST(Operations, each_of_the_model_is_handled_or_known_to_come_later) {
  const auto inspector2 = ServiceModel::inspector2();
  const auto inspector_scan = ServiceModel::inspector_scan();
  for (const auto* model : {&inspector2, &inspector_scan})
    for (const auto& operation : model->operations())
      EXPECT_NE(handled_operation(operation.name) != nullptr, later.contains(operation.name))
          << operation.name;
}

TEST(Operations, what_comes_later_is_in_the_model) {
  const auto model = ServiceModel::inspector2();
  for (const auto name : later) EXPECT_NE(model.operation(name), nullptr) << name;
}

TEST(Operations, what_is_handled_is_in_a_model_once_and_somebody_may_call_it) {
  const auto inspector2 = ServiceModel::inspector2();
  const auto inspector_scan = ServiceModel::inspector_scan();
  std::set<std::string_view> seen;
  for (const auto* family : families())
    for (const auto& operation : family->operations) {
      EXPECT_TRUE(seen.insert(operation.name).second) << operation.name;
      EXPECT_TRUE(inspector2.operation(operation.name) != nullptr ||
                  inspector_scan.operation(operation.name) != nullptr)
          << operation.name;
      EXPECT_NE(operation.needs, access::Permission::nobody) << operation.name;
      EXPECT_NE(operation.handle, nullptr) << operation.name;
    }
}

TEST(Operations, what_changes_something_needs_more_than_reading) {
  for (const auto* family : families())
    for (const auto& operation : family->operations) {
      const bool reads = operation.name.starts_with("Get") || operation.name.starts_with("List") ||
                         operation.name.starts_with("BatchGet") ||
                         operation.name.starts_with("Describe") ||
                         operation.name.starts_with("Search") || operation.name == "ScanSbom";
      EXPECT_EQ(operation.needs == access::Permission::read, reads) << operation.name;
    }
}

// What is about the caller's own account and nothing else: the audit log names that.
const std::set<std::string_view> about_the_caller{
    "UpdateEc2DeepInspectionConfiguration",
    "UpdateOrgEc2DeepInspectionConfiguration",
    "UpdateOrganizationConfiguration",
};

// Of a path as Input::texts takes it; nullptr where it leads nowhere.
const Shape* shape_at(const Operation& operation, std::string_view path) {
  const auto* shape = operation.input;
  for (const auto name : split(path, '.')) {
    if (shape->type == Shape::Type::list) shape = shape->element;
    const auto* const member = shape->member(name);
    if (member == nullptr) return nullptr;
    shape = member->shape;
  }
  return shape->type == Shape::Type::list ? shape->element : shape;
}

TEST(Operations, what_changes_something_says_what_it_is_done_to) {
  const auto model = ServiceModel::inspector2();
  for (const auto* family : families())
    for (const auto& operation : family->operations) {
      EXPECT_EQ(operation.target.empty(), operation.needs == access::Permission::read)
          << operation.name;
      EXPECT_EQ(operation.target == callers_account, about_the_caller.contains(operation.name))
          << operation.name;
      if (operation.target.empty() || operation.target == callers_account) continue;
      for (const auto path : split(operation.target, ' ')) {
        const auto* const shape = shape_at(*model.operation(operation.name), path);
        ASSERT_NE(shape, nullptr) << operation.name << ": " << path;
        EXPECT_EQ(shape->type, Shape::Type::string) << operation.name << ": " << path;
        EXPECT_FALSE(shape->sensitive) << operation.name << ": " << path;
      }
    }
}

// Inventories come too often; each is in the history of its resource and in the access log.
TEST(Operations, of_the_own_api_what_changes_something_is_noted_with_what_it_is_done_to) {
  for (const auto* family : v1::v1_families())
    for (const auto& operation : family->operations) {
      const bool noted =
          operation.method != "GET" && operation.path != "/v1/resources/{id}/inventory";
      EXPECT_EQ(!operation.noted_as.empty(), noted) << operation.path;
      EXPECT_EQ(operation.path.contains('{') || !operation.target.empty(),
                noted || operation.path.contains('{'))
          << operation.path;
    }
}

}  // namespace
}  // namespace tenken::api
