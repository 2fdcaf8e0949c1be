// The audit log: who did what, when, from where, and how it ended. Rows are only added. Never in
// it: secrets, bodies, signatures.
//
// What the command line, enrolment and renewal change is noted in the change's own transaction.
// What the APIs are asked is noted when it is answered, whether done or refused: after the commit
// (api/audit_writer.h).
//
// Errors: those of the engine. Thread rule: an AuditLog from any thread, with the caller's
// connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::access {

// Who acts with tenken admin.
inline constexpr std::string_view command_line = "command line";

// Texts may be a stranger's: they are stored printable and cut here, in bytes. A hundred accounts
// fit, as many as a request may name.
inline constexpr std::size_t longest_audit_text = 2'048;

struct AuditEvent {
  std::int64_t id = 0;  // made by append; ascending with time, also within a second
  Seconds time = 0;
  std::string account;
  std::string principal;      // the user's name, or what acted: command_line
  std::string access_key_id;  // empty where none was used
  std::string source;         // network address; empty: this machine
  std::string action;         // "inspector2:CreateFilter"
  std::string target;         // what it was done to: an ARN, a name; several joined by a space
  std::string outcome;        // "success", the error's code, "partial, failed for …"
  std::string request_id;
};

class AuditLog {
 public:
  AuditLog();
  // For tests.
  explicit AuditLog(std::uint16_t node) : node_(node) {}

  // An id that another node or process has taken in the same second is passed over.
  Result<> append(sql::Connection& connection, const AuditEvent& event);
  // The event in the logs of these accounts, in place of its own: all of them or none, in a
  // transaction of its own. One load, since an organisation has thousands of members.
  Result<> append_to_each(sql::Connection& connection, const AuditEvent& event,
                          std::span<const std::string> accounts);

 private:
  std::int64_t next_id(Seconds time);

  std::int64_t node_;  // 16 random bits: two nodes rarely try the same id
  std::atomic<std::int64_t> last_ = 0;
};

// Inside the caller's transaction: the command line did this, "CreateKey", in that account.
Result<> note_command(sql::Connection& connection, std::string_view account,
                      std::string_view action, std::string_view target, Seconds now);

// The account's newest events first, from the one below `before` on; at most `limit`.
Result<std::vector<AuditEvent>> list_audit(sql::Connection& connection, std::string_view account,
                                           std::optional<std::int64_t> before, std::size_t limit);

// Deletes events of all accounts that happened before that time. Returns how many.
Result<std::int64_t> prune_audit(sql::Connection& connection, Seconds before);

}  // namespace tenken::access
