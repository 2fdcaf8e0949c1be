// Pages of a list that is at hand whole and is small: permissions, members.
//
// Errors: validation, for a token that is none of this list's. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"

namespace tenken::api {

struct Page {
  std::size_t begin = 0;  // of the list
  std::size_t end = 0;
  std::string next_token;  // empty on the last page
};

// keys: what the list is ordered by, each once. question: see page_token.h. The request's
// maxResults and nextToken choose the page; largest is the size without maxResults.
ApiResult<Page> page_of(const Call& call, std::string_view question,
                        const std::vector<std::string>& keys, std::size_t largest);

}  // namespace tenken::api
