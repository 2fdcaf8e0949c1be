#include "store/tags.h"

#include "api/api_fixture.h"

namespace tenken::api {
namespace {

class TagsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    auto connection = pool_->lease();
    ASSERT_TRUE((*connection)
                    ->run("INSERT INTO filter (account_id, filter_id, name, action, criteria, "
                          "created_at, updated_at) VALUES (?1, 'f1', 'n', 'NONE', '{}', 1, 1)",
                          own_account));
  }
  static std::string with_arn(std::string_view more = "", std::string_view id = "f1",
                              std::string_view account = own_account) {
    return fmt::format(
        R"({{"resourceArn":"arn:aws:inspector2:us-east-1:{}:owner/{}/filter/{}"{}}})", account,
        account, id, more);
  }
};

TEST_F(TagsTest, a_filter_is_tagged_and_untagged) {
  EXPECT_EQ(answer("ListTagsForResource", with_arn()), R"({"tags":{}})");
  EXPECT_EQ(answer("TagResource", with_arn(R"(,"tags":{"team":"a","env":"prod","empty":""})")),
            "{}");
  EXPECT_EQ(answer("TagResource", with_arn(R"(,"tags":{"team":"b"})")), "{}");
  EXPECT_EQ(answer("ListTagsForResource", with_arn()),
            R"({"tags":{"empty":"","env":"prod","team":"b"}})");
  EXPECT_EQ(answer("UntagResource", with_arn(R"(,"tagKeys":["env","empty","none"])")), "{}");
  EXPECT_EQ(answer("ListTagsForResource", with_arn()), R"({"tags":{"team":"b"}})");
}

TEST_F(TagsTest, what_is_not_there_or_anothers_is_not_found) {
  for (const auto& arn :
       {with_arn("", "f2"), with_arn("", "f1", second_account), with_arn("", "f1' OR '1'='1"),
        std::string(R"({"resourceArn":"arn:aws:s3:::bucket"})"),
        std::string(R"({"resourceArn":"x"})")})
    EXPECT_TRUE(refusal("ListTagsForResource", arn).starts_with("ResourceNotFoundException"))
        << arn;
  become(second_account);
  EXPECT_TRUE(refusal("TagResource", with_arn(R"(,"tags":{"a":"b"})"))
                  .starts_with("ResourceNotFoundException"));
  EXPECT_TRUE(refusal("UntagResource", with_arn(R"(,"tagKeys":["a"])"))
                  .starts_with("ResourceNotFoundException"));
}

TEST_F(TagsTest, fifty_are_the_most_and_one_more_changes_nothing) {
  std::string tags;
  for (std::size_t i = 0; i < store::most_tags; ++i)
    tags += fmt::format(R"({}"k{}":"v")", i == 0 ? "" : ",", i);
  answer("TagResource", with_arn(fmt::format(R"(,"tags":{{{}}})", tags)));
  answer("TagResource", with_arn(R"(,"tags":{"k0":"w"})"));
  EXPECT_TRUE(refusal("TagResource", with_arn(R"(,"tags":{"k0":"x","more":"v"})"))
                  .starts_with("BadRequestException"));
  EXPECT_NE(answer("ListTagsForResource", with_arn()).find(R"("k0":"w")"), std::string::npos);
}

TEST_F(TagsTest, names_of_awss_own_are_refused) {
  for (const std::string_view name : {"aws:x", "AWS:x"})
    EXPECT_TRUE(refusal("TagResource", with_arn(fmt::format(R"(,"tags":{{"{}":"b"}})", name)))
                    .starts_with("ValidationException"));
  EXPECT_TRUE(refusal("UntagResource", with_arn(R"(,"tagKeys":["aws:x"])"))
                  .starts_with("ValidationException"));
}

TEST_F(TagsTest, a_name_that_could_not_be_removed_is_refused) {
  const auto pattern = model("UntagResource")
                           .operation("UntagResource")
                           ->input->member("tagKeys")
                           ->shape->element->pattern->text();
  for (const std::string_view name : {"cost center", "a@b", "名"}) {
    const auto tags = fmt::format(R"("tags":{{"{}":"b"}})", name);
    const auto said = fmt::format(
        "ValidationException: tags: {}: a name must satisfy regular expression "
        "pattern: {}",
        name, pattern);
    EXPECT_EQ(refusal("TagResource", with_arn("," + tags)), said);
    EXPECT_EQ(
        refusal("CreateFilter", R"({"name":"m","action":"NONE","filterCriteria":{},)" + tags + "}"),
        said);
  }
  EXPECT_EQ(answer("TagResource", with_arn(R"(,"tags":{"cost-center_1/a:b=c+d.e":"b"})")), "{}");
  EXPECT_EQ(answer("UntagResource", with_arn(R"(,"tagKeys":["cost-center_1/a:b=c+d.e"])")), "{}");
  EXPECT_EQ(answer("ListTagsForResource", with_arn()), R"({"tags":{}})");
}

TEST_F(TagsTest, tags_end_with_what_had_them) {
  auto connection = pool_->lease();
  ASSERT_TRUE(store::put_tags(**connection, own_account, "arn", {{"a", "b"}}));
  ASSERT_TRUE(store::clear_tags(**connection, own_account, "arn"));
  EXPECT_TRUE(store::list_tags(**connection, own_account, "arn")->empty());
}

}  // namespace
}  // namespace tenken::api
