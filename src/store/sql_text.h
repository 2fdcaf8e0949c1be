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

}  // namespace tenken::store
