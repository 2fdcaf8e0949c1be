#include "sql/postgresql_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::sql {

namespace {

// Block comments nest in PostgreSQL.
std::size_t block_comment_length(std::string_view sql) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i + 1 < sql.size(); ++i) {
    const auto two = sql.substr(i, 2);
    if (two == "/*") {
      ++depth;
      ++i;
    } else if (two == "*/") {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return sql.size();
}

// The length of the literal, quoted name or comment at the start of sql; 0 where there is none. A
// doubled quote inside a literal reads as two literals, which comes to the same.
std::size_t opaque_length(std::string_view sql) {
  const auto to_end_of = [&](char end) {
    const auto found = sql.find(end, 1);
    return found == std::string_view::npos ? sql.size() : found + 1;
  };
  if (sql.starts_with('\'')) return to_end_of('\'');
  if (sql.starts_with('"')) return to_end_of('"');
  if (sql.starts_with("--")) return to_end_of('\n');
  if (sql.starts_with("/*")) return block_comment_length(sql);
  return 0;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

NumberedStatement number_parameters(std::string_view sql, const std::vector<bool>& is_null) {
  NumberedStatement out;
  out.text.reserve(sql.size());
  while (!sql.empty()) {
    if (const auto opaque = opaque_length(sql); opaque > 0) {
      out.text += sql.substr(0, opaque);
      sql.remove_prefix(opaque);
      continue;
    }
    const auto digits = sql.substr(1, sql.find_first_not_of("0123456789", 1) - 1);
    const auto number = static_cast<std::size_t>(parse_uint(digits).value_or(0));
    if (sql.front() != '?' || number == 0) {
      out.text += sql.front();
      sql.remove_prefix(1);
      continue;
    }
    if (number <= is_null.size() && is_null[number - 1]) {
      out.text += "NULL";
    } else {
      out.text += fmt::format("${}", number);
    }
    out.parameters = std::max(out.parameters, number);
    sql.remove_prefix(1 + digits.size());
  }
  return out;
}

std::string decode_bytea(std::string_view text) {
  std::string bytes;
  if (!text.starts_with("\\x")) return bytes;
  text.remove_prefix(2);
  bytes.reserve(text.size() / 2);
  for (; text.size() >= 2; text.remove_prefix(2)) {
    const int high = hex_digit(text[0]);
    const int low = hex_digit(text[1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Errc code_of_sqlstate(std::string_view sqlstate) {
  struct Row {
    std::string_view prefix;
    Errc code;
  };
  // The first row that fits decides.
  static constexpr Row rows[] = {
      {"08", Errc::unavailable},     // connection lost
      {"23", Errc::conflict},        // a constraint
      {"25006", Errc::denied},       // a server that only reads
      {"25P03", Errc::unavailable},  // idle too long
      {"28", Errc::denied},          // wrong user or password
      {"3D", Errc::not_found},       // no such database
      {"40", Errc::unavailable},     // serialisation failure, deadlock
      {"42501", Errc::denied},       // insufficient privilege
      {"53", Errc::unavailable},     // disk, memory or connections used up
      {"54", Errc::limit},           // too large or too complex
      {"55P03", Errc::unavailable},  // waited too long for a lock
      {"55006", Errc::unavailable},  // in use
      {"57", Errc::unavailable},     // shut down, starting up, cancelled by statement_timeout
      {"58", Errc::unavailable},     // error of the server's system
  };
  for (const auto& row : rows)
    if (sqlstate.starts_with(row.prefix)) return row.code;
  return Errc::internal;
}

ConnectFailure read_connect_failure(std::string_view verbose) {
  constexpr std::size_t sqlstate_bytes = 5;
  const auto first_line = trim(verbose.substr(0, verbose.find('\n')));
  for (std::size_t at = 0; (at = first_line.find(":  ", at)) != std::string_view::npos; ++at) {
    const auto rest = first_line.substr(at + 3);
    const auto sqlstate = rest.substr(0, sqlstate_bytes);
    const auto is_code = [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); };
    if (rest.substr(sqlstate.size()).starts_with(": ") && std::ranges::all_of(sqlstate, is_code))
      return {sqlstate, rest.substr(sqlstate_bytes + 2)};
  }
  return {{}, first_line};
}

Result<> check_address(std::string_view uri) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (!uri.starts_with(scheme)) continue;
    const auto rest = uri.substr(scheme.size());
    const auto authority = rest.substr(0, rest.find('/'));
    const auto signs = std::ranges::count(rest, '@');
    if (signs > 1 || (signs == 1 && !authority.contains('@')))
      return invalid(
          "the PostgreSQL address has an \"@\" or a \"/\" in the user's name or password: write "
          "them as %40 and %2F");
    return {};
  }
  return invalid(
      "the PostgreSQL address is not postgresql://user:password@host:port/database?option=value");
}

}  // namespace tenken::sql
