// The same cases on both engines: values, statements, transactions.
#include "sql/sql.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include <malloc.h>

#include "support/sql_case.h"

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace tenken::sql {
namespace {

// Bytes in use on the heap; without the sanitizer's quarantine.
std::size_t heap_bytes() {
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
  return __sanitizer_get_current_allocated_bytes();
#else
  return ::mallinfo2().uordblks;
#endif
}

INSTANTIATE_TEST_SUITE_P(BothEngines, SqlTest, testing::Values(Engine::sqlite, Engine::postgresql),
                         test::engine_name);

TEST_P(SqlTest, values_of_each_type_come_back_as_they_were) {
  create_all_types();
  using namespace std::string_view_literals;
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
  const std::string long_text(100'000, 'x');
  const std::string_view texts[] = {"", "plain", "it's \"quoted\" ?1 $1 -- ; \\ \n \t %_",
                                    "点検 脆弱性 𠮷野家", long_text};
  const std::string_view blobs[] = {"", "\0a\0"sv, "\\x41"sv, "\xff\xfe\x00\x80"sv, long_text};
  const std::int64_t integers[] = {least, greatest, 0, -1, 1};
  const double numbers[] = {0.1, -1.5e300, 5e-324, 1.0 / 3, 0};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto changed = connection_->run("INSERT INTO t (id, i, d, s, b) VALUES (?1,?2,?3,?4,?5)",
                                          static_cast<std::int64_t>(i), integers[i], numbers[i],
                                          texts[i], Blob{blobs[i]});
    ASSERT_OK(changed);
    EXPECT_EQ(*changed, 1);
  }
  const auto rows = connection_->query("SELECT id, i, d, s, b FROM t ORDER BY id");
  ASSERT_OK(rows);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto row = (*rows)->next();
    ASSERT_OK(row);
    ASSERT_NE(*row, nullptr);
    EXPECT_EQ((*row)->integer(0), static_cast<std::int64_t>(i));
    EXPECT_EQ((*row)->integer(1), integers[i]);
    EXPECT_EQ((*row)->number(2), numbers[i]);
    EXPECT_EQ((*row)->text(3), texts[i]);
    EXPECT_EQ((*row)->text(4), blobs[i]);
    for (int column = 0; column < 5; ++column) EXPECT_FALSE((*row)->is_null(column));
  }
  const auto end = (*rows)->next();
  ASSERT_OK(end);
  EXPECT_EQ(*end, nullptr);
}

TEST_P(SqlTest, null_is_no_value_of_any_type) {
  create_all_types();
  ASSERT_OK(connection_->run("INSERT INTO t VALUES (1, ?1, ?2, ?3, ?4)", Null{}, Null{}, Null{},
                             optional_value(std::nullopt)));
  ASSERT_OK(connection_->run("INSERT INTO t VALUES (2, ?1, ?2, ?3, ?4)", 7, 0.5, "a", Blob{"b"}));
  ASSERT_OK(
      connection_->run("INSERT INTO t VALUES (3, ?1, ?2, ?3, ?4)", Null{}, 1.5, Null{}, Blob{"c"}));
  const auto rows = connection_->query("SELECT i, d, s, b FROM t WHERE id = ?1", 1);
  ASSERT_OK(rows);
  const auto row = (*rows)->next();
  ASSERT_OK(row);
  ASSERT_NE(*row, nullptr);
  for (int column = 0; column < 4; ++column) {
    EXPECT_TRUE((*row)->is_null(column));
    EXPECT_EQ((*row)->integer(column), 0);
    EXPECT_EQ((*row)->number(column), 0);
    EXPECT_EQ((*row)->text(column), "");
    EXPECT_EQ((*row)->optional_integer(column), std::nullopt);
  }
}

TEST_P(SqlTest, one_value_of_no_row_or_null_is_empty) {
  create_numbers();
  EXPECT_EQ(connection_->one_integer("SELECT v FROM n").value(), std::nullopt);
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, ?1)", Null{}));
  EXPECT_EQ(connection_->one_integer("SELECT v FROM n").value(), std::nullopt);
  EXPECT_EQ(connection_->one_text("SELECT v FROM n").value(), std::nullopt);
  ASSERT_OK(connection_->run("UPDATE n SET v = ?1", 12));
  EXPECT_EQ(connection_->one_integer("SELECT v FROM n WHERE id = ?1", 1).value(), 12);
  EXPECT_EQ(connection_->one_text("SELECT v FROM n").value(), "12");
}

TEST_P(SqlTest, sums_counts_averages_and_comparisons_are_numbers) {
  create_numbers();
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, ?1), (2, ?2)", 3'000'000'000, 4));
  EXPECT_EQ(connection_->one_integer("SELECT sum(v) FROM n").value(), 3'000'000'004);
  EXPECT_EQ(connection_->one_integer("SELECT v + ?1 FROM n WHERE id = 1", 1).value(),
            3'000'000'001);
  EXPECT_EQ(connection_->one_integer("SELECT ?1 + ?2", 1, 3'000'000'000).value(), 3'000'000'001);
  EXPECT_EQ(connection_->one_integer("SELECT v > ?1 FROM n WHERE id = 1", 5).value(), 1);
  EXPECT_EQ(connection_->one_integer("SELECT v > ?1 FROM n WHERE id = 2", 5).value(), 0);
  EXPECT_EQ(connection_->one_integer("SELECT avg(v) FROM n").value(), 1'500'000'002);
  const auto rows = connection_->query("SELECT avg(v * 1.0) / 8 FROM n WHERE id = 2");
  ASSERT_OK(rows);
  EXPECT_EQ((*rows)->next().value()->number(0), 0.5);
}

TEST_P(SqlTest, a_filter_that_is_null_filters_nothing) {
  create_all_types();
  ASSERT_OK(connection_->run("INSERT INTO t (id, s) VALUES (1, 'a'), (2, 'b')"));
  const auto matching = [&](const Value& text, const Value& id) {
    const Value values[] = {text, id};
    const auto found = connection_->one_integer(
        "SELECT count(*) FROM t WHERE (?1 IS NULL OR s = ?1) AND (?2 IS NULL OR id = ?2)", values);
    EXPECT_OK(found);
    return found ? found->value_or(-1) : -1;
  };
  EXPECT_EQ(matching(Null{}, Null{}), 2);
  EXPECT_EQ(matching("a", Null{}), 1);
  EXPECT_EQ(matching(Null{}, 2), 1);
  EXPECT_EQ(matching("a", 2), 0);
  EXPECT_EQ(matching("a", 1), 1);
}

TEST_P(SqlTest, the_same_parameter_takes_values_of_several_types) {
  create_all_types();
  ASSERT_OK(connection_->run("INSERT INTO t (id, d) VALUES (?1, ?2)", 1, 5));
  ASSERT_OK(connection_->run("INSERT INTO t (id, d) VALUES (?1, ?2)", 2, 2.5));
  ASSERT_OK(connection_->run("INSERT INTO t (id, d) VALUES (?1, ?2)", 3, Null{}));
  const auto rows = connection_->query("SELECT d FROM t WHERE d IS NOT NULL ORDER BY id");
  ASSERT_OK(rows);
  EXPECT_EQ((*rows)->next().value()->number(0), 5);
  EXPECT_EQ((*rows)->next().value()->number(0), 2.5);
}

TEST_P(SqlTest, parameters_inside_quotes_and_comments_are_text) {
  const auto answer = connection_->one_text(
      "SELECT '?1' || /* ?2 ' */ ?1 || \"?3\" -- ?4 '\n FROM (SELECT 'it''s ?5' AS \"?3\") x", "-");
  ASSERT_EQ(error_of(answer), "no error");
  EXPECT_EQ(*answer, "?1-it's ?5");
}

TEST_P(SqlTest, text_that_is_not_utf8_or_holds_nul_is_refused) {
  create_all_types();
  using namespace std::string_view_literals;
  for (const auto text : {"a\0b"sv, "\xff"sv, "\xed\xa0\x80"sv, "\xc0\x80"sv, "half \xe7\x82"sv}) {
    EXPECT_EQ(code_of(connection_->run("INSERT INTO t (id, s) VALUES (1, ?1)", text)),
              Errc::invalid);
    EXPECT_EQ(code_of(connection_->query("SELECT id FROM t WHERE s = ?1", text)), Errc::invalid);
    auto bulk = connection_->bulk({.table = "t", .columns = {"id", "s"}});
    ASSERT_OK(bulk);
    const Value row[] = {1, text};
    EXPECT_EQ(code_of((*bulk)->add(row)), Errc::invalid);
  }
  for (const double number : {std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_EQ(code_of(connection_->run("INSERT INTO t (id, d) VALUES (1, ?1)", number)),
              Errc::invalid);
  EXPECT_EQ(count(*connection_, "t"), 0);
}

TEST_P(SqlTest, a_wrong_statement_is_internal_and_named) {
  const auto wrong = connection_->run("SELEC 1");
  EXPECT_EQ(code_of(wrong), Errc::internal);
  EXPECT_NE(wrong.error().what.find("SELEC 1"), std::string::npos) << wrong.error().what;
  EXPECT_EQ(code_of(connection_->query("SELECT * FROM missing")), Errc::internal);
  EXPECT_EQ(code_of(connection_->query("SELECT \"missing\"")), Errc::internal);
  EXPECT_EQ(code_of(connection_->script("SELECT 1; SELEC 2")), Errc::internal);
  EXPECT_EQ(code_of(connection_->run("SELECT 1; SELECT 2")), Errc::internal);
  EXPECT_EQ(code_of(connection_->run("SELECT ?1 + ?2", 1)), Errc::internal);
  EXPECT_EQ(code_of(connection_->run("SELECT ?1 + 1", 1, 2)), Errc::internal);
  EXPECT_EQ(code_of(connection_->bulk({.table = "missing", .columns = {"a"}})), Errc::internal);
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(connection_->one_integer("SELECT 1").value(), 1);
}

TEST_P(SqlTest, like_tells_case_and_text_is_ordered_by_its_bytes) {
  create_all_types();
  ASSERT_OK(connection_->run(
      "INSERT INTO t (id, s) VALUES (1, 'b'), (2, 'B'), (3, 'a'), (4, 'ä'), (5, '_'), (6, 'a%')"));
  EXPECT_EQ(connection_->one_integer("SELECT count(*) FROM t WHERE s LIKE 'b%'").value(), 1);
  EXPECT_EQ(
      connection_->one_integer("SELECT count(*) FROM t WHERE s LIKE ?1 ESCAPE '!'", "a!%").value(),
      1);
  const auto listed = connection_->one_text(fmt::format(
      "SELECT {} FROM (SELECT s FROM t ORDER BY s) x", joined(GetParam(), "s", "'", "s")));
  EXPECT_EQ(listed.value(), "B'_'a'a%'b'ä");
  EXPECT_EQ(connection_
                ->one_integer(fmt::format("SELECT {}(1, 3, 2) - {}(4, 3, 5)", words().greatest,
                                          words().least))
                .value(),
            0);
}

TEST_P(SqlTest, many_different_statements_and_one_many_times) {
  create_numbers();
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(connection_->one_integer(fmt::format("SELECT {} + ?1", i), 1).value(), i + 1);
    ASSERT_OK(connection_->run("INSERT INTO n VALUES (?1, ?2)", i, i));
  }
  EXPECT_EQ(count(*connection_), 300);
}

TEST_P(SqlTest, changed_rows_are_counted) {
  create_numbers();
  EXPECT_EQ(connection_->run("INSERT INTO n VALUES (1, 1), (2, 1), (3, 2)").value(), 3);
  EXPECT_EQ(connection_->run("UPDATE n SET v = 1 WHERE v = 1").value(), 2);
  EXPECT_EQ(connection_->run("INSERT INTO n VALUES (1, 9) ON CONFLICT DO NOTHING").value(), 0);
  EXPECT_EQ(connection_
                ->run("INSERT INTO n VALUES (1, 9), (4, 4) ON CONFLICT (id) DO UPDATE SET v = "
                      "excluded.v")
                .value(),
            2);
  EXPECT_EQ(connection_->run("SELECT * FROM n").value(), 0);
  EXPECT_EQ(connection_->run("CREATE TABLE other (id BIGINT)").value(), 0);
  EXPECT_EQ(connection_->run("DELETE FROM n").value(), 4);
}

TEST_P(SqlTest, returning_answers_after_the_change_is_made) {
  create_numbers();
  {
    const auto rows = connection_->query("INSERT INTO n VALUES (1, 5), (2, 6) RETURNING v");
    ASSERT_OK(rows);
    EXPECT_EQ((*rows)->next().value()->integer(0), 5);
  }
  EXPECT_EQ(count(*connection_), 2);
}

TEST_P(SqlTest, a_broken_constraint_is_a_conflict) {
  ASSERT_OK(connection_->script(
      "CREATE TABLE n (id BIGINT PRIMARY KEY, v BIGINT NOT NULL CHECK (v < 10));"
      "CREATE TABLE child (id BIGINT PRIMARY KEY REFERENCES n (id))"));
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1)"));
  EXPECT_EQ(code_of(connection_->run("INSERT INTO n VALUES (1, 1)")), Errc::conflict);
  EXPECT_EQ(code_of(connection_->run("INSERT INTO n VALUES (2, ?1)", Null{})), Errc::conflict);
  EXPECT_EQ(code_of(connection_->run("INSERT INTO n VALUES (2, 10)")), Errc::conflict);
  EXPECT_EQ(code_of(connection_->run("INSERT INTO child VALUES (7)")), Errc::conflict);
  EXPECT_EQ(code_of(connection_->query("INSERT INTO n VALUES (1, 1) RETURNING id")),
            Errc::conflict);
  EXPECT_EQ(count(*connection_), 1);
}

TEST_P(SqlTest, a_script_is_all_or_nothing) {
  EXPECT_EQ(code_of(connection_->script("CREATE TABLE n (id BIGINT PRIMARY KEY);"
                                        "INSERT INTO n VALUES (1);"
                                        "INSERT INTO n VALUES (1)")),
            Errc::conflict);
  EXPECT_EQ(code_of(connection_->query("SELECT * FROM n")), Errc::internal);
  EXPECT_OK(connection_->script(""));
  EXPECT_OK(connection_->script("CREATE TABLE n (id BIGINT PRIMARY KEY); -- end\n"));
  {
    auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
    ASSERT_OK(transaction);
    ASSERT_OK(connection_->script("CREATE TABLE m (id BIGINT); INSERT INTO n VALUES (1)"));
  }
  EXPECT_EQ(count(*connection_), 0);
}

TEST_P(SqlTest, a_transaction_is_committed_or_never_was) {
  create_numbers();
  {
    auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
    ASSERT_OK(transaction);
    ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1)"));
    EXPECT_FALSE(connection_->usable());
  }
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(count(*connection_), 0);
  auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
  ASSERT_OK(transaction);
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (2, 2)"));
  EXPECT_EQ(count(*connect()), 0);
  ASSERT_OK(transaction->commit());
  EXPECT_EQ(count(*connect()), 1);
}

TEST_P(SqlTest, transactions_do_not_nest) {
  create_numbers();
  auto outer = Transaction::begin(*connection_, Transaction::Mode::write);
  ASSERT_OK(outer);
  EXPECT_EQ(code_of(Transaction::begin(*connection_, Transaction::Mode::write)), Errc::internal);
  EXPECT_EQ(code_of(Transaction::begin(*connection_, Transaction::Mode::read)), Errc::internal);
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1)"));
  ASSERT_OK(outer->commit());
  EXPECT_EQ(count(*connection_), 1);
}

TEST_P(SqlTest, a_transaction_with_a_failed_statement_only_rolls_back) {
  create_numbers();
  auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
  ASSERT_OK(transaction);
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1)"));
  EXPECT_EQ(code_of(connection_->run("INSERT INTO n VALUES (1, 1)")), Errc::conflict);
  EXPECT_EQ(code_of(connection_->run("INSERT INTO n VALUES (2, 2)")), Errc::internal);
  EXPECT_EQ(code_of(connection_->query("SELECT 1")), Errc::internal);
  EXPECT_EQ(code_of(transaction->commit()), Errc::internal);
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(count(*connection_), 0);
}

TEST_P(SqlTest, a_constraint_checked_at_the_end_fails_the_commit) {
  ASSERT_OK(connection_->script(
      "CREATE TABLE n (id BIGINT PRIMARY KEY);"
      "CREATE TABLE child (id BIGINT REFERENCES n (id) DEFERRABLE INITIALLY DEFERRED)"));
  auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
  ASSERT_OK(transaction);
  ASSERT_OK(connection_->run("INSERT INTO child VALUES (7)"));
  EXPECT_EQ(code_of(transaction->commit()), Errc::conflict);
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(count(*connection_, "child"), 0);
}

TEST_P(SqlTest, a_reading_transaction_sees_one_state_and_cannot_write) {
  create_numbers();
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1)"));
  const auto reader = connect();
  auto transaction = Transaction::begin(*reader, Transaction::Mode::read);
  ASSERT_OK(transaction);
  EXPECT_EQ(count(*reader), 1);
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (2, 2)"));
  EXPECT_EQ(count(*reader), 1);
  EXPECT_EQ(count(*connection_), 2);
  EXPECT_EQ(code_of(reader->run("INSERT INTO n VALUES (3, 3)")), Errc::internal);
  EXPECT_EQ(code_of(transaction->commit()), Errc::internal);
  EXPECT_EQ(count(*reader), 2);
  auto again = Transaction::begin(*reader, Transaction::Mode::read);
  ASSERT_OK(again);
  EXPECT_EQ(count(*reader), 2);
  EXPECT_OK(again->commit());
}

TEST_P(SqlTest, a_connection_does_one_thing_at_a_time) {
  create_numbers();
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1), (2, 2), (3, 3)"));
  {
    const auto rows = connection_->query("SELECT id FROM n ORDER BY id");
    ASSERT_OK(rows);
    EXPECT_EQ((*rows)->next().value()->integer(0), 1);
    EXPECT_EQ(code_of(connection_->run("DELETE FROM n")), Errc::internal);
    EXPECT_EQ(code_of(connection_->query("SELECT 1")), Errc::internal);
    EXPECT_EQ(code_of(connection_->script("SELECT 1")), Errc::internal);
    EXPECT_EQ(code_of(Transaction::begin(*connection_, Transaction::Mode::read)), Errc::internal);
    EXPECT_FALSE(connection_->usable());
    EXPECT_EQ((*rows)->next().value()->integer(0), 2);
  }
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(count(*connection_), 3);
}

TEST_P(SqlTest, an_answer_may_outlive_its_transaction_but_is_not_read_on) {
  create_numbers();
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1), (2, 2), (3, 3)"));
  std::unique_ptr<Rows> rows;
  {
    auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
    ASSERT_OK(transaction);
    rows = connection_->query("DELETE FROM n RETURNING id").value();
    ASSERT_OK(rows->next());
  }
  rows.reset();
  EXPECT_TRUE(connection_->usable());
  EXPECT_EQ(count(*connection_), 3);
}

TEST_P(SqlTest, a_million_rows_are_read_in_little_memory) {
  const auto rows = connection_->query(
      "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 1000000) "
      "SELECT i, 'row ' || i || ' with some text that takes its place' FROM r");
  ASSERT_OK(rows);
  const auto before = heap_bytes();
  std::int64_t sum = 0;
  std::size_t most = 0;
  for (int i = 0;; ++i) {
    const auto row = (*rows)->next();
    ASSERT_OK(row);
    if (*row == nullptr) break;
    sum += (*row)->integer(0);
    if (i % 10'000 == 0) most = std::max(most, heap_bytes());
  }
  EXPECT_EQ(sum, 500'000'500'000);
  EXPECT_LT(most, before + (std::size_t{4} << 20));
}

TEST_P(SqlTest, a_writer_waits_for_a_lock_and_then_gives_up) {
  create_numbers();
  ASSERT_OK(connection_->run("INSERT INTO n VALUES (1, 1)"));
  const auto other = connect();
  auto transaction = Transaction::begin(*connection_, Transaction::Mode::write);
  ASSERT_OK(transaction);
  ASSERT_OK(connection_->run("UPDATE n SET v = 2"));
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(other->run("UPDATE n SET v = 3")), Errc::unavailable);
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(250));
  EXPECT_EQ(other->one_integer("SELECT v FROM n").value(), 1);
  std::thread committer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_OK(transaction->commit());
  });
  EXPECT_OK(other->run("UPDATE n SET v = v + 2"));
  committer.join();
  EXPECT_EQ(other->one_integer("SELECT v FROM n").value(), 4);
}

}  // namespace
}  // namespace tenken::sql
