// SQL over two engines, SQLite and PostgreSQL, with one text for both: parameters are ?1, ?2, …;
// values are 64-bit integers, doubles, text, bytes or null; times are integers; ids are made by
// the application. The few words that differ between the engines stand in dialect.h.
//
// Errors: unavailable (database locked too long, gone, disk full, serialisation failure: the
// same transaction may be tried again), conflict (a constraint), internal (a statement the engine
// refuses: a bug of ours, named with its text; a damaged file), denied (read-only file, wrong
// password), limit (a value too large), invalid (an address). A connection lost during commit is
// unavailable; whether the transaction took effect is not known: trying again must do no harm.
//
// Alike on both engines: text is UTF-8 without NUL and numbers are finite, else invalid; LIKE
// tells upper case from lower; a transaction in which a statement failed only rolls back; a
// connection does one thing at a time, so that Rows and Bulk must end before it runs the next.
// Thread rule: a Connection, and everything made by it, belongs to one thread at a time.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace tenken::sql {

enum class Engine : std::uint8_t { sqlite, postgresql };

struct Null {};
struct Blob {
  std::string_view bytes;
};
// A parameter. Text and bytes are borrowed until the statement has run.
using Value = std::variant<Null, std::int64_t, double, std::string_view, Blob>;
template <typename T>
concept Parameter = std::constructible_from<Value, const T&>;
// Null where the optional is empty.
Value optional_value(const std::optional<std::int64_t>& value);

// One row of an answer; its text lives until the next row.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;  // 0 for null
  virtual double number(int column) const = 0;
  virtual std::string_view text(int column) const = 0;  // bytes too; empty for null
  std::string string(int column) const { return std::string(text(column)); }
  std::optional<std::int64_t> optional_integer(int column) const;
};

// The answer of a query, read row by row in bounded memory. Ends with its object; read it to the
// end or drop it before the connection runs anything else. Dropping a long one costs as much as
// reading it on PostgreSQL: say LIMIT. Does not outlive its connection.
class Rows {
 public:
  virtual ~Rows() = default;
  // The next row; nullptr after the last one.
  virtual Result<const Row*> next() = 0;
};

// Rows to be put into a table at once: a prepared insert on SQLite; COPY on PostgreSQL, or inserts
// from arrays where rows that are there are passed over. Give rows in the order of the primary key.
class Bulk {
 public:
  virtual ~Bulk() = default;
  virtual Result<> add(std::span<const Value> row) = 0;
  // Nothing is visible before finish. Returns the number of rows that were new. A transaction in
  // which a Bulk was begun and not finished only rolls back.
  virtual Result<std::int64_t> finish() = 0;
};

struct BulkTarget {
  std::string_view table;
  std::vector<std::string_view> columns;
  bool ignore_existing = false;  // ON CONFLICT DO NOTHING; else a duplicate is a conflict
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual Engine engine() const = 0;

  // Prepared once per text and kept. Returns the number of rows changed.
  virtual Result<std::int64_t> run(std::string_view sql, std::span<const Value> values) = 0;
  virtual Result<std::unique_ptr<Rows>> query(std::string_view sql,
                                              std::span<const Value> values) = 0;
  // Several statements separated by semicolons, without parameters: migrations. All or none.
  virtual Result<> script(std::string_view sql) = 0;
  virtual Result<std::unique_ptr<Bulk>> bulk(const BulkTarget& target) = 0;
  // Still connected and with nothing half-done in it: may be lent to somebody else.
  virtual bool usable() = 0;

  // The first column of the first row; empty where there is no row or it is null.
  Result<std::optional<std::int64_t>> one_integer(std::string_view sql,
                                                  std::span<const Value> values = {});
  Result<std::optional<std::string>> one_text(std::string_view sql,
                                              std::span<const Value> values = {});

  // The same with the values one by one: run("UPDATE t SET a = ?1 WHERE id = ?2", "text", 5).
  template <Parameter... Values>
  Result<std::int64_t> run(std::string_view sql, const Values&... values) {
    return run(sql, std::span<const Value>(std::array<Value, sizeof...(values)>{Value(values)...}));
  }
  template <Parameter... Values>
  Result<std::unique_ptr<Rows>> query(std::string_view sql, const Values&... values) {
    return query(sql,
                 std::span<const Value>(std::array<Value, sizeof...(values)>{Value(values)...}));
  }
  template <Parameter... Values>
    requires(sizeof...(Values) > 0)
  Result<std::optional<std::int64_t>> one_integer(std::string_view sql, const Values&... values) {
    return one_integer(
        sql, std::span<const Value>(std::array<Value, sizeof...(values)>{Value(values)...}));
  }
  template <Parameter... Values>
    requires(sizeof...(Values) > 0)
  Result<std::optional<std::string>> one_text(std::string_view sql, const Values&... values) {
    return one_text(sql,
                    std::span<const Value>(std::array<Value, sizeof...(values)>{Value(values)...}));
  }

 private:
  friend class Transaction;
  virtual Result<> begin(bool writes) = 0;
  virtual Result<> commit() = 0;
  virtual void rollback() = 0;
};

// A transaction, rolled back at the end of its scope unless it was committed. Writing ones take
// SQLite's write lock at once, so that none fails half-way for want of it; on PostgreSQL they run
// at READ COMMITTED. Reading ones see one state of the database (REPEATABLE READ).
class Transaction {
 public:
  enum class Mode : std::uint8_t { read, write };
  static Result<Transaction> begin(Connection& connection, Mode mode);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, {})) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// Where the database is: a file of SQLite's, or a PostgreSQL connection URI.
struct Location {
  std::string sqlite_file;
  std::string postgresql_uri;  // outranks the file where not empty
  // How long a statement waits for a lock of another connection. A lock_timeout in the URI's
  // options outranks it.
  int lock_wait_ms = 10'000;
};
// A SQLite file that does not exist is made, mode 0600; its directory must exist and not be
// writable by everybody. No error shows the URI's password.
Result<std::unique_ptr<Connection>> open(const Location& location);

// Connections that are lent and come back; opened on demand up to `limit`. A connection that was
// lost is replaced by a new one. All leases end before their pool. Thread rule: any thread.
//
// On a SQLite file one connection more is kept from the first lease to the end of the pool, and
// does nothing. Closing a file drops every lock that the process has on it (POSIX, fcntl), and
// SQLite puts that off only while one of its connections holds a lock, which it looks up a moment
// before: where the last connection closed just as another opened, the new one was left without its
// lock, and the next process to close the database took away the log that this one goes on writing.
class Pool {
 public:
  Pool(Location location, std::size_t limit);
  ~Pool();
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    ~Lease();
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    friend class Pool;
    Lease(Pool& pool, std::unique_ptr<Connection> connection);
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };
  // Waits at most wait_ms for a free one. Errors: unavailable.
  Result<Lease> lease(int wait_ms = 10'000);
  // Closes those that nobody uses, which gives the memory of their caches back.
  void close_idle();
  Engine engine() const;
  const Location& location() const;

 private:
  Result<> keep_file_locked();

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenken::sql
