// What only a server can do: go away, refuse, be configured.
#include "support/sql_case.h"

namespace tenken::sql {
namespace {

using test::TestDatabase;

class PostgresqlTest : public testing::Test {
 protected:
  void SetUp() override {
    NEED_ENGINE(Engine::postgresql);
    database_.emplace(Engine::postgresql);
    connection_ = open(database_->location()).value();
  }
  Error refusal(const std::string& uri) {
    const auto opened = open({.postgresql_uri = uri});
    EXPECT_FALSE(opened.has_value()) << uri;
    return opened ? Error{} : opened.error();
  }

  std::optional<TestDatabase> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(PostgresqlTest, a_server_that_went_away_is_unavailable_and_the_pool_heals) {
  ASSERT_OK(connection_->script("CREATE TABLE n (id BIGINT PRIMARY KEY)"));
  Pool pool(database_->location(), 2);
  const auto held = pool.lease();
  ASSERT_OK(held);
  {
    ASSERT_OK(pool.lease());
  }
  auto transaction = Transaction::begin(**held, Transaction::Mode::write);
  ASSERT_OK(transaction);
  ASSERT_OK((*held)->run("INSERT INTO n VALUES (1)"));
  database_->server().stop();
  EXPECT_EQ(code_of((*held)->run("INSERT INTO n VALUES (2)")), Errc::unavailable);
  EXPECT_EQ(code_of(transaction->commit()), Errc::internal);
  EXPECT_FALSE((*held)->usable());
  EXPECT_EQ(code_of((*held)->query("SELECT 1")), Errc::unavailable);
  EXPECT_EQ(code_of((*held)->script("SELECT 1")), Errc::unavailable);
  EXPECT_EQ(code_of(pool.lease()), Errc::unavailable);
  database_->server().start();
  const auto healed = pool.lease();
  ASSERT_OK(healed);
  EXPECT_EQ((*healed)->one_integer("SELECT count(*) FROM n").value(), 0);
}

TEST_F(PostgresqlTest, a_server_that_goes_away_in_the_middle_loses_no_answer_silently) {
  auto rows = connection_->query("SELECT generate_series(1, 3000000)");
  ASSERT_OK(rows);
  ASSERT_OK((*rows)->next());
  database_->server().stop();
  Result<const Row*> row = nullptr;
  do row = (*rows)->next();
  while (row && *row != nullptr);
  EXPECT_EQ(code_of(row), Errc::unavailable);
  rows->reset();
  EXPECT_FALSE(connection_->usable());
}

TEST_F(PostgresqlTest, a_load_cut_off_is_unavailable) {
  ASSERT_OK(connection_->script("CREATE TABLE n (id BIGINT PRIMARY KEY)"));
  for (const bool ignore : {false, true}) {
    const auto connection = open(database_->location()).value();
    auto bulk = connection->bulk({.table = "n", .columns = {"id"}, .ignore_existing = ignore});
    ASSERT_OK(bulk);
    database_->server().stop();
    Result<> added;
    for (std::int64_t id = 0; added && id < 20'000; ++id) {
      const Value row[] = {id};
      added = (*bulk)->add(row);
    }
    EXPECT_EQ(added ? code_of((*bulk)->finish()) : added.error().code, Errc::unavailable);
    bulk->reset();
    EXPECT_FALSE(connection->usable());
    database_->server().start();
  }
}

TEST_F(PostgresqlTest, a_wrong_password_is_denied_and_no_error_shows_it) {
  ASSERT_OK(connection_->script("CREATE ROLE guarded LOGIN PASSWORD 'right'"));
  EXPECT_TRUE(open({.postgresql_uri = database_->server().uri("guarded:right")}).has_value());
  const auto wrong = refusal(database_->server().uri("guarded:s3cret"));
  EXPECT_EQ(wrong.code, Errc::denied) << wrong.what;
  EXPECT_FALSE(wrong.what.contains("s3cret")) << wrong.what;
  EXPECT_EQ(refusal(database_->server().uri("guarded")).code, Errc::denied);
  for (const auto* bad : {"postgresql://u:s3cret/db", "postgresql://u:s3cret@host:s3cret/db",
                          "postgresql://u:s3cret@h/db?s3cret=1", "postgresql://u:s3cret@h/%s3cret",
                          "postgresql://u:s3cret@s3cret@host/db", "host=h password=s3cret"}) {
    const auto error = refusal(bad);
    EXPECT_EQ(error.code, Errc::invalid) << error.what;
    EXPECT_FALSE(error.what.contains("s3cret")) << error.what;
  }
}

TEST_F(PostgresqlTest, what_cannot_be_reached_is_named) {
  const auto& server = database_->server();
  EXPECT_EQ(refusal("postgresql://127.0.0.1:1/db").code, Errc::unavailable);
  const auto missing = server.uri();
  const auto at = missing.find("/postgres?");
  EXPECT_EQ(refusal(missing.substr(0, at) + "/missing" + missing.substr(at + 9)).code,
            Errc::not_found);
  ASSERT_OK(
      connection_->run("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' "
                       "TEMPLATE template0"));
  EXPECT_EQ(refusal(missing.substr(0, at) + "/ascii" + missing.substr(at + 9)).code, Errc::invalid);
}

TEST_F(PostgresqlTest, options_of_the_address_count) {
  const auto uri = database_->server().uri();
  const auto slow =
      open({.postgresql_uri = uri + "&options=-c%20statement_timeout%3D100&application_name=x"});
  ASSERT_OK(slow);
  EXPECT_EQ(code_of((*slow)->query("SELECT pg_sleep(5)")), Errc::unavailable);
  EXPECT_EQ((*slow)->one_text("SHOW application_name").value(), "x");
  EXPECT_EQ(connection_->one_text("SHOW application_name").value(), "tenken");
  EXPECT_EQ(connection_->one_text("SHOW lock_timeout").value(), "300ms");
}

}  // namespace
}  // namespace tenken::sql
