// A statement as it is put together: its text, in which values stand as ?1, ?2, … and nowhere else,
// and the values, owned.
//
// Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "sql/sql.h"

namespace tenken::store {

using OwnedValue = std::variant<std::int64_t, double, std::string>;

class SqlText {
 public:
  // The placeholder of a value: "?7".
  std::string bind(OwnedValue value) {
    values_.push_back(std::move(value));
    return fmt::format("?{}", values_.size());
  }
  SqlText& add(std::string_view text) {
    text_ += text;
    return *this;
  }
  const std::string& text() const { return text_; }
  // Borrows from this object.
  std::vector<sql::Value> values() const {
    std::vector<sql::Value> out;
    out.reserve(values_.size());
    for (const auto& value : values_) out.push_back(std::visit(Borrow{}, value));
    return out;
  }

 private:
  struct Borrow {
    sql::Value operator()(std::int64_t value) const { return value; }
    sql::Value operator()(double value) const { return value; }
    sql::Value operator()(const std::string& value) const { return std::string_view(value); }
  };
  std::string text_;
  std::vector<OwnedValue> values_;
};

// What PostgreSQL does with each row and changes nothing.
inline constexpr std::string_view no_end = " OFFSET 0";

// " CROSS JOIN …": for each row of the tables before, the rows of the table ("finding f") that meet
// what add_conditions says. PostgreSQL would choose itself which table it begins with, by which
// index it reads, and would sort what comes in order already: it is held to one row after the other
// by the end of what it does of each. or_none: a row that has none stays.
template <typename F>
void add_each(SqlText& sql, sql::Engine engine, std::string_view table, std::string_view end,
              F&& add_conditions, bool or_none = false) {
  const bool is_held = engine == sql::Engine::postgresql;
  sql.add(or_none ? " LEFT JOIN " : " CROSS JOIN ");
  sql.add(is_held ? "LATERAL (SELECT * FROM " : "").add(table);
  sql.add(is_held ? " WHERE " : " ON ");
  add_conditions();
  if (is_held) sql.add(end).add(")").add(table.substr(table.find(' ')));
  if (is_held && or_none) sql.add(" ON 1 = 1");
}

}  // namespace tenken::store
