// What a request for an export into the server's own directory may say.
#include "api/api_fixture.h"
#include "api/v1/v1.h"

namespace tenken::api::v1 {
namespace {

class V1ExportsTest : public ApiTest {
 protected:
  V1ExportsTest() { services_.exports.directory = "exports"; }

  http::Response begin(std::string_view format, std::string_view more = "") {
    return v1::answer({.method = "POST",
                       .target = "/v1/exports",
                       .body = fmt::format(R"({{"name":"all","format":"{}"{}}})", format, more)},
                      who_, services_)
        .response;
  }
};

constexpr std::string_view host = R"({"resourceId":[{"comparison":"EQUALS","value":"i-1"}]})";

TEST_F(V1ExportsTest, a_kind_has_criteria_of_its_own) {
  const auto findings = fmt::format(R"(,"filterCriteria":{})", host);
  const auto resources = fmt::format(R"(,"resourceFilterCriteria":{})", host);
  EXPECT_EQ(begin("CSV", findings).status, 202);
  EXPECT_EQ(begin("SPDX_2_3", resources).status, 202);
  for (const auto* format : {"CSV", "JSON"}) {
    const auto refused = begin(format, resources);
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.body.contains(fmt::format(
        R"("message":"resourceFilterCriteria: an export as {} has no such member")", format)))
        << refused.body;
  }
  for (const auto* format : {"CYCLONEDX_1_4", "SPDX_2_3"})
    EXPECT_TRUE(begin(format, findings).body.contains(R"("message":"filterCriteria: )")) << format;
  EXPECT_TRUE(begin("CSV", R"(,"colour":"red")").body.contains(R"("message":"colour: )"));
}

}  // namespace
}  // namespace tenken::api::v1
