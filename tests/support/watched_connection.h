// A connection that passes everything on to another and keeps the texts of the statements. For
// tests of what is asked, and how often. Transactions are begun on the other one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::test {

class WatchedConnection final : public sql::Connection {
 public:
  explicit WatchedConnection(sql::Connection& connection) : connection_(connection) {}
  const std::vector<std::string>& statements() const { return statements_; }

  using sql::Connection::query;
  using sql::Connection::run;
  sql::Engine engine() const override { return connection_.engine(); }
  Result<std::int64_t> run(std::string_view sql, std::span<const sql::Value> values) override {
    statements_.emplace_back(sql);
    return connection_.run(sql, values);
  }
  Result<std::unique_ptr<sql::Rows>> query(std::string_view sql,
                                           std::span<const sql::Value> values) override {
    statements_.emplace_back(sql);
    return connection_.query(sql, values);
  }
  Result<> script(std::string_view sql) override { return connection_.script(sql); }
  Result<std::unique_ptr<sql::Bulk>> bulk(const sql::BulkTarget& target) override {
    return connection_.bulk(target);
  }
  bool usable() override { return connection_.usable(); }

 private:
  Result<> begin(bool) override { return Error{Errc::internal, "not begun here"}; }
  Result<> commit() override { return Error{Errc::internal, "not begun here"}; }
  void rollback() override {}

  sql::Connection& connection_;
  std::vector<std::string> statements_;
};

}  // namespace tenken::test
