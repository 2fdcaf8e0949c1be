// What the two engines must do alike, written once: which values are refused, that a connection
// does one thing at a time, that a transaction with a failed statement only rolls back, and that a
// Bulk is all or nothing. An engine fills in the private functions, which may rely on all that.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::sql {

// The engine's part of a Bulk: rows are checked before, and undone after, by Session.
class Loader {
 public:
  virtual ~Loader() = default;
  virtual Result<> add(std::span<const Value> row) = 0;
  virtual Result<std::int64_t> finish() = 0;
};

class Session : public Connection {
 public:
  using Connection::query;
  using Connection::run;
  Result<std::int64_t> run(std::string_view sql, std::span<const Value> values) final;
  Result<std::unique_ptr<Rows>> query(std::string_view sql, std::span<const Value> values) final;
  Result<> script(std::string_view sql) final;
  Result<std::unique_ptr<Bulk>> bulk(const BulkTarget& target) final;
  bool usable() final { return phase_ == Phase::idle && !in_use_ && connected(); }

 protected:
  // Held by an answer while it is read and by a load: nothing else runs meanwhile.
  class Use {
   public:
    explicit Use(Session& session) : session_(&session) { session.in_use_ = true; }
    Use(Use&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (session_ != nullptr) session_->in_use_ = false;
    }
    // The error again, after the transaction was marked as failed.
    Error failed(Error error) const {
      session_->fail();
      return error;
    }

   private:
    Session* session_;
  };

  bool only_reads() const { return phase_ == Phase::reading; }

 private:
  friend class CheckedBulk;
  enum class Phase : std::uint8_t { idle, reading, writing, failed };

  Result<> begin(bool writes) final;
  Result<> commit() final;
  void rollback() final;

  Result<> ready() const;
  Result<> check(std::string_view sql, std::span<const Value> values) const;
  void fail();
  template <typename T>
  Result<T> noted(Result<T> result) {
    if (!result) fail();
    return result;
  }

  virtual Result<std::int64_t> execute(std::string_view sql, std::span<const Value> values) = 0;
  virtual Result<std::unique_ptr<Rows>> select(std::string_view sql, std::span<const Value> values,
                                               Use use) = 0;
  virtual Result<> execute_script(const std::string& sql) = 0;
  virtual Result<std::unique_ptr<Loader>> load(const BulkTarget& target) = 0;
  virtual Result<> begin_transaction(bool writes) = 0;
  // The transaction has ended afterwards, whatever the answer.
  virtual Result<> commit_transaction() = 0;
  virtual void roll_back_transaction() = 0;
  virtual bool connected() = 0;

  Phase phase_ = Phase::idle;
  bool in_use_ = false;
};

// A statement as an error shows it: on one line, its beginning only.
std::string shown(std::string_view sql);

}  // namespace tenken::sql
