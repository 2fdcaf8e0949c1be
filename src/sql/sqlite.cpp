#include "sql/sqlite.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "sql/dialect.h"
#include "sql/session.h"
#include "sql/sqlite_file.h"
#include "sql/sqlite_handle.h"
#include "sql/statement_cache.h"

namespace tenken::sql {

namespace {

constexpr std::size_t kept_statements = 128;

// cache_size is in KiB when negative. A log that grew under a long reader shrinks again to
// journal_size_limit; what it grows by in one transaction is kept, since giving it back takes as
// long as a checkpoint.
constexpr const char* settings =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA case_sensitive_like = ON;"
    "PRAGMA mmap_size = 268435456;"
    "PRAGMA cache_size = -8192;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA journal_size_limit = 268435456;";

Result<> bind_one(sqlite3_stmt* statement, int index, const Value& value,
                  sqlite3_destructor_type lifetime) {
  struct Bind {
    sqlite3_stmt* statement;
    int index;
    sqlite3_destructor_type lifetime;

    int operator()(Null) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const {
      return sqlite3_bind_int64(statement, index, number);
    }
    int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
    // SQLite takes a null pointer for null, whatever the length.
    int operator()(std::string_view text) const {
      return sqlite3_bind_text64(statement, index, text.data() == nullptr ? "" : text.data(),
                                 text.size(), lifetime, SQLITE_UTF8);
    }
    int operator()(Blob blob) const {
      return sqlite3_bind_blob64(statement, index,
                                 blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                                 blob.bytes.size(), lifetime);
    }
  };
  if (std::visit(Bind{statement, index, lifetime}, value) == SQLITE_OK) return {};
  return sqlite_error(sqlite3_db_handle(statement), fmt::format("value {}", index));
}

// A prepared statement while it runs; ready for its next run afterwards.
class Running {
 public:
  explicit Running(sqlite3_stmt* statement) : statement_(statement) {}
  Running(Running&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Running& operator=(Running&&) = delete;
  ~Running() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  sqlite3_stmt* get() const { return statement_; }

  Result<> bind(std::span<const Value> values, sqlite3_destructor_type lifetime) const {
    const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_));
    if (values.size() != wanted)
      return Error{Errc::internal,
                   fmt::format("{}: {} values for {} parameters", shown(sqlite3_sql(statement_)),
                               values.size(), wanted)};
    for (std::size_t i = 0; i < values.size(); ++i)
      TRY_VOID(bind_one(statement_, static_cast<int>(i + 1), values[i], lifetime));
    return {};
  }

  // Whether there is a row.
  Result<bool> step() const {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(sqlite3_db_handle(statement_), shown(sqlite3_sql(statement_)));
  }

 private:
  sqlite3_stmt* statement_;
};

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, checked(column)) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, checked(column));
  }
  double number(int column) const override {
    return sqlite3_column_double(statement_, checked(column));
  }
  std::string_view text(int column) const override {
    // For a blob this is its bytes, for a number its text.
    const void* bytes = sqlite3_column_type(statement_, checked(column)) == SQLITE_BLOB
                            ? sqlite3_column_blob(statement_, column)
                            : sqlite3_column_text(statement_, column);
    if (bytes == nullptr) return {};
    return {static_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  int checked(int column) const {
    CHECK(column >= 0 && column < sqlite3_column_count(statement_));
    return column;
  }
  sqlite3_stmt* statement_;
};

int note_commit(void* checkpointer, sqlite3* /*database*/, const char* /*name*/, int pages) {
  static_cast<Checkpointer*>(checkpointer)->log_has(pages);
  return SQLITE_OK;
}

class SqliteConnection final : public Session {
 public:
  SqliteConnection(SqliteHandle database, std::shared_ptr<SqliteFile> file, int lock_wait_ms)
      : database_(std::move(database)), file_(std::move(file)), lock_wait_(lock_wait_ms) {
    // In place of SQLite's own checkpoints, which are such a hook.
    sqlite3_wal_hook(database_.get(), note_commit, &file_->checkpointer);
  }
  Engine engine() const override { return Engine::sqlite; }

 private:
  class Answer;
  class Insert;

  Result<Running> prepare(std::string_view sql);
  Result<WriteQueue::Turn> enter_queue();
  Result<std::int64_t> execute(std::string_view sql, std::span<const Value> values) override;
  Result<std::unique_ptr<Rows>> select(std::string_view sql, std::span<const Value> values,
                                       Use use) override;
  Result<> execute_script(const std::string& sql) override {
    return execute_sqlite(database_.get(), sql);
  }
  Result<std::unique_ptr<Loader>> load(const BulkTarget& target) override;
  Result<> begin_transaction(bool writes) override;
  Result<> commit_transaction() override;
  void roll_back_transaction() override;
  // No transaction that was opened by a statement of its own.
  bool connected() override { return sqlite3_get_autocommit(database_.get()) != 0; }

  SqliteHandle database_;  // outlives the statements
  StatementCache<SqliteStatement> statements_{kept_statements};
  std::shared_ptr<SqliteFile> file_;
  std::chrono::milliseconds lock_wait_;
  std::optional<WriteQueue::Turn> turn_;  // while a transaction writes
};

class SqliteConnection::Answer final : public Rows {
 public:
  Answer(Use use, Running running, bool has_row)
      : use_(std::move(use)),
        running_(std::move(running)),
        row_(running_.get()),
        state_(has_row ? State::first : State::ended) {}

  Result<const Row*> next() override {
    if (state_ == State::ended) return nullptr;
    if (std::exchange(state_, State::reading) == State::first) return &row_;
    auto stepped = running_.step();
    if (stepped && *stepped) return &row_;
    state_ = State::ended;
    if (!stepped) return use_.failed(std::move(stepped).error());
    return nullptr;
  }

 private:
  enum class State : std::uint8_t { first, reading, ended };
  Use use_;
  Running running_;
  SqliteRow row_;
  State state_;
};

class SqliteConnection::Insert final : public Loader {
 public:
  Insert(sqlite3* database, Running running) : database_(database), running_(std::move(running)) {}

  Result<> add(std::span<const Value> row) override {
    TRY_VOID(running_.bind(row, SQLITE_STATIC));
    TRY_VOID(running_.step());
    added_ += sqlite3_changes64(database_);
    sqlite3_reset(running_.get());
    return {};
  }
  Result<std::int64_t> finish() override { return added_; }

 private:
  sqlite3* database_;
  Running running_;
  std::int64_t added_ = 0;
};

Result<Running> SqliteConnection::prepare(std::string_view sql) {
  const SqliteStatement* kept = statements_.find(sql);
  if (kept == nullptr) {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int prepared =
        sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, &tail);
    if (prepared != SQLITE_OK) return sqlite_error(database_.get(), shown(sql));
    SqliteStatement owned(statement);
    if (statement == nullptr || !trim({tail, sql.data() + sql.size()}).empty())
      return Error{Errc::internal, fmt::format("{}: not exactly one statement", shown(sql))};
    statements_.put(sql, std::move(owned));
    kept = statements_.find(sql);
  }
  if (only_reads() && sqlite3_stmt_readonly(kept->get()) == 0)
    return Error{Errc::internal, fmt::format("{}: a reading transaction cannot write", shown(sql))};
  return Running(kept->get());
}

Result<WriteQueue::Turn> SqliteConnection::enter_queue() {
  auto turn = file_->writers->enter(lock_wait_);
  if (!turn) return unavailable("the database is locked: others write for too long");
  return *std::move(turn);
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql,
                                               std::span<const Value> values) {
  TRY(const Running running, prepare(sql));
  TRY_VOID(running.bind(values, SQLITE_STATIC));
  // A statement that is a transaction by itself waits as the others do: SQLite would look now and
  // then whether the lock is free, which it is for nobody who only looks.
  std::optional<WriteQueue::Turn> own_turn;
  if (!turn_ && sqlite3_stmt_readonly(running.get()) == 0) {
    TRY(auto turn, enter_queue());
    own_turn.emplace(std::move(turn));
  }
  // changes64 is that of the last INSERT, UPDATE or DELETE, which need not be this statement.
  const auto before = sqlite3_total_changes64(database_.get());
  for (bool has_row = true; has_row;) {
    TRY(has_row, running.step());
  }
  if (sqlite3_total_changes64(database_.get()) == before) return 0;
  return sqlite3_changes64(database_.get());
}

Result<std::unique_ptr<Rows>> SqliteConnection::select(std::string_view sql,
                                                       std::span<const Value> values, Use use) {
  TRY(Running running, prepare(sql));
  TRY_VOID(running.bind(values, SQLITE_TRANSIENT));
  TRY(const bool has_row, running.step());
  return std::make_unique<Answer>(std::move(use), std::move(running), has_row);
}

Result<std::unique_ptr<Loader>> SqliteConnection::load(const BulkTarget& target) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < target.columns.size(); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", quoted_name(target.columns[i]));
    values += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
  }
  TRY(Running running,
      prepare(fmt::format("INSERT INTO {} ({}) VALUES ({}){}", quoted_name(target.table), names,
                          values, target.ignore_existing ? " ON CONFLICT DO NOTHING" : "")));
  return std::make_unique<Insert>(database_.get(), std::move(running));
}

Result<> SqliteConnection::begin_transaction(bool writes) {
  TRY(const Running running, prepare(writes ? "BEGIN IMMEDIATE" : "BEGIN"));
  if (!writes) {
    TRY_VOID(running.step());
    return {};
  }
  TRY(auto turn, enter_queue());
  TRY_VOID(running.step());
  turn_.emplace(std::move(turn));
  return {};
}

Result<> SqliteConnection::commit_transaction() {
  const auto committed = [&]() -> Result<> {
    TRY(const Running running, prepare("COMMIT"));
    TRY_VOID(running.step());
    return {};
  }();
  if (!committed) roll_back_transaction();
  turn_.reset();
  return committed;
}

// A full disk or an I/O error has rolled back already. A rollback that cannot write leaves the
// log's tail, which no reader takes for committed.
void SqliteConnection::roll_back_transaction() {
  if (sqlite3_get_autocommit(database_.get()) == 0)
    (void)execute_sqlite(database_.get(), "ROLLBACK");
  turn_.reset();
}

// Who may write into the directory may replace the file.
Result<> check_directory(const std::string& file) {
  auto directory = std::filesystem::path(file).parent_path().string();
  if (directory.empty()) directory = ".";
  struct stat found{};
  if (::stat(directory.c_str(), &found) != 0) return from_errno(errno, directory);
  if ((found.st_mode & S_IWOTH) == 0) return {};
  return Error{Errc::denied,
               fmt::format("{}: everybody may write into this directory, so the database in it "
                           "would not be safe",
                           directory)};
}

// SQLite itself would make the file by the umask; its log and index take over the file's mode.
// A file that is there is never opened here: closing it would give up every lock that this process
// holds on it (POSIX, fcntl), and another process would take the log of a used database away.
Result<> create_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.valid()) return {};
  if (errno != EEXIST) return from_errno(errno, path);
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return from_errno(errno, path);
  if (!S_ISREG(found.st_mode)) return invalid(fmt::format("{}: no regular file", path));
  return {};
}

Result<> configure(sqlite3* database, const Location& location) {
  sqlite3_busy_timeout(database, location.lock_wait_ms);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // "x" is the name x and never the text x.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  // Whose reader knows the file by its name, and nothing of the settings.
  const int set = sqlite3_exec(database, settings, nullptr, nullptr, nullptr);
  if (set != SQLITE_OK) return sqlite_error(database, location.sqlite_file);
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> open_sqlite(const Location& location) {
  const std::string& path = location.sqlite_file;
  TRY_VOID(check_directory(path));
  TRY_VOID(create_file(path));
  TRY(auto database, open_sqlite_file(path, SQLITE_OPEN_READWRITE));
  TRY_VOID(configure(database.get(), location));
  TRY(auto file, SqliteFile::of(path));
  auto connection = std::make_unique<SqliteConnection>(std::move(database), std::move(file),
                                                       location.lock_wait_ms);
  TRY(const auto mode, connection->one_text("PRAGMA journal_mode = WAL").within(path));
  if (mode != "wal")
    return unavailable(
        fmt::format("{}: SQLite cannot keep a write-ahead log on this file system", path));
  return connection;
}

}  // namespace tenken::sql
