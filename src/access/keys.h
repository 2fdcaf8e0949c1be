// Access keys: made, listed, rotated, revoked. A secret is shown once, when its key is made; the
// database holds it sealed with AES-256-GCM under a key derived from the master key, bound to the
// key's id and account, so that neither a stolen database nor a row moved within it gives access.
//
// An id is TKIA and 16 of A–Z 2–7; a secret is 40 of A–Z a–z 0–9 + /: both as AWS's tools expect.
// A user has two live keys at most, so that one can replace the other without a gap.
//
// Only the command line makes and ends keys; the audit log says so in the change's own transaction.
//
// Errors: invalid, not_found, limit (two live keys), conflict (revoked account or user; another
// master key), and those of the engine.
// Thread rule: functions over the caller's connection, each its own transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/master_key.h"
#include "access/role.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "sql/sql.h"

namespace tenken::access {

inline constexpr std::int64_t live_keys_per_user = 2;

// Whether a database belongs to a master key: conflict, with what to do, where its secrets were
// sealed with another. One that belongs to none yet takes any.
Result<> check_master_key(sql::Connection& connection, const MasterKey& master);
// The master key in the file, which the database belongs to from here on. The file is made only for
// a database that belongs to none. Conflict where it belongs to another; errors of the file.
Result<MasterKey> take_master_key(sql::Connection& connection, const std::string& file);
// The way back when the master key is lost: every access key is revoked, the shared certificate
// authority is forgotten, and new ones are sealed with this one from now on. Returns the number of
// keys revoked.
Result<std::int64_t> adopt_master_key(sql::Connection& connection, const MasterKey& master,
                                      Seconds now);

struct NewKey {
  std::string access_key_id;
  crypto::Secret secret;
};

struct KeyRequest {
  std::string_view account;
  std::string_view user;
  std::optional<Role> role;  // must be that of a user who is there; none: whatever it is
  Seconds expires_at = 0;    // 0: never
};

// Account and user are created when absent.
Result<NewKey> create_key(sql::Connection& connection, const MasterKey& master,
                          const KeyRequest& request, Seconds now);

// A second key for the user of this one, made to live as long as this one was; this one ends
// grace_s from now.
Result<NewKey> rotate_key(sql::Connection& connection, const MasterKey& master,
                          std::string_view access_key_id, Seconds grace_s, Seconds now);

// Holds on every node within a second (key_ring.h); the sealed secret is deleted. A key that was
// revoked before is not_found.
Result<> revoke_key(sql::Connection& connection, std::string_view access_key_id, Seconds now);

struct KeyRow {
  std::string access_key_id;
  std::string account;
  std::string user;
  Role role = Role::nobody;
  Seconds created_at = 0;
  Seconds expires_at = 0;    // 0: never
  Seconds last_used_at = 0;  // 0: never; to the minute
  Seconds revoked_at = 0;    // 0: not
  bool live(Seconds now) const { return revoked_at == 0 && (expires_at == 0 || now < expires_at); }
};
// Newest first; of one user where it is given, else of the account.
Result<std::vector<KeyRow>> list_keys(sql::Connection& connection, std::string_view account,
                                      std::optional<std::string_view> user = {});

}  // namespace tenken::access
