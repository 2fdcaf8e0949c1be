#include "sql/postgresql_load.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libpq-fe.h>

#include "base/text.h"
#include "sql/dialect.h"
#include "sql/postgresql_handle.h"
#include "sql/postgresql_values.h"

namespace tenken::sql {

namespace {

constexpr std::size_t copy_piece_bytes = 64 << 10;
constexpr std::int32_t insert_rows = 5000;
constexpr std::size_t insert_bytes = 1 << 20;

std::string column_list(const BulkTarget& target) {
  std::vector<std::string> names;
  for (const auto column : target.columns) names.push_back(quoted_name(column));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::int64_t changed_rows(const PgAnswer& answer) {
  return static_cast<std::int64_t>(parse_uint(PQcmdTuples(answer.get())).value_or(0));
}

class Copy final : public Loader {
 public:
  Copy(PGconn* connection, std::string statement, std::vector<PgType> types)
      : connection_(connection), statement_(std::move(statement)), types_(std::move(types)) {
    // The signature, no flags, no extension: COPY, "Binary Format".
    piece_ = std::string("PGCOPY\n\xff\r\n\0", 11);
    append_int32(piece_, 0);
    append_int32(piece_, 0);
  }
  ~Copy() override {
    if (open_) end("dropped");
    drain(connection_);
  }

  Result<> add(std::span<const Value> row) override {
    append_int16(piece_, static_cast<std::int16_t>(row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      TRY_VOID(append_field(piece_, row[i], types_[i])
                   .within(fmt::format("{}: column {}", statement_, i + 1)));
    return piece_.size() < copy_piece_bytes ? Result<>() : send();
  }

  Result<std::int64_t> finish() override {
    append_int16(piece_, -1);
    TRY_VOID(send());
    if (!end(nullptr)) return failed(nullptr);
    const PgAnswer answer(PQgetResult(connection_));
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return failed(answer.get());
    return changed_rows(answer);
  }

 private:
  Result<> send() {
    if (PQputCopyData(connection_, piece_.data(), static_cast<int>(piece_.size())) != 1)
      return failed(nullptr);
    piece_.clear();
    return {};
  }
  bool end(const char* error) {
    open_ = false;
    return PQputCopyEnd(connection_, error) == 1;
  }
  Error failed(const PGresult* answer) const {
    return postgresql_error(connection_, answer, statement_);
  }

  PGconn* connection_;
  std::string statement_;
  std::vector<PgType> types_;
  std::string piece_;
  bool open_ = true;
};

class ArrayInsert final : public Loader {
 public:
  ArrayInsert(PGconn* connection, const BulkTarget& target)
      : connection_(connection),
        start_(fmt::format("INSERT INTO {} ({}) ", quoted_name(target.table), column_list(target))),
        columns_(target.columns.size()) {}

  Result<> add(std::span<const Value> row) override {
    TRY_VOID(make_room_for(row));
    for (std::size_t i = 0; i < row.size(); ++i) {
      auto& column = columns_[i];
      const auto before = column.elements.size();
      column.has_null |= std::holds_alternative<Null>(row[i]);
      TRY_VOID(append_field(column.elements, row[i], column.type));
      bytes_ += column.elements.size() - before;
    }
    ++rows_;
    return rows_ < insert_rows && bytes_ < insert_bytes ? Result<>() : flush();
  }

  Result<std::int64_t> finish() override {
    TRY_VOID(flush());
    return added_;
  }

 private:
  struct Column {
    PgType type = PgType::unknown;  // while only nulls were seen
    bool has_null = false;
    std::string elements;
  };

  // An array has one type: where a value needs another one, what is held goes first.
  Result<> make_room_for(std::span<const Value> row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto wanted = type_of(row[i]);
      const auto common = common_type(columns_[i].type, wanted);
      if (common == columns_[i].type) continue;
      if (columns_[i].type != PgType::unknown) TRY_VOID(flush());
      columns_[i].type = common == PgType::unknown ? wanted : common;
    }
    return {};
  }

  // A column of nulls alone fits a column of any type only as the word NULL.
  std::string statement() const {
    std::string selected;
    std::string arrays;
    std::string names;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto* comma = i == 0 ? "" : ", ";
      const auto name = fmt::format("c{}", i + 1);
      selected += comma + (columns_[i].type == PgType::unknown ? std::string("NULL") : name);
      arrays += fmt::format("{}${}", comma, i + 1);
      names += comma + name;
    }
    return fmt::format("{}SELECT {} FROM unnest({}) AS r ({}) ON CONFLICT DO NOTHING", start_,
                       selected, arrays, names);
  }

  // array_recv: dimensions, whether there are nulls, the element's type; then the one dimension's
  // length and lower bound.
  std::string array(const Column& column) const {
    const auto element = column.type == PgType::unknown ? PgType::int8 : column.type;
    std::string out;
    append_int32(out, 1);
    append_int32(out, column.has_null ? 1 : 0);
    append_int32(out, static_cast<std::int32_t>(element));
    append_int32(out, rows_);
    append_int32(out, 1);
    return out + column.elements;
  }

  Result<> flush() {
    if (rows_ == 0) return {};
    std::vector<std::string> arrays;
    std::vector<Oid> types;
    for (const auto& column : columns_) {
      arrays.push_back(array(column));
      types.push_back(std::to_underlying(array_of(column.type)));
    }
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const auto& bytes : arrays) {
      values.push_back(bytes.data());
      lengths.push_back(static_cast<int>(bytes.size()));
    }
    const std::vector<int> binary(arrays.size(), 1);
    const std::string sql = statement();
    const PgAnswer answer(PQexecParams(connection_, sql.c_str(), static_cast<int>(arrays.size()),
                                       types.data(), values.data(), lengths.data(), binary.data(),
                                       0));
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK)
      return postgresql_error(connection_, answer.get(), shown(sql));
    added_ += changed_rows(answer);
    for (auto& column : columns_) {
      column.has_null = false;
      column.elements.clear();
    }
    rows_ = 0;
    bytes_ = 0;
    return {};
  }

  PGconn* connection_;
  std::string start_;
  std::vector<Column> columns_;
  std::int32_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::int64_t added_ = 0;
};

Result<std::vector<PgType>> column_types(PGconn* connection, const BulkTarget& target) {
  const auto sql =
      fmt::format("SELECT {} FROM {} LIMIT 0", column_list(target), quoted_name(target.table));
  TRY(const auto answer, execute_postgresql(connection, sql.c_str()));
  std::vector<PgType> types;
  for (int i = 0; i < PQnfields(answer.get()); ++i)
    types.push_back(PgType{PQftype(answer.get(), i)});
  return types;
}

}  // namespace

Result<std::unique_ptr<Loader>> start_copy(PGconn* connection, const BulkTarget& target) {
  TRY(auto types, column_types(connection, target));
  auto sql = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", quoted_name(target.table),
                         column_list(target));
  TRY_VOID(execute_postgresql(connection, sql.c_str()));
  return std::make_unique<Copy>(connection, std::move(sql), std::move(types));
}

std::unique_ptr<Loader> start_array_insert(PGconn* connection, const BulkTarget& target) {
  return std::make_unique<ArrayInsert>(connection, target);
}

}  // namespace tenken::sql
