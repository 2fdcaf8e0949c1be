// From a signed request to who asks: the one door for everything that is signed with SigV4.
//
// Thread rule: any thread.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "access/key_ring.h"
#include "access/principal.h"
#include "aws/sigv4.h"
#include "base/time.h"

namespace tenken::access {

struct Authenticated {
  Principal principal;
  std::string service;  // of the signature's scope
  std::string region;
};

class Authenticator {
 public:
  // The ring outlives it; services are those of scopes that are accepted, constants.
  Authenticator(KeyRing& keys, std::span<const std::string_view> services)
      : keys_(keys), policy_{.services = services} {}

  std::expected<Authenticated, aws::Refusal> authenticate(const aws::RequestHead& head,
                                                          std::string_view body, Seconds now);

 private:
  KeyRing& keys_;
  aws::Policy policy_;
  aws::SigningKeys signing_keys_;
};

}  // namespace tenken::access
