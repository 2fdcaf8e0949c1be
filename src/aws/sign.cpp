#include <algorithm>

#include <fmt/format.h>

#include "aws/sigv4.h"
#include "aws/sigv4_key.h"
#include "base/result.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::aws {
namespace {

// Headers that a proxy or an HTTP library may change on the way.
bool is_signable(std::string_view lower_name) {
  constexpr std::string_view changed_on_the_way[] = {"authorization", "connection",
                                                     "expect",        "transfer-encoding",
                                                     "user-agent",    "x-amzn-trace-id"};
  return std::ranges::find(changed_on_the_way, lower_name) == std::end(changed_on_the_way);
}

std::vector<std::string> names_to_sign(const RequestHead& head) {
  std::vector<std::string> names;
  for (const auto& [name, value] : head.headers) names.push_back(ascii_lower(name));
  std::erase_if(names, [](const std::string& name) { return !is_signable(name); });
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

}  // namespace

std::string payload_hash(std::string_view body) {
  return crypto::to_hex(crypto::view(crypto::sha256(body)));
}

std::vector<Header> sign(const RequestHead& head, std::string_view payload_hash,
                         const Credentials& credentials, std::string_view region,
                         std::string_view service, Seconds time) {
  CHECK(head.header("host") != nullptr);
  const auto timestamp = basic_time(time);
  const auto date = timestamp.substr(0, 8);
  std::vector<Header> added = {{"x-amz-date", timestamp}};
  if (service == "s3") added.emplace_back("x-amz-content-sha256", payload_hash);
  if (!credentials.session_token.empty())
    added.emplace_back("x-amz-security-token", credentials.session_token);

  std::vector<Header> all(head.headers.begin(), head.headers.end());
  all.insert(all.end(), added.begin(), added.end());
  const RequestHead whole{.method = head.method, .target = head.target, .headers = all};
  const auto names = names_to_sign(whole);
  const std::vector<std::string_view> signed_names(names.begin(), names.end());

  const auto scope = fmt::format("{}/{}/{}/{}", date, region, service, terminator);
  const auto key = derive_key(credentials.secret, date, region, service);
  added.emplace_back(
      "authorization",
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                  credentials.access_key_id, scope, fmt::join(signed_names, ";"),
                  signature(key, timestamp, scope,
                            canonical_request(whole, signed_names, payload_hash, service))));
  return added;
}

}  // namespace tenken::aws
