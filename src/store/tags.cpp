#include "store/tags.h"

#include <fmt/format.h>

namespace tenken::store {

Result<Tags> list_tags(sql::Connection& connection, std::string_view account,
                       std::string_view arn) {
  TRY(auto rows, connection.query("SELECT name, value FROM arn_tag WHERE account_id = ?1 "
                                  "AND arn = ?2 ORDER BY name",
                                  account, arn));
  Tags out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.emplace(row->string(0), row->string(1));
  }
}

Result<> put_tags(sql::Connection& connection, std::string_view account, std::string_view arn,
                  const Tags& tags) {
  for (const auto& [name, value] : tags)
    TRY_VOID(
        connection.run("INSERT INTO arn_tag (account_id, arn, name, value) "
                       "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (account_id, arn, name) "
                       "DO UPDATE SET value = excluded.value",
                       account, arn, name, value));
  TRY(const auto count, connection.one_integer("SELECT count(*) FROM arn_tag "
                                               "WHERE account_id = ?1 AND arn = ?2",
                                               account, arn));
  if (count.value_or(0) > static_cast<std::int64_t>(most_tags))
    return limit_exceeded(fmt::format("A resource can have at most {} tags", most_tags));
  return {};
}

Result<> remove_tags(sql::Connection& connection, std::string_view account, std::string_view arn,
                     const std::vector<std::string_view>& names) {
  for (const auto name : names)
    TRY_VOID(connection.run("DELETE FROM arn_tag WHERE account_id = ?1 AND arn = ?2 AND name = ?3",
                            account, arn, name));
  return {};
}

Result<> clear_tags(sql::Connection& connection, std::string_view account, std::string_view arn) {
  TRY_VOID(connection.run("DELETE FROM arn_tag WHERE account_id = ?1 AND arn = ?2", account, arn));
  return {};
}

}  // namespace tenken::store
