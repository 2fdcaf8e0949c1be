#include "api/page_token.h"

#include "api/api_fixture.h"
#include "api/v1/v1.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

namespace tenken::api {
namespace {

constexpr std::string_view bad = "ValidationException: The nextToken is not valid for this request";

class PageTokenTest : public ApiTest {
 protected:
  PageScope scope(std::string_view operation) const {
    return {.account = who_.account, .operation = operation, .key = services_.token_key};
  }
  // What is answered to a token of this position; question: as the operation has it.
  std::string asked(std::string_view operation, std::string_view question,
                    const std::vector<std::string>& position) {
    const auto token = seal_page_token(scope(operation), question, position);
    const auto given = question.starts_with('{') ? question : "{}";
    const auto out =
        call(operation, fmt::format(R"({}{}"nextToken":"{}"}})", given.substr(0, given.size() - 1),
                                    given.size() > 2 ? "," : "", token));
    return out ? "" : fmt::format("{}: {}", name(out.error().code), out.error().message);
  }
  int own_api(std::string_view operation, const std::string& path, const std::string& position) {
    const auto token = seal_page_token(scope(operation), path, {position});
    return v1::answer({.method = "GET", .target = path + "?nextToken=" + token}, who_, services_)
        .response.status;
  }
};

TEST_F(PageTokenTest, what_another_build_sealed_is_refused) {
  using Position = std::vector<std::string>;
  struct List {
    std::string_view operation;
    std::string_view question;
    Position ours;
  };
  const List lists[] = {
      {"ListCoverage", "{}", {"x", "y"}},
      {"ListCoverageStatistics", "{}", {"1", "y"}},
      {"ListFindingAggregations", R"({"aggregationType":"TITLE"})", {"1", "y", "z"}},
      {"ListFindingAggregations", R"({"aggregationType":"AWS_EC2_INSTANCE"})", {"1", "y", "2"}},
      {"ListUsageTotals", "{}", {"x"}},
      {"ListFilters", "{}", {"x"}},
      {"ListAccountPermissions", "", {"x"}},
  };
  for (const auto& [operation, question, ours] : lists) {
    EXPECT_EQ(asked(operation, question, ours), "") << operation;
    for (const auto& other : {Position{}, Position{"1", "2", "3", "4"}})
      EXPECT_EQ(asked(operation, question, other), bad) << operation << other.size();
  }
  EXPECT_EQ(asked("ListCoverageStatistics", "{}", {"x", "y"}), bad);
  EXPECT_EQ(asked("ListFindingAggregations", lists[2].question, {"x", "y", "z"}), bad);
  EXPECT_EQ(asked("ListFindingAggregations", lists[3].question, {"1", "y", "z"}), bad);
}

TEST_F(PageTokenTest, so_it_is_by_the_own_api) {
  put_inventory("web-1", {{"a", "1.0"}});
  const std::pair<std::string_view, std::string> lists[] = {
      {"/v1/audit", "/v1/audit"}, {"/v1/resources/{id}/packages", "/v1/resources/web-1/packages"}};
  for (const auto& [operation, path] : lists) {
    EXPECT_EQ(own_api(operation, path, "1"), 200) << path;
    EXPECT_EQ(own_api(operation, path, "x"), 400) << path;
  }
}

TEST_F(PageTokenTest, a_position_that_is_written_otherwise_is_refused) {
  const auto opens = [&](std::string_view text) {
    const auto bound = fmt::format("{}\nListCoverage\n{}", who_.account,
                                   crypto::to_hex(crypto::view(crypto::sha256("q"))));
    const auto token = crypto::to_base64url(crypto::seal(services_.token_key, text, bound));
    return open_page_token(scope("ListCoverage"), "q", token).has_value();
  };
  EXPECT_TRUE(opens("1:x2:yz"));
  for (const auto* text : {"x", "1:x2", "2:x", ":x", "-1:x"}) EXPECT_FALSE(opens(text)) << text;
}

}  // namespace
}  // namespace tenken::api
