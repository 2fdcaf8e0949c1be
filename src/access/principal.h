// Who asks: the same value whichever door the request came through (a signature, a session).
//
// Thread rule: a value.
#pragma once

#include <string>

#include "access/role.h"

namespace tenken::access {

struct Principal {
  std::string account;        // 12 digits
  std::string user;           // its name in the account
  std::string user_id;        // TKIU…: never used again, unlike a name
  std::string access_key_id;  // empty where no key was used
  Role role = Role::nobody;

  bool may(Permission permission) const { return permits(role, permission); }
};

// "arn:aws:iam::111122223333:user/alice"
std::string arn(const Principal& principal);

}  // namespace tenken::access
