#include "sql/postgresql.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "base/text.h"
#include "sql/postgresql_handle.h"
#include "sql/postgresql_load.h"
#include "sql/postgresql_text.h"
#include "sql/postgresql_values.h"
#include "sql/session.h"
#include "sql/statement_cache.h"

namespace tenken::sql {

namespace {

constexpr std::size_t kept_statements = 128;

// What the server keeps under the name. Parameters have the types of the values they were given,
// since left to itself the server takes `?1 + 1` for a 32-bit integer. One that only ever was null
// has the type unknown, and is the word NULL in the text, which fits everywhere: for `?1 IS NULL`
// the server finds no type.
struct Prepared {
  std::string name;
  std::vector<PgType> types;
};

// Values as libpq takes them. All go in binary form, which needs no NUL after a text.
class Parameters {
 public:
  static Result<Parameters> make(std::span<const Value> values, const std::vector<PgType>& types) {
    Parameters out;
    out.numbers_.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      TRY_VOID(out.add(values[i], types[i], out.numbers_[i]));
    out.formats_.assign(values.size(), 1);
    return out;
  }
  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  Result<> add(const Value& value, PgType type, std::string& number) {
    std::string_view bytes;
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      bytes = *text;
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      bytes = blob->bytes;
    } else {
      TRY_VOID(append_value(number, value, type));
      bytes = number;
    }
    if (!std::in_range<int>(bytes.size())) return limit_exceeded("a value of more than 2 GiB");
    lengths_.push_back(static_cast<int>(bytes.size()));
    const bool is_null = std::holds_alternative<Null>(value);
    values_.push_back(is_null ? nullptr : bytes.data() == nullptr ? "" : bytes.data());
    return {};
  }

  std::vector<std::string> numbers_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

// The first row of an answer in text form.
class PostgresRow final : public Row {
 public:
  void show(const PGresult* answer) {
    answer_ = answer;
    decoded_.clear();
    decoded_.resize(static_cast<std::size_t>(PQnfields(answer)));
  }
  bool is_null(int column) const override { return PQgetisnull(answer_, 0, checked(column)) == 1; }
  std::int64_t integer(int column) const override {
    const auto digits = text(column);
    std::int64_t whole = 0;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, whole);
    // "1.5": what a sum of doubles or an average is.
    if (read.ec == std::errc() && read.ptr == end) return whole;
    const double fraction = number(column);
    constexpr double limit = 9223372036854775808.0;
    return fraction >= -limit && fraction < limit ? static_cast<std::int64_t>(fraction) : 0;
  }
  double number(int column) const override { return parse_double(text(column)).value_or(0); }
  std::string_view text(int column) const override {
    const std::string_view shown(PQgetvalue(answer_, 0, checked(column)),
                                 static_cast<std::size_t>(PQgetlength(answer_, 0, column)));
    switch (PgType{PQftype(answer_, column)}) {
      case PgType::boolean:
        return shown == "t" ? "1" : shown == "f" ? "0" : "";
      case PgType::bytea: {
        auto& decoded = decoded_[static_cast<std::size_t>(column)];
        if (decoded.empty()) decoded = decode_bytea(shown);
        return decoded;
      }
      default:
        return shown;
    }
  }

 private:
  int checked(int column) const {
    CHECK(column >= 0 && column < PQnfields(answer_));
    return column;
  }
  const PGresult* answer_ = nullptr;
  mutable std::vector<std::string> decoded_;  // bytes live as long as the row
};

class PostgresConnection final : public Session {
 public:
  explicit PostgresConnection(PgConnection connection) : connection_(std::move(connection)) {}
  Engine engine() const override { return Engine::postgresql; }

 private:
  class Answer;

  Result<const Prepared*> prepare(std::string_view sql, std::span<const Value> values);
  Result<Prepared> prepare_as(std::string_view sql, std::vector<PgType> types);
  Result<> forget(const Prepared& statement);
  Error failed(const PGresult* answer, std::string_view sql) const;

  Result<std::int64_t> execute(std::string_view sql, std::span<const Value> values) override;
  Result<std::unique_ptr<Rows>> select(std::string_view sql, std::span<const Value> values,
                                       Use use) override;
  Result<> execute_script(const std::string& sql) override;
  Result<std::unique_ptr<Loader>> load(const BulkTarget& target) override;
  Result<> begin_transaction(bool writes) override;
  Result<> commit_transaction() override;
  void roll_back_transaction() override;
  bool connected() override;

  PgConnection connection_;
  StatementCache<Prepared> statements_{kept_statements};
  std::uint64_t next_name_ = 0;
};

class PostgresConnection::Answer final : public Rows {
 public:
  Answer(Use use, PostgresConnection& connection, std::string sql)
      : use_(std::move(use)), connection_(connection), sql_(std::move(sql)) {}
  ~Answer() override { drain(connection_.connection_.get()); }

  // Takes the first row off the wire, so that what fails at once is known at once.
  Result<> start() {
    TRY(waiting_, read());
    return {};
  }

  Result<const Row*> next() override {
    if (const auto* first = std::exchange(waiting_, nullptr); first != nullptr) return first;
    if (ended_) return nullptr;
    auto row = read();
    if (!row) return use_.failed(std::move(row).error());
    return row;
  }

 private:
  Result<const Row*> read() {
    answer_.reset(PQgetResult(connection_.connection_.get()));
    switch (PQresultStatus(answer_.get())) {
      case PGRES_SINGLE_TUPLE:
        row_.show(answer_.get());
        return &row_;
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        ended_ = true;
        return nullptr;
      default:
        ended_ = true;
        return connection_.failed(answer_.get(), sql_);
    }
  }

  Use use_;
  PostgresConnection& connection_;
  std::string sql_;
  PgAnswer answer_;
  PostgresRow row_;
  const Row* waiting_ = nullptr;
  bool ended_ = false;
};

Error PostgresConnection::failed(const PGresult* answer, std::string_view sql) const {
  Error error = postgresql_error(connection_.get(), answer, shown(sql));
  // "Read-only" is the server's answer to our own reading transaction, too.
  if (error.code == Errc::denied && only_reads()) error.code = Errc::internal;
  return error;
}

Result<> PostgresConnection::forget(const Prepared& statement) {
  const std::string sql = "DEALLOCATE " + statement.name;
  TRY_VOID(execute_postgresql(connection_.get(), sql.c_str()));
  return {};
}

Result<Prepared> PostgresConnection::prepare_as(std::string_view sql, std::vector<PgType> types) {
  std::vector<bool> is_null;
  std::vector<Oid> numbers;
  for (const auto type : types) {
    is_null.push_back(type == PgType::unknown);
    numbers.push_back(std::to_underlying(is_null.back() ? PgType::text : type));
  }
  const auto text = number_parameters(sql, is_null).text;
  std::string name = fmt::format("tenken_{}", next_name_++);
  const PgAnswer answer(PQprepare(connection_.get(), name.c_str(), text.c_str(),
                                  static_cast<int>(numbers.size()), numbers.data()));
  if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return failed(answer.get(), sql);
  return Prepared{std::move(name), std::move(types)};
}

// A statement is prepared again when a value needs another type than those before it. That ends
// soon: a null fits every type, and an integer fits a number's.
Result<const Prepared*> PostgresConnection::prepare(std::string_view sql,
                                                    std::span<const Value> values) {
  Prepared* kept = statements_.find(sql);
  auto types =
      kept != nullptr ? kept->types : std::vector<PgType>(number_parameters(sql).parameters);
  if (values.size() != types.size())
    return Error{Errc::internal, fmt::format("{}: {} values for {} parameters", shown(sql),
                                             values.size(), types.size())};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto wanted = type_of(values[i]);
    const auto common = common_type(types[i], wanted);
    types[i] = common == PgType::unknown ? wanted : common;
  }
  if (kept != nullptr && kept->types == types) return kept;
  TRY(auto made, prepare_as(sql, std::move(types)));
  const std::optional<Prepared> gone = kept != nullptr ? std::exchange(*kept, std::move(made))
                                                       : statements_.put(sql, std::move(made));
  if (gone) TRY_VOID(forget(*gone));
  return statements_.find(sql);
}

Result<std::int64_t> PostgresConnection::execute(std::string_view sql,
                                                 std::span<const Value> values) {
  TRY(const Prepared* statement, prepare(sql, values));
  TRY(const auto parameters, Parameters::make(values, statement->types));
  const PgAnswer answer(PQexecPrepared(connection_.get(), statement->name.c_str(),
                                       parameters.count(), parameters.values(),
                                       parameters.lengths(), parameters.formats(), 0));
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failed(answer.get(), sql);
  // The count of a SELECT is that of its rows.
  if (std::string_view(PQcmdStatus(answer.get())).starts_with("SELECT")) return 0;
  return static_cast<std::int64_t>(parse_uint(PQcmdTuples(answer.get())).value_or(0));
}

Result<std::unique_ptr<Rows>> PostgresConnection::select(std::string_view sql,
                                                         std::span<const Value> values, Use use) {
  TRY(const Prepared* statement, prepare(sql, values));
  TRY(const auto parameters, Parameters::make(values, statement->types));
  if (PQsendQueryPrepared(connection_.get(), statement->name.c_str(), parameters.count(),
                          parameters.values(), parameters.lengths(), parameters.formats(), 0) != 1)
    return failed(nullptr, sql);
  PQsetSingleRowMode(connection_.get());
  auto answer = std::make_unique<Answer>(std::move(use), *this, std::string(sql));
  TRY_VOID(answer->start());
  return answer;
}

Result<> PostgresConnection::execute_script(const std::string& sql) {
  TRY_VOID(execute_postgresql(connection_.get(), sql.c_str()));
  return {};
}

Result<std::unique_ptr<Loader>> PostgresConnection::load(const BulkTarget& target) {
  if (target.ignore_existing) return start_array_insert(connection_.get(), target);
  return start_copy(connection_.get(), target);
}

Result<> PostgresConnection::begin_transaction(bool writes) {
  TRY_VOID(execute_postgresql(connection_.get(),
                              writes ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                                     : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return {};
}

Result<> PostgresConnection::commit_transaction() {
  TRY(const auto answer, execute_postgresql(connection_.get(), "COMMIT"));
  if (PQcmdStatus(answer.get()) == std::string_view("COMMIT")) return {};
  return Error{Errc::internal,
               "COMMIT: PostgreSQL rolled the transaction back, since a statement had failed"};
}

// Without a connection the server rolls back by itself.
void PostgresConnection::roll_back_transaction() {
  drain(connection_.get());
  if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE)
    (void)execute_postgresql(connection_.get(), "ROLLBACK");
}

// A server that goes away says so, or closes the socket: nothing else is to be read from a
// connection that was not asked anything.
bool PostgresConnection::connected() {
  pollfd socket{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  return PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE && ::poll(&socket, 1, 0) == 0;
}

}  // namespace

Result<std::unique_ptr<Connection>> open_postgresql(const Location& location) {
  TRY(auto connection, connect_postgresql(location));
  return std::make_unique<PostgresConnection>(std::move(connection));
}

}  // namespace tenken::sql
