#include "sql/session.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"

namespace tenken::sql {

namespace {

constexpr std::size_t shown_statement_bytes = 300;

Result<> check_text(std::string_view text) {
  if (text.contains('\0')) return invalid("text with a NUL byte");
  if (!simdjson::validate_utf8(text.data(), text.size())) return invalid("text is not UTF-8");
  return {};
}

Result<> check_value(const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return check_text(*text);
  const auto* number = std::get_if<double>(&value);
  if (number != nullptr && !std::isfinite(*number)) return invalid("a number is not finite");
  return {};
}

Result<> check_values(std::span<const Value> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto checked = check_value(values[i]);
    if (!checked) return std::move(checked).within(fmt::format("value {}", i + 1));
  }
  return {};
}

}  // namespace

// Lives as long as the load does, and undoes it where it does not come to its end.
class CheckedBulk final : public Bulk {
 public:
  CheckedBulk(Session& session, Session::Use use, std::size_t columns, bool own_transaction,
              std::unique_ptr<Loader> loader)
      : session_(session),
        use_(std::move(use)),
        columns_(columns),
        own_transaction_(own_transaction),
        loader_(std::move(loader)) {}

  ~CheckedBulk() override {
    if (loader_ != nullptr) give_up();
  }

  Result<> add(std::span<const Value> row) override {
    if (loader_ == nullptr) return Error{Errc::internal, "the load has ended"};
    auto added = check(row);
    if (added) added = loader_->add(row);
    if (!added) give_up();
    return added;
  }

  Result<std::int64_t> finish() override {
    if (loader_ == nullptr) return Error{Errc::internal, "the load has ended"};
    const auto added = loader_->finish();
    if (!added) {
      give_up();
      return added;
    }
    loader_.reset();
    use_.reset();
    if (own_transaction_) TRY_VOID(session_.commit());
    return added;
  }

 private:
  Result<> check(std::span<const Value> row) const {
    if (row.size() != columns_)
      return Error{Errc::internal,
                   fmt::format("a row of {} values for {} columns", row.size(), columns_)};
    return check_values(row);
  }

  void give_up() {
    loader_.reset();
    use_.reset();
    session_.fail();
    if (own_transaction_) session_.rollback();
  }

  Session& session_;
  std::optional<Session::Use> use_;
  std::size_t columns_;
  bool own_transaction_;
  std::unique_ptr<Loader> loader_;  // null once it has ended
};

Result<> Session::ready() const {
  if (in_use_)
    return Error{Errc::internal, "an earlier answer or load of this connection has not ended"};
  if (phase_ == Phase::failed)
    return Error{Errc::internal, "a statement of this transaction failed before"};
  return {};
}

void Session::fail() {
  if (phase_ != Phase::idle) phase_ = Phase::failed;
}

Result<> Session::check(std::string_view sql, std::span<const Value> values) const {
  TRY_VOID(ready());
  auto checked = check_values(values);
  return checked ? Result<>() : std::move(checked).within(shown(sql));
}

Result<std::int64_t> Session::run(std::string_view sql, std::span<const Value> values) {
  TRY_VOID(check(sql, values));
  return noted(execute(sql, values));
}

Result<std::unique_ptr<Rows>> Session::query(std::string_view sql, std::span<const Value> values) {
  TRY_VOID(check(sql, values));
  return noted(select(sql, values, Use(*this)));
}

Result<> Session::script(std::string_view sql) {
  TRY_VOID(ready());
  const std::string text(sql);
  if (phase_ != Phase::idle) return noted(execute_script(text));
  TRY_VOID(begin(true));
  auto done = noted(execute_script(text));
  if (done) return commit();
  rollback();
  return done;
}

Result<std::unique_ptr<Bulk>> Session::bulk(const BulkTarget& target) {
  TRY_VOID(ready());
  const bool own_transaction = phase_ == Phase::idle;
  if (own_transaction) TRY_VOID(begin(true));
  auto loader = noted(load(target));
  if (!loader) {
    if (own_transaction) rollback();
    return std::move(loader).error();
  }
  return std::make_unique<CheckedBulk>(*this, Use(*this), target.columns.size(), own_transaction,
                                       *std::move(loader));
}

Result<> Session::begin(bool writes) {
  TRY_VOID(ready());
  if (phase_ != Phase::idle) return Error{Errc::internal, "a transaction inside a transaction"};
  TRY_VOID(begin_transaction(writes));
  phase_ = writes ? Phase::writing : Phase::reading;
  return {};
}

Result<> Session::commit() {
  if (auto possible = ready(); !possible) {
    rollback();
    return possible;
  }
  phase_ = Phase::idle;
  return commit_transaction();
}

void Session::rollback() {
  phase_ = Phase::idle;
  roll_back_transaction();
}

std::string shown(std::string_view sql) {
  std::string text(sql.substr(0, shown_statement_bytes));
  for (char& c : text)
    if (is_space(c)) c = ' ';
  if (sql.size() > shown_statement_bytes) text += "…";
  return printable(text);
}

}  // namespace tenken::sql
