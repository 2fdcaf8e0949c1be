#include "api/page_token.h"

#include <fmt/format.h>

#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

namespace tenken::api {
namespace {

constexpr std::size_t longest_token = 8 * 1024;

std::string bound_to(const PageScope& scope, std::string_view question) {
  return fmt::format("{}\n{}\n{}", scope.account, scope.operation,
                     crypto::to_hex(crypto::view(crypto::sha256(question))));
}

}  // namespace

ApiError bad_page_token() {
  return validation_failed("The nextToken is not valid for this request");
}

PageScope page_scope(const Call& call) {
  return {.account = call.who.account,
          .operation = call.input.operation().name,
          .key = call.services.token_key};
}

std::string seal_page_token(const PageScope& scope, std::string_view question,
                            const std::vector<std::string>& position) {
  std::string text;
  for (const auto& part : position) text += fmt::format("{}:{}", part.size(), part);
  return crypto::to_base64url(crypto::seal(scope.key, text, bound_to(scope, question)));
}

ApiResult<std::vector<std::string>> open_page_token(const PageScope& scope,
                                                    std::string_view question,
                                                    std::string_view token) {
  if (token.size() > longest_token) return bad_page_token();
  const auto sealed = crypto::from_base64url(token);
  if (!sealed) return bad_page_token();
  const auto opened = crypto::open(scope.key, *sealed, bound_to(scope, question));
  if (!opened) return bad_page_token();
  std::vector<std::string> out;
  auto rest = opened->reveal();
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return bad_page_token();
    const auto size = parse_uint(rest.substr(0, colon));
    if (!size || *size > rest.size() - colon - 1) return bad_page_token();
    out.emplace_back(rest.substr(colon + 1, *size));
    rest.remove_prefix(colon + 1 + *size);
  }
  return out;
}

}  // namespace tenken::api
