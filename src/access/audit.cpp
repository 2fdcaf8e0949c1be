#include "access/audit.h"

#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "crypto/random.h"

namespace tenken::access {
namespace {

constexpr int most_tries = 1'000;  // each with another count

std::string stored(std::string_view text) {
  return printable(text.substr(0, longest_audit_text));
}

std::uint16_t random_node() {
  unsigned node = 0;
  for (const char c : crypto::random_bytes(2)) node = node << 8 | static_cast<unsigned char>(c);
  return static_cast<std::uint16_t>(node);
}

}  // namespace

AuditLog::AuditLog() : AuditLog(random_node()) {}

// 32 bits of seconds (to the year 2106), 15 of a counter, 16 of the node.
std::int64_t AuditLog::next_id(Seconds time) {
  const std::int64_t count = count_.fetch_add(1) & 0x7FFF;
  return (time & 0xFFFF'FFFF) << 31 | count << 16 | node_;
}

Result<> AuditLog::append(sql::Connection& connection, const AuditEvent& event) {
  const std::string texts[] = {stored(event.account),       stored(event.principal),
                               stored(event.access_key_id), stored(event.source),
                               stored(event.action),        stored(event.target),
                               stored(event.outcome),       stored(event.request_id)};
  for (int tries = 0; tries < most_tries; ++tries) {
    TRY(const auto written,
        connection.run(
            "INSERT INTO audit_log (account_id, event_id, happened_at, principal, "
            "access_key_id, source, action, target, outcome, request_id) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
            "ON CONFLICT (account_id, event_id) DO NOTHING",
            std::string_view(texts[0]), next_id(event.time), event.time, std::string_view(texts[1]),
            std::string_view(texts[2]), std::string_view(texts[3]), std::string_view(texts[4]),
            std::string_view(texts[5]), std::string_view(texts[6]), std::string_view(texts[7])));
    if (written == 1) return {};
  }
  return unavailable("the audit log has no free id in this second");
}

Result<> note_command(sql::Connection& connection, std::string_view account,
                      std::string_view action, std::string_view target, Seconds now) {
  static AuditLog log;
  return log.append(connection, {.time = now,
                                 .account = std::string(account),
                                 .principal = std::string(command_line),
                                 .action = fmt::format("tenken:{}", action),
                                 .target = std::string(target),
                                 .outcome = "success"});
}

Result<std::vector<AuditEvent>> list_audit(sql::Connection& connection, std::string_view account,
                                           std::optional<std::int64_t> before, std::size_t limit) {
  TRY(const auto rows,
      connection.query(
          "SELECT event_id, happened_at, account_id, principal, access_key_id, source, action, "
          "target, outcome, request_id FROM audit_log WHERE account_id = ?1 AND event_id < ?2 "
          "ORDER BY event_id DESC LIMIT ?3",
          account, before.value_or(std::numeric_limits<std::int64_t>::max()),
          static_cast<std::int64_t>(limit)));
  std::vector<AuditEvent> events;
  for (;;) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return events;
    events.push_back({.id = row->integer(0),
                      .time = row->integer(1),
                      .account = row->string(2),
                      .principal = row->string(3),
                      .access_key_id = row->string(4),
                      .source = row->string(5),
                      .action = row->string(6),
                      .target = row->string(7),
                      .outcome = row->string(8),
                      .request_id = row->string(9)});
  }
}

Result<std::int64_t> prune_audit(sql::Connection& connection, Seconds before) {
  return connection.run("DELETE FROM audit_log WHERE happened_at < ?1", before);
}

}  // namespace tenken::access
