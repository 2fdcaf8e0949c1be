#include "api/v1/page.h"

#include <fmt/format.h>

#include "api/page_token.h"
#include "base/text.h"

namespace tenken::api::v1 {
namespace {

constexpr std::uint64_t longest_page = 1'000;

std::string question_of(const V1Call& call) {
  std::string out(call.request.path());
  for (const auto& [name, value] : call.query) {
    if (name == "limit" || name == "nextToken") continue;
    out += fmt::format("\n{}:{}={}", name.size(), name, value);
  }
  return out;
}

// An operation's path tells it apart from those of the models, which are named without a slash.
PageScope scope_of(const V1Call& call) {
  return {.account = call.who.account,
          .operation = call.operation.path,
          .key = call.services.token_key};
}

}  // namespace

ApiResult<Page> read_page(const V1Call& call) {
  Page out{.question = question_of(call)};
  if (const auto limit = call.parameter("limit"); !limit.empty()) {
    const auto number = parse_uint(limit);
    if (!number || *number == 0 || *number > longest_page)
      return validation_failed(fmt::format("limit: a number from 1 to {} is needed", longest_page));
    out.limit = static_cast<std::int64_t>(*number);
  }
  if (const auto token = call.parameter("nextToken"); !token.empty()) {
    TRY(out.position, open_page_token(scope_of(call), out.question, token));
  }
  return out;
}

void write_next_token(json::Writer& out, const V1Call& call, const Page& page,
                      const std::vector<std::string>& position) {
  out.member("nextToken", seal_page_token(scope_of(call), page.question, position));
}

}  // namespace tenken::api::v1
