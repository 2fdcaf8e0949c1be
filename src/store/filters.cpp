#include "store/filters.h"

#include <fmt/format.h>

#include "sql/dialect.h"

namespace tenken::store {
namespace {

constexpr std::string_view columns =
    "account_id, filter_id, name, action, criteria, description, reason, expires_at, created_at, "
    "updated_at";

std::string_view action(const Filter& filter) {
  return filter.suppresses ? "SUPPRESS" : "NONE";
}

template <typename... Values>
Result<std::vector<Filter>> read(sql::Connection& connection, std::string_view rest,
                                 const Values&... values) {
  TRY(auto rows,
      connection.query(fmt::format("SELECT {} FROM filter {}", columns, rest), values...));
  std::vector<Filter> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.account = row->string(0),
                   .id = row->string(1),
                   .name = row->string(2),
                   .suppresses = row->text(3) == "SUPPRESS",
                   .criteria = row->string(4),
                   .description = row->string(5),
                   .reason = row->string(6),
                   .expires = row->integer(7),
                   .created = row->integer(8),
                   .updated = row->integer(9)});
  }
}

// Asked before it is written: a statement that fails takes its transaction with it. Two that come
// at once meet at the unique index.
Result<> check_name(sql::Connection& connection, const Filter& filter) {
  TRY(const auto other, connection.one_text("SELECT filter_id FROM filter WHERE account_id = ?1 "
                                            "AND name = ?2 AND filter_id <> ?3",
                                            filter.account, filter.name, filter.id));
  if (other) return Error{Errc::conflict, "a filter of this name already exists"};
  return {};
}

Result<> check_room(sql::Connection& connection, const Filter& filter) {
  TRY(const auto others,
      connection.one_integer("SELECT COUNT(*) FROM filter WHERE account_id = ?1 AND action = ?2 "
                             "AND filter_id <> ?3",
                             filter.account, action(filter), filter.id));
  if (others.value_or(0) < most_filters) return {};
  return limit_exceeded(
      fmt::format("the account has {} filters of this action already", most_filters));
}

}  // namespace

Result<> add_filter(sql::Connection& connection, const Filter& filter) {
  TRY_VOID(check_name(connection, filter));
  TRY_VOID(check_room(connection, filter));
  TRY(const auto written,
      connection.run(
          fmt::format("INSERT INTO filter ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                      columns),
          filter.account, filter.id, filter.name, action(filter), filter.criteria,
          filter.description, filter.reason, filter.expires, filter.created, filter.updated));
  CHECK(written == 1);
  return {};
}

Result<> change_filter(sql::Connection& connection, const Filter& filter) {
  TRY(const auto held, hold_filter(connection, filter.account, filter.id));
  if (!held) return not_found("the filter is gone");
  TRY_VOID(check_name(connection, filter));
  // One that stays what it is has its place, however many there are.
  if (held->suppresses != filter.suppresses) TRY_VOID(check_room(connection, filter));
  TRY(const auto written,
      connection.run("UPDATE filter SET name = ?3, action = ?4, criteria = ?5, description = ?6, "
                     "reason = ?7, expires_at = ?8, updated_at = ?9 "
                     "WHERE account_id = ?1 AND filter_id = ?2",
                     filter.account, filter.id, filter.name, action(filter), filter.criteria,
                     filter.description, filter.reason, filter.expires, filter.updated));
  CHECK(written == 1);
  return {};
}

Result<bool> remove_filter(sql::Connection& connection, std::string_view account,
                           std::string_view id) {
  TRY(const auto removed,
      connection.run("DELETE FROM filter WHERE account_id = ?1 AND filter_id = ?2", account, id));
  return removed == 1;
}

Result<std::optional<Filter>> find_filter(sql::Connection& connection, std::string_view account,
                                          std::string_view id) {
  TRY(auto filters, read(connection, "WHERE account_id = ?1 AND filter_id = ?2", account, id));
  if (filters.empty()) return std::optional<Filter>();
  return std::optional(std::move(filters.front()));
}

Result<std::optional<Filter>> hold_filter(sql::Connection& connection, std::string_view account,
                                          std::string_view id) {
  TRY(const auto held,
      connection.one_text(fmt::format("SELECT filter_id FROM filter WHERE account_id = ?1 "
                                      "AND filter_id = ?2{}",
                                      sql::dialect(connection.engine()).for_update),
                          account, id));
  if (!held) return std::optional<Filter>();
  return find_filter(connection, account, id);
}

Result<std::vector<Filter>> list_filters(sql::Connection& connection, std::string_view account,
                                         std::optional<bool> suppresses, std::string_view after,
                                         std::int64_t limit) {
  if (!suppresses)
    return read(connection, "WHERE account_id = ?1 AND filter_id > ?2 ORDER BY filter_id LIMIT ?3",
                account, after, limit);
  return read(connection,
              "WHERE account_id = ?1 AND filter_id > ?2 AND action = ?4 "
              "ORDER BY filter_id LIMIT ?3",
              account, after, limit, std::string_view(*suppresses ? "SUPPRESS" : "NONE"));
}

Result<std::vector<Filter>> rules_in_force(sql::Connection& connection, std::string_view account,
                                           Seconds now) {
  return read(connection,
              "WHERE action = 'SUPPRESS' AND (expires_at = 0 OR expires_at > ?1) "
              "AND (?2 = '' OR account_id = ?2) ORDER BY account_id, filter_id",
              now, account);
}

}  // namespace tenken::store
