// Page tokens: where a list goes on, sealed so that a client can neither read nor change it, bound
// to the operation, the account and the question that was asked.
//
// Errors: validation, where a token was changed, belongs to another question or another account.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"

namespace tenken::api {

// The question is everything that shapes the list but the token itself and maxResults; it is
// hashed, so that a token answers only the request that it came from.
std::string seal_page_token(const Call& call, std::string_view question,
                            const std::vector<std::string>& position);
ApiResult<std::vector<std::string>> open_page_token(const Call& call, std::string_view question,
                                                    std::string_view token);

}  // namespace tenken::api
