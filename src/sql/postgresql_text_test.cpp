#include "sql/postgresql_text.h"

#include <gtest/gtest.h>

namespace tenken::sql {
namespace {

using namespace std::string_view_literals;

TEST(PostgresqlText, parameters_are_numbered_with_a_dollar) {
  const auto numbered = number_parameters("SELECT ?2, ?1 + ?12 WHERE a=?1");
  EXPECT_EQ(numbered.text, "SELECT $2, $1 + $12 WHERE a=$1");
  EXPECT_EQ(numbered.parameters, 12u);
}

TEST(PostgresqlText, what_is_quoted_or_commented_is_no_parameter) {
  for (const auto sql : {"'?1'"sv, "'it''s ?1'"sv, "\"?1\"\"?2\""sv, "-- ?1"sv, "-- ' ?1\n"sv,
                         "/* ?1 */"sv, "/* /* ?1 */ ?2 */"sv, "/* ?1"sv, "'?1"sv, "a ? b"sv, "?"sv,
                         "?0"sv, "?99999999999999999999"sv, ""sv, "-"sv, "/"sv, "/*/"sv}) {
    EXPECT_EQ(number_parameters(sql).text, sql);
    EXPECT_EQ(number_parameters(sql).parameters, 0u) << sql;
  }
  EXPECT_EQ(number_parameters("'a'?1'b' -- '\n?2 /**/?3").text, "'a'$1'b' -- '\n$2 /**/$3");
  EXPECT_EQ(number_parameters("a-?1/?2").text, "a-$1/$2");
}

TEST(PostgresqlText, a_parameter_known_to_be_null_is_the_word) {
  const auto numbered = number_parameters("VALUES (?1, ?2, '?1', ?3)", {true, false});
  EXPECT_EQ(numbered.text, "VALUES (NULL, $2, '?1', $3)");
  EXPECT_EQ(numbered.parameters, 3u);
}

TEST(PostgresqlText, bytes_are_read_from_their_hexadecimal_form) {
  EXPECT_EQ(decode_bytea("\\x0041ffFE"), "\0A\xff\xfe"sv);
  for (const auto none : {""sv, "\\x"sv, "\\"sv, "41"sv, "\\x4g"sv, "\\x4"sv})
    EXPECT_EQ(decode_bytea(none), "") << none;
}

TEST(PostgresqlText, error_codes_say_what_may_be_tried_again) {
  for (const auto sqlstate : {"40001", "40P01", "55P03", "57P01", "57014", "53100", "08006"})
    EXPECT_EQ(code_of_sqlstate(sqlstate), Errc::unavailable) << sqlstate;
  EXPECT_EQ(code_of_sqlstate("23505"), Errc::conflict);
  EXPECT_EQ(code_of_sqlstate("28P01"), Errc::denied);
  EXPECT_EQ(code_of_sqlstate("42501"), Errc::denied);
  EXPECT_EQ(code_of_sqlstate("42601"), Errc::internal);
  EXPECT_EQ(code_of_sqlstate("3D000"), Errc::not_found);
  EXPECT_EQ(code_of_sqlstate("XX001"), Errc::internal);
  EXPECT_EQ(code_of_sqlstate("XX000"), Errc::internal);
  EXPECT_EQ(code_of_sqlstate(""), Errc::internal);
}

TEST(PostgresqlText, the_cause_of_a_failed_connection_is_found_in_its_text) {
  const auto refused = read_connect_failure(
      "connection to server at \"::1\", port 5432 failed: FATAL:  28P01: password wrong\n"
      "LOCATION:  auth_failed, auth.c:326\n");
  EXPECT_EQ(refused.sqlstate, "28P01");
  EXPECT_EQ(refused.message, "password wrong");
  const auto silent = read_connect_failure("connection to server failed: Connection refused\n");
  EXPECT_EQ(silent.sqlstate, "");
  EXPECT_EQ(silent.message, "connection to server failed: Connection refused");
  EXPECT_EQ(read_connect_failure("a:  no code").sqlstate, "");
  EXPECT_EQ(read_connect_failure("a:  ").sqlstate, "");
  EXPECT_EQ(read_connect_failure("").message, "");
}

TEST(PostgresqlText, an_address_that_could_be_misread_is_refused) {
  for (const auto good :
       {"postgresql://"sv, "postgres://host/db"sv, "postgresql://user:pass%40word@host:5432/db"sv,
        "postgresql://user@/db?host=/run/postgresql"sv, "postgresql://[::1]:5432,other/db"sv})
    EXPECT_TRUE(check_address(good).has_value()) << good;
  for (const auto bad :
       {""sv, "host=a password=secret"sv, "mysql://user:secret@host"sv,
        "postgresql://user:secret@secret@host/db"sv, "postgresql://user:secret/secret@host/db"sv}) {
    const auto checked = check_address(bad);
    ASSERT_FALSE(checked.has_value()) << bad;
    EXPECT_EQ(checked.error().code, Errc::invalid);
    EXPECT_FALSE(checked.error().what.contains("secret"));
  }
}

}  // namespace
}  // namespace tenken::sql
