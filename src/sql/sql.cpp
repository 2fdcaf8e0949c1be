#include "sql/sql.h"

#include "sql/postgresql.h"
#include "sql/sqlite.h"

namespace tenken::sql {

Value optional_value(const std::optional<std::int64_t>& value) {
  if (value.has_value()) return *value;
  return Null{};
}

std::optional<std::int64_t> Row::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

Result<std::optional<std::int64_t>> Connection::one_integer(std::string_view sql,
                                                            std::span<const Value> values) {
  TRY(const auto rows, query(sql, values));
  TRY(const Row* row, rows->next());
  if (row == nullptr) return std::nullopt;
  return row->optional_integer(0);
}

Result<std::optional<std::string>> Connection::one_text(std::string_view sql,
                                                        std::span<const Value> values) {
  TRY(const auto rows, query(sql, values));
  TRY(const Row* row, rows->next());
  if (row == nullptr || row->is_null(0)) return std::nullopt;
  return row->string(0);
}

Result<Transaction> Transaction::begin(Connection& connection, Mode mode) {
  TRY_VOID(connection.begin(mode == Mode::write));
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ != nullptr) connection_->rollback();
}

Result<> Transaction::commit() {
  CHECK(connection_ != nullptr);
  return std::exchange(connection_, nullptr)->commit();
}

Result<std::unique_ptr<Connection>> open(const Location& location) {
  if (!location.postgresql_uri.empty()) return open_postgresql(location);
  return open_sqlite(location);
}

}  // namespace tenken::sql
