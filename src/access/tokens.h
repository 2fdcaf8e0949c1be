// Enrolment tokens: what a host shows once to become an agent of an account. A token is 43
// characters of base64url (32 random bytes), shown once; the database holds its SHA-256 only. It
// lets in as many hosts as it has uses, until it expires or is revoked.
//
// Only the command line makes and revokes them; the audit log says so in the change's own
// transaction.
//
// Errors: invalid (times, uses or tags that are none), not_found, conflict (a revoked account), and
// those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "sql/sql.h"

namespace tenken::access {

inline constexpr Seconds default_token_life = 3'600;
inline constexpr std::size_t most_token_tags = 50;

using Tags = std::vector<std::pair<std::string, std::string>>;

// Of a resource, wherever they come from: names of 1 to 128 and values of at most 256 printable
// bytes, no name twice. Errors: invalid.
Result<> check_tags(const Tags& tags);

struct TokenRequest {
  std::string_view account;
  std::string_view made_by;  // a user's name, or "command line"
  Seconds expires_at = 0;
  std::int64_t uses = 1;
  Tags tags;  // of the resources of the hosts that it lets in
};
struct NewToken {
  std::string id;  // "TKIE…": names it, lets nobody in
  crypto::Secret token;
};
// The account is created when absent.
Result<NewToken> create_token(sql::Connection& connection, const TokenRequest& request,
                              Seconds now);

struct TokenRow {
  std::string id;
  std::string account;
  std::string made_by;
  std::int64_t uses = 0;
  std::int64_t used = 0;
  Tags tags;
  Seconds created_at = 0;
  Seconds expires_at = 0;
  Seconds revoked_at = 0;  // 0: not
  bool live(Seconds now) const { return revoked_at == 0 && now < expires_at && used < uses; }
};
// Newest first.
Result<std::vector<TokenRow>> list_tokens(sql::Connection& connection, std::string_view account);
// Not_found where the account has no such token that is not revoked.
Result<> revoke_token(sql::Connection& connection, std::string_view account, std::string_view id,
                      Seconds now);

// The live token that a host shows; none: unknown, expired, used up, revoked, of a revoked account.
Result<std::optional<TokenRow>> find_live_token(sql::Connection& connection, std::string_view token,
                                                Seconds now);
// Inside the caller's writing transaction: takes one use of a token. False: it has none any more.
Result<bool> use_token(sql::Connection& connection, std::string_view id, Seconds now);

// Deletes tokens that ended before that time. Returns how many.
Result<std::int64_t> prune_tokens(sql::Connection& connection, Seconds before);

}  // namespace tenken::access
