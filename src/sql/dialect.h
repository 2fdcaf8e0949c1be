// The words in which the two engines differ. Everything else is written once for both:
// ON CONFLICT, RETURNING, IS DISTINCT FROM, WITH RECURSIVE, BIGINT, DOUBLE PRECISION. To be said
// always, since the engines assume different things: NULLS FIRST or LAST where a sorted column may
// be null, ESCAPE where a LIKE pattern may hold a backslash.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "sql/sql.h"

namespace tenken::sql {

struct Dialect {
  // Column types. Text is ordered by its bytes on both engines, whatever the database's locale.
  std::string_view text;
  std::string_view blob;
  // After the closing parenthesis of CREATE TABLE: rows stand in the primary key itself.
  std::string_view clustered;
  // After the name of a column: the table's integer key, which is SQLite's own row number.
  std::string_view id;
  // The greatest and the least of several values of one row, none of them null: on nulls the
  // engines differ.
  std::string_view greatest;
  std::string_view least;
  // At the end of a SELECT that takes jobs: rows that another connection holds are passed over.
  // SQLite has one writer, so nothing is held while a writing transaction looks.
  std::string_view skip_locked;
  // At the end of a SELECT: what it read stays as it is until the transaction ends.
  std::string_view for_share;
  // The same, and nobody else may mean to change it.
  std::string_view for_update;
};
const Dialect& dialect(Engine engine);

// Aggregate: the group's texts in the order of `order`, with separator between them. SQLite before
// 3.44 has no ORDER BY in aggregates and takes the rows as they come: so the rows must come from a
// subquery that ends with ORDER BY the group's columns, then `order`.
std::string joined(Engine engine, std::string_view expression, std::string_view separator,
                   std::string_view order);

// After a table and its alias: by which index SQLite, which does not know how many rows there are,
// reads it. PostgreSQL counts them, and chooses itself.
std::string read_by(Engine engine, std::string_view index);

// "name", with quotes inside doubled.
std::string quoted_name(std::string_view name);

}  // namespace tenken::sql
