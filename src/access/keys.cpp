#include "access/keys.h"

#include <fmt/format.h>

#include "access/audit.h"
#include "access/sealed_secret.h"
#include "access/writes.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/random.h"

namespace tenken::access {
namespace {

Result<std::string> stored_fingerprint(sql::Connection& connection) {
  TRY(auto text, connection.one_text("SELECT master_key FROM access_state WHERE id = 1"));
  return std::move(text).value_or("");
}

Error another_master_key() {
  return conflict(
      "the store was sealed with another secret key: name that file (secret.key in --data, else "
      "--secret-key-file); where it is lost, see \"Another secret key\" in docs/serve.md");
}

crypto::Secret new_secret() {
  auto bytes = crypto::random_bytes(30);
  crypto::Secret secret(crypto::to_base64(bytes));
  crypto::wipe(bytes);
  return secret;
}

Result<NewKey> insert_key(sql::Connection& connection, const MasterKey& master,
                          std::string_view account, std::string_view user, Seconds expires_at,
                          Seconds now) {
  TRY(const auto live, connection.one_integer(
                           "SELECT COUNT(*) FROM access_key WHERE account_id = ?1 AND user_name = "
                           "?2 AND revoked_at = 0 AND (expires_at = 0 OR expires_at > ?3)",
                           account, user, now));
  if (live.value_or(0) >= live_keys_per_user)
    return limit_exceeded(
        fmt::format("user {} of account {} has {} live access keys: revoke one "
                    "first",
                    user, account, live.value_or(0)));
  NewKey key{.access_key_id = "TKIA" + crypto::random_text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
             .secret = new_secret()};
  const auto sealed = seal_secret(master.derive(MasterKey::Purpose::access_key_secrets), key.secret,
                                  key.access_key_id, account);
  TRY_VOID(connection.run(
      "INSERT INTO access_key (access_key_id, account_id, user_name, sealed_secret, created_at, "
      "expires_at, last_used_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
      std::string_view(key.access_key_id), account, user, std::string_view(sealed), now,
      expires_at));
  return key;
}

// Of whom the key is.
struct Owner {
  std::string account;
  std::string user;
  Seconds lifetime = 0;  // that the key was made with; 0: without end
};
Result<> note_key(sql::Connection& connection, std::string_view action, std::string_view id,
                  const Owner& owner, Seconds now) {
  return note_command(connection, owner.account, action, fmt::format("{} {}", id, owner.user), now);
}

// Not_found for a key that was revoked or had expired by then.
Result<Owner> owner_of(sql::Connection& connection, std::string_view access_key_id, Seconds then) {
  TRY(const auto rows,
      connection.query("SELECT account_id, user_name, CASE WHEN expires_at = 0 THEN 0 ELSE "
                       "expires_at - created_at END FROM access_key WHERE access_key_id = ?1 AND "
                       "revoked_at = 0 AND (expires_at = 0 OR expires_at > ?2)",
                       access_key_id, then));
  TRY(const auto* row, rows->next());
  if (row == nullptr)
    return not_found(fmt::format("no live access key {}", printable(access_key_id.substr(0, 128))));
  return Owner{.account = row->string(0), .user = row->string(1), .lifetime = row->integer(2)};
}

}  // namespace

Result<> claim_master_key(sql::Connection& connection, const MasterKey& master) {
  TRY(const auto stored, stored_fingerprint(connection));
  if (stored == master.fingerprint()) return {};
  if (!stored.empty()) return another_master_key();
  TRY_VOID(connection.run("UPDATE access_state SET master_key = ?1 WHERE id = 1",
                          std::string_view(master.fingerprint())));
  return {};
}

Result<> check_master_key(sql::Connection& connection, const MasterKey& master) {
  TRY(const auto stored, stored_fingerprint(connection));
  if (!stored.empty() && stored != master.fingerprint()) return another_master_key();
  return {};
}

Result<MasterKey> take_master_key(sql::Connection& connection, const std::string& file) {
  TRY(const auto stored, stored_fingerprint(connection));
  if (stored.empty()) {
    TRY(auto master, MasterKey::open_or_create(file));
    TRY(auto transaction, begin_change(connection));
    TRY_VOID(claim_master_key(connection, master));
    TRY_VOID(transaction.commit());
    return master;
  }
  auto master = MasterKey::open(file);
  if (!master && master.error().code == Errc::not_found) return another_master_key();
  if (master) TRY_VOID(check_master_key(connection, *master));
  return master;
}

Result<std::int64_t> adopt_master_key(sql::Connection& connection, const MasterKey& master,
                                      Seconds now) {
  TRY(auto transaction, begin_change(connection));
  TRY(const auto revoked,
      connection.run("UPDATE access_key SET revoked_at = ?1, sealed_secret = '' WHERE revoked_at = "
                     "0",
                     now));
  TRY_VOID(connection.run("DELETE FROM certificate_authority"));
  TRY_VOID(connection.run("UPDATE access_state SET master_key = ?1 WHERE id = 1",
                          std::string_view(master.fingerprint())));
  TRY_VOID(transaction.commit());
  return revoked;
}

Result<NewKey> create_key(sql::Connection& connection, const MasterKey& master,
                          const KeyRequest& request, Seconds now) {
  if (request.expires_at != 0 && request.expires_at <= now)
    return invalid("the access key would expire before it is made");
  TRY(auto transaction, begin_change(connection));
  TRY_VOID(claim_master_key(connection, master));
  TRY_VOID(ensure_user(connection, request.account, request.user, request.role, now));
  TRY(auto key,
      insert_key(connection, master, request.account, request.user, request.expires_at, now));
  TRY_VOID(note_key(connection, "CreateKey", key.access_key_id,
                    {std::string(request.account), std::string(request.user)}, now));
  TRY_VOID(transaction.commit());
  return key;
}

Result<NewKey> rotate_key(sql::Connection& connection, const MasterKey& master,
                          std::string_view access_key_id, Seconds grace_s, Seconds now) {
  TRY(auto transaction, begin_change(connection));
  TRY_VOID(claim_master_key(connection, master));
  TRY(const auto owner, owner_of(connection, access_key_id, now));
  const auto expires_at = owner.lifetime == 0 ? 0 : now + owner.lifetime;
  TRY(auto key, insert_key(connection, master, owner.account, owner.user, expires_at, now));
  TRY_VOID(
      connection.run("UPDATE access_key SET expires_at = ?2 WHERE access_key_id = ?1 AND "
                     "(expires_at = 0 OR expires_at > ?2)",
                     access_key_id, now + grace_s));
  TRY_VOID(note_key(connection, "RotateKey", fmt::format("{} {}", access_key_id, key.access_key_id),
                    owner, now));
  TRY_VOID(transaction.commit());
  return key;
}

Result<> revoke_key(sql::Connection& connection, std::string_view access_key_id, Seconds now) {
  TRY(auto transaction, begin_change(connection));
  constexpr Seconds whenever = 0;  // one that has expired too
  TRY(const auto owner, owner_of(connection, access_key_id, whenever));
  TRY_VOID(
      connection.run("UPDATE access_key SET revoked_at = ?2, sealed_secret = '' WHERE "
                     "access_key_id = ?1",
                     access_key_id, now));
  TRY_VOID(note_key(connection, "RevokeKey", access_key_id, owner, now));
  return transaction.commit();
}

Result<std::vector<KeyRow>> list_keys(sql::Connection& connection, std::string_view account,
                                      std::optional<std::string_view> user) {
  TRY(const auto rows,
      connection.query("SELECT k.access_key_id, k.account_id, k.user_name, u.role, k.created_at, "
                       "k.expires_at, k.last_used_at, k.revoked_at FROM access_key k JOIN app_user "
                       "u ON u.account_id = k.account_id AND u.name = k.user_name WHERE "
                       "k.account_id = ?1 AND (?2 = '' OR k.user_name = ?2) ORDER BY k.created_at "
                       "DESC, k.access_key_id",
                       account, user.value_or("")));
  std::vector<KeyRow> keys;
  for (;;) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return keys;
    keys.push_back({.access_key_id = row->string(0),
                    .account = row->string(1),
                    .user = row->string(2),
                    .role = parse_role(row->text(3)).value_or(Role::nobody),
                    .created_at = row->integer(4),
                    .expires_at = row->integer(5),
                    .last_used_at = row->integer(6),
                    .revoked_at = row->integer(7)});
  }
}

}  // namespace tenken::access
