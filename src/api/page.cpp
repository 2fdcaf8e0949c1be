#include "api/page.h"

#include <algorithm>

#include "api/page_token.h"

namespace tenken::api {

ApiResult<Page> page_of(const Call& call, std::string_view question,
                        const std::vector<std::string>& keys, std::size_t largest) {
  Page out;
  if (const auto token = call.input.string("nextToken"); !token.empty()) {
    TRY(const auto position, open_page_token(call, question, token));
    if (position.size() != 1) return bad_page_token();
    const auto after = std::ranges::upper_bound(keys, position[0]);
    out.begin = static_cast<std::size_t>(after - keys.begin());
  }
  const auto wanted = call.input.integer("maxResults");
  const auto size = wanted ? std::min(static_cast<std::size_t>(*wanted), largest) : largest;
  out.end = std::min(keys.size(), out.begin + size);
  if (out.end < keys.size()) out.next_token = seal_page_token(call, question, {keys[out.end - 1]});
  return out;
}

}  // namespace tenken::api
