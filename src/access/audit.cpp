#include "access/audit.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "crypto/random.h"

namespace tenken::access {
namespace {

constexpr Seconds longest_delay = 60;  // from an event until it is noted
constexpr int most_tries = 1'000;  // each with another count

std::string stored(std::string_view text) {
  return printable(text.substr(0, longest_audit_text));
}

// An event's texts as they are written, whatever the account.
class StoredTexts {
 public:
  explicit StoredTexts(const AuditEvent& event)
      : texts_{stored(event.principal), stored(event.access_key_id), stored(event.source),
               stored(event.action),    stored(event.target),        stored(event.outcome),
               stored(event.request_id)} {}

  // In the order of the table's columns.
  std::array<sql::Value, 10> row(std::string_view account, std::int64_t id, Seconds time) const {
    return {account,   id,        time,      texts_[0], texts_[1],
            texts_[2], texts_[3], texts_[4], texts_[5], texts_[6]};
  }

 private:
  std::array<std::string, 7> texts_;
};

// One event of all accounts has one id. Errors: conflict, where an account has an event of that id.
Result<> load(sql::Connection& connection, const StoredTexts& texts,
              const std::set<std::string_view>& accounts, std::int64_t id, Seconds time) {
  TRY(auto bulk,
      connection.bulk({.table = "audit_log",
                       .columns = {"account_id", "event_id", "happened_at", "principal",
                                   "access_key_id", "source", "action", "target", "outcome",
                                   "request_id"}}));
  for (const auto account : accounts) TRY_VOID(bulk->add(texts.row(account, id, time)));
  TRY_VOID(bulk->finish());
  return {};
}

Error no_free_id() {
  return unavailable("the audit log has no free id in this second");
}

// In 1/32,768 s. The time was read a moment ago: in the second before, perhaps. 0 of another.
std::int64_t fraction_of(Seconds time) {
  using namespace std::chrono;
  const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  if (now / 1'000'000 == time) return (now % 1'000'000) * 0x8000 / 1'000'000;
  return now / 1'000'000 == time + 1 ? 0x7FFF : 0;
}

std::uint16_t random_node() {
  unsigned node = 0;
  for (const char c : crypto::random_bytes(2)) node = node << 8 | static_cast<unsigned char>(c);
  return static_cast<std::uint16_t>(node);
}

}  // namespace

AuditLog::AuditLog() : AuditLog(random_node()) {}

// 32 bits of seconds (to the year 2106), 15 of the second's fraction, 16 of the node. Events of one
// process ascend; those of several, as two commands, by the system's clock.
std::int64_t AuditLog::next_id(Seconds time) {
  const auto by_clock = (time & 0xFFFF'FFFF) << 31 | fraction_of(time) << 16 | node_;
  auto last = last_.load();
  std::int64_t next = 0;
  do {
    const bool clock_was_set_back = (by_clock >> 31) + longest_delay < last >> 31;
    next = clock_was_set_back ? by_clock : std::max(by_clock, last + (1 << 16));
  } while (!last_.compare_exchange_weak(last, next));
  return next;
}

Result<> AuditLog::append(sql::Connection& connection, const AuditEvent& event) {
  const StoredTexts texts(event);
  const auto account = stored(event.account);
  for (int tries = 0; tries < most_tries; ++tries) {
    const auto row = texts.row(account, next_id(event.time), event.time);
    TRY(const auto written,
        connection.run(
            "INSERT INTO audit_log (account_id, event_id, happened_at, principal, "
            "access_key_id, source, action, target, outcome, request_id) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
            "ON CONFLICT (account_id, event_id) DO NOTHING",
            std::span(row)));
    if (written == 1) return {};
  }
  return no_free_id();
}

Result<> AuditLog::append_to_each(sql::Connection& connection, const AuditEvent& event,
                                  std::span<const std::string> accounts) {
  const StoredTexts texts(event);
  const std::set<std::string_view> sorted(accounts.begin(), accounts.end());
  for (int tries = 0; tries < most_tries; ++tries) {
    const auto written = load(connection, texts, sorted, next_id(event.time), event.time);
    if (written || written.error().code != Errc::conflict) return written;
  }
  return no_free_id();
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
