#include "sql/dialect.h"

#include <fmt/format.h>

namespace tenken::sql {

namespace {

constexpr Dialect sqlite{.text = "TEXT",
                         .blob = "BLOB",
                         .clustered = " WITHOUT ROWID",
                         .id = " INTEGER PRIMARY KEY",
                         .greatest = "max",
                         .least = "min",
                         .skip_locked = "",
                         .for_share = "",
                         .for_update = ""};
constexpr Dialect postgresql{.text = "TEXT COLLATE \"C\"",
                             .blob = "BYTEA",
                             .clustered = "",
                             .id = " BIGINT PRIMARY KEY",
                             .greatest = "greatest",
                             .least = "least",
                             .skip_locked = " FOR UPDATE SKIP LOCKED",
                             .for_share = " FOR SHARE",
                             .for_update = " FOR UPDATE"};

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

const Dialect& dialect(Engine engine) {
  return engine == Engine::sqlite ? sqlite : postgresql;
}

std::string joined(Engine engine, std::string_view expression, std::string_view separator,
                   std::string_view order) {
  const std::string between = quoted(separator, '\'');
  if (engine == Engine::sqlite) return fmt::format("group_concat({}, {})", expression, between);
  return fmt::format("string_agg({}, {} ORDER BY {})", expression, between, order);
}

std::string read_by(Engine engine, std::string_view index) {
  return engine == Engine::postgresql ? "" : fmt::format(" INDEXED BY {}", index);
}

std::string quoted_name(std::string_view name) {
  return quoted(name, '"');
}

}  // namespace tenken::sql
