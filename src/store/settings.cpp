#include "store/settings.h"

#include <utility>

namespace tenken::store {

Result<std::string> text_setting(sql::Connection& connection, std::string_view name) {
  TRY(auto value, connection.one_text("SELECT value FROM setting WHERE name = ?1", name));
  return std::move(value).value_or("");
}

Result<std::int64_t> number_setting(sql::Connection& connection, std::string_view name) {
  TRY(const auto value,
      connection.one_integer("SELECT CAST(value AS BIGINT) FROM setting WHERE name = ?1", name));
  return value.value_or(0);
}

Result<> put_setting(sql::Connection& connection, std::string_view name, std::string_view value) {
  TRY(const auto written, connection.run("INSERT INTO setting (name, value) VALUES (?1, ?2) "
                                         "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                         name, value));
  CHECK(written == 1);
  return {};
}

Result<> put_setting(sql::Connection& connection, std::string_view name, std::int64_t value) {
  return put_setting(connection, name, std::string_view(std::to_string(value)));
}

}  // namespace tenken::store
