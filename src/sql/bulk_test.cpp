// Loads, on both engines.
#include "support/sql_case.h"

namespace tenken::sql {
namespace {

class BulkTest : public SqlTest {};
INSTANTIATE_TEST_SUITE_P(BothEngines, BulkTest, testing::Values(Engine::sqlite, Engine::postgresql),
                         test::engine_name);

TEST_P(BulkTest, a_bulk_of_new_rows) {
  create_all_types();
  auto bulk = connection_->bulk({.table = "t", .columns = {"id", "i", "d", "s", "b"}});
  ASSERT_OK(bulk);
  constexpr std::int64_t rows = 25'000;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::string text = fmt::format("点\"',\\{}", i);
    const Value row[] = {i, i % 3 == 0 ? Value(Null{}) : Value(i - 5),
                         i % 2 == 0 ? Value(i) : Value(static_cast<double>(i) / 4), text,
                         Blob{std::string_view("\0\xff", 2)}};
    ASSERT_OK((*bulk)->add(row));
  }
  const auto other = connect();
  EXPECT_EQ(count(*other, "t"), 0);
  EXPECT_EQ((*bulk)->finish().value(), rows);
  EXPECT_EQ(count(*other, "t"), rows);
  bulk->reset();
  const auto answer = connection_->query("SELECT i, d, s, b FROM t WHERE id = ?1", 20'001);
  ASSERT_OK(answer);
  const Row* row = (*answer)->next().value();
  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(row->is_null(0));
  EXPECT_EQ(row->number(1), 5000.25);
  EXPECT_EQ(row->text(2), "点\"',\\20001");
  EXPECT_EQ(row->text(3), std::string_view("\0\xff", 2));
}

TEST_P(BulkTest, a_bulk_passes_over_rows_that_are_there) {
  create_numbers();
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (2, 20)"));
  auto bulk = connection_->bulk({.table = "n", .columns = {"id", "v"}, .ignore_existing = true});
  ASSERT_OK(bulk);
  for (const std::int64_t id : {1, 2, 3, 3}) {
    const Value row[] = {id, id};
    ASSERT_OK((*bulk)->add(row));
  }
  EXPECT_EQ((*bulk)->finish().value(), 2);
  bulk->reset();
  EXPECT_EQ(connection_->one_integer("SELECT v FROM n WHERE id = 2").value(), 20);
}

TEST_P(BulkTest, a_bulk_with_a_duplicate_is_a_conflict_and_leaves_nothing) {
  create_numbers();
  {
    auto bulk = connection_->bulk({.table = "n", .columns = {"id", "v"}});
    ASSERT_OK(bulk);
    Result<> added;
    for (const std::int64_t id : {1, 2, 2}) {
      const Value row[] = {id, id};
      if (added) added = (*bulk)->add(row);
    }
    EXPECT_EQ(added ? code_of((*bulk)->finish()) : added.error().code, Errc::conflict);
    EXPECT_EQ(code_of((*bulk)->finish()), Errc::internal);
  }
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(count(*connection_), 0);
}

TEST_P(BulkTest, a_bulk_that_is_dropped_leaves_nothing) {
  create_numbers();
  const Value row[] = {1, 1};
  {
    auto bulk = connection_->bulk({.table = "n", .columns = {"id", "v"}});
    ASSERT_OK(bulk);
    ASSERT_OK((*bulk)->add(row));
    EXPECT_EQ(code_of(connection_->query("SELECT 1")), Errc::internal);
    EXPECT_EQ(code_of(connection_->bulk({.table = "n", .columns = {"id"}})), Errc::internal);
  }
  EXPECT_EQ(count(*connection_), 0);
  auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
  ASSERT_OK(transaction);
  {
    auto bulk = connection_->bulk({.table = "n", .columns = {"id", "v"}});
    ASSERT_OK(bulk);
    ASSERT_OK((*bulk)->add(row));
  }
  EXPECT_EQ(code_of(transaction->commit()), Errc::internal);
  EXPECT_EQ(count(*connection_), 0);
}

TEST_P(BulkTest, a_bulk_inside_a_transaction_is_part_of_it) {
  create_numbers();
  {
    auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
    ASSERT_OK(transaction);
    for (std::int64_t id = 0; id < 3; ++id) {
      auto bulk =
          connection_->bulk({.table = "n", .columns = {"id", "v"}, .ignore_existing = true});
      ASSERT_OK(bulk);
      for (const std::int64_t i : {id, id + 1}) {
        const Value row[] = {i, Null{}};
        ASSERT_OK((*bulk)->add(row));
      }
      EXPECT_EQ((*bulk)->finish().value(), id == 0 ? 2 : 1);
    }
    EXPECT_EQ(count(*connection_), 4);
    EXPECT_EQ(count(*connect()), 0);
  }
  EXPECT_EQ(count(*connection_), 0);
  auto bulk = connection_->bulk({.table = "n", .columns = {"id", "v"}});
  ASSERT_OK(bulk);
  EXPECT_EQ((*bulk)->finish().value(), 0);
}

}  // namespace
}  // namespace tenken::sql
