// The API's small state on both engines: documents, and what is kept in them; tags.
#include "store/documents.h"

#include <gtest/gtest.h>

#include "store/organisation.h"
#include "store/scanning.h"
#include "store/tags.h"
#include "support/store_case.h"

namespace tenken::store {
namespace {

constexpr std::string_view first = "111122223333";
constexpr std::string_view second = "444455556666";

class DocumentsTest : public StoreCase {};

TEST_P(DocumentsTest, a_document_is_of_one_account_and_kind) {
  const DocumentKind reports{.account = first, .kind = "report"};
  ASSERT_TRUE(put_document(db(), reports, "a", "{\"n\":1}", 10));
  EXPECT_FALSE(*find_document(db(), {.account = second, .kind = "report"}, "a"));
  EXPECT_FALSE(*find_document(db(), {.account = first, .kind = "other"}, "a"));
  ASSERT_TRUE(put_document(db(), reports, "a", "{\"n\":2}", 20));
  EXPECT_FALSE(*add_document(db(), reports, "a", "{\"n\":3}", 30));
  const auto found = *find_document(db(), reports, "a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->body, "{\"n\":2}");
  EXPECT_EQ(found->created, 10);
  EXPECT_EQ(found->updated, 20);
}

TEST_P(DocumentsTest, documents_are_listed_by_id_and_deleted) {
  const DocumentKind reports{.account = first, .kind = "report"};
  for (const std::string_view id : {"c", "a", "b"})
    EXPECT_TRUE(*add_document(db(), reports, id, "{}", 1));
  const auto listed = *list_documents(db(), reports, "a", 1);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, "b");
  EXPECT_TRUE(*delete_document(db(), reports, "b"));
  EXPECT_FALSE(*delete_document(db(), reports, "b"));
  EXPECT_EQ(*count_documents(db(), reports), 2);
  EXPECT_EQ(*delete_documents(db(), reports), 2);
  EXPECT_EQ(*count_documents(db(), reports), 0);
}

TEST_P(DocumentsTest, the_organisation_has_one_administrator_with_its_members) {
  EXPECT_EQ(*delegated_administrator(db()), "");
  EXPECT_TRUE(*designate_administrator(db(), first, 1));
  EXPECT_FALSE(*designate_administrator(db(), second, 2));
  EXPECT_TRUE(*add_member(db(), first, second, 3));
  EXPECT_FALSE(*add_member(db(), first, second, 4));
  EXPECT_EQ(*administrator_of(db(), second), first);
  EXPECT_EQ(*administrator_of(db(), first), "");
  EXPECT_EQ(*visible_accounts(db(), first),
            (std::vector<std::string>{std::string(first), std::string(second)}));
  EXPECT_EQ(*visible_accounts(db(), second), (std::vector<std::string>{std::string(second)}));
  EXPECT_FALSE(*dismiss_administrator(db(), second));
  EXPECT_TRUE(*dismiss_administrator(db(), first));
  EXPECT_EQ(*count_members(db(), first), 0);
}

TEST_P(DocumentsTest, types_are_enabled_and_disabled_one_by_one) {
  ASSERT_TRUE(enable_types(db(), first, {"EC2", "ECR"}, 1));
  ASSERT_TRUE(enable_types(db(), first, {"ECR", "LAMBDA"}, 2));
  ASSERT_TRUE(disable_types(db(), first, {"EC2", "CODE_REPOSITORY"}));
  EXPECT_EQ(*enabled_types(db(), first), (ScanTypes{"ECR", "LAMBDA"}));
  EXPECT_TRUE(enabled_types(db(), second)->empty());
}

TEST_P(DocumentsTest, tags_are_replaced_by_name_and_bounded) {
  ASSERT_TRUE(put_tags(db(), first, "arn:1", {{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(put_tags(db(), first, "arn:1", {{"b", "3"}}));
  EXPECT_EQ(*list_tags(db(), first, "arn:1"), (Tags{{"a", "1"}, {"b", "3"}}));
  EXPECT_TRUE(list_tags(db(), second, "arn:1")->empty());
  ASSERT_TRUE(remove_tags(db(), first, "arn:1", {"a", "none"}));
  EXPECT_EQ(*list_tags(db(), first, "arn:1"), (Tags{{"b", "3"}}));
  Tags many;
  for (std::size_t i = 0; i < most_tags; ++i) many.emplace(std::to_string(i), "");
  const auto refused = put_tags(db(), first, "arn:1", many);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::limit);
  ASSERT_TRUE(clear_tags(db(), first, "arn:1"));
  EXPECT_TRUE(list_tags(db(), first, "arn:1")->empty());
}

INSTANTIATE_TEST_SUITE_P(BothEngines, DocumentsTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::store
