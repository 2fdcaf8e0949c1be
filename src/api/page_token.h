// Page tokens: where a list goes on, sealed so that a client can neither read nor change it, bound
// to the operation, the account and the question that was asked.
//
// Errors: validation, where a token was changed, belongs to another question or another account.
// What a position holds may be another build's: who opens a token refuses with bad_page_token()
// what it would not have sealed.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "crypto/secret.h"

namespace tenken::api {

// Whose list of what.
struct PageScope {
  std::string_view account;
  std::string_view operation;
  const crypto::Secret& key;
};
PageScope page_scope(const Call& call);

ApiError bad_page_token();

// The question is everything that shapes the list but the token itself and maxResults; it is
// hashed, so that a token answers only the request that it came from.
std::string seal_page_token(const PageScope& scope, std::string_view question,
                            const std::vector<std::string>& position);
ApiResult<std::vector<std::string>> open_page_token(const PageScope& scope,
                                                    std::string_view question,
                                                    std::string_view token);

inline std::string seal_page_token(const Call& call, std::string_view question,
                                   const std::vector<std::string>& position) {
  return seal_page_token(page_scope(call), question, position);
}
inline ApiResult<std::vector<std::string>> open_page_token(const Call& call,
                                                           std::string_view question,
                                                           std::string_view token) {
  return open_page_token(page_scope(call), question, token);
}

}  // namespace tenken::api
