#include "aws/sigv4_key.h"

#include <fmt/format.h>

#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::aws {

std::string basic_time(Seconds time) {
  auto text = format_time(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

crypto::Secret derive_key(const crypto::Secret& secret, std::string_view date,
                          std::string_view region, std::string_view service) {
  std::string first = "AWS4";
  first.reserve(first.size() + secret.reveal().size());
  first += secret.reveal();
  crypto::Secret key(std::move(first));
  for (const auto part : {date, region, service, terminator})
    key = crypto::Secret(crypto::view(crypto::hmac_sha256(key.reveal(), part)));
  return key;
}

std::string signature(const crypto::Secret& key, std::string_view timestamp, std::string_view scope,
                      std::string_view canonical_request) {
  const auto to_sign = fmt::format("{}\n{}\n{}\n{}", algorithm, timestamp, scope,
                                   crypto::to_hex(crypto::view(crypto::sha256(canonical_request))));
  return crypto::to_hex(crypto::view(crypto::hmac_sha256(key.reveal(), to_sign)));
}

}  // namespace tenken::aws
