// The access keys a server knows, found by their ids on every request. Keys are kept in memory
// with their secrets opened, and are good for a second at most: the database's epoch
// (schema.h) is asked every half second, and where it has moved, all is forgotten. So a
// revocation made by another process holds within a second, and while the database cannot be
// asked, nobody enters.
//
// Errors: unavailable (the database), whatever it says of itself.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "access/master_key.h"
#include "access/principal.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "sql/sql.h"

namespace tenken::access {

struct KnownKey {
  Principal principal;
  crypto::Secret secret;
  Seconds expires_at = 0;  // 0: never
};

class KeyRing {
 public:
  // Milliseconds that only go forward, from any origin: how old what is remembered is.
  using Ticks = std::function<std::int64_t()>;
  static std::int64_t steady_ticks();

  // The pool outlives the ring.
  KeyRing(sql::Pool& pool, const MasterKey& master, Ticks ticks = steady_ticks);
  ~KeyRing();

  // Null: no such key, revoked, expired, of a revoked user or account, sealed with another master
  // key.
  Result<std::shared_ptr<const KnownKey>> find(std::string_view access_key_id, Seconds now);

  // Remembers that a key was used; write_uses() writes what was remembered to the database, to be
  // called once a minute, so that no request waits for a write. What cannot be written stays.
  void used(std::string_view access_key_id, Seconds now);
  Result<> write_uses();

 private:
  struct State;
  Result<std::shared_ptr<const KnownKey>> look_up(std::string_view access_key_id);
  Result<std::shared_ptr<const KnownKey>> load(std::string_view access_key_id);
  Result<> check_epoch();

  sql::Pool& pool_;
  crypto::Secret sealing_key_;
  Ticks ticks_;
  std::unique_ptr<State> state_;
};

}  // namespace tenken::access
