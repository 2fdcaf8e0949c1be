// What signing and verifying share besides the canonical form: times, the derived key and the
// signature itself. Of this folder only.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/secret.h"

namespace tenken::aws {

inline constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view terminator = "aws4_request";

std::string basic_time(Seconds time);  // 20241021T131502Z

crypto::Secret derive_key(const crypto::Secret& secret, std::string_view date,
                          std::string_view region, std::string_view service);

// In lower-case hexadecimal. The scope is "date/region/service/aws4_request".
std::string signature(const crypto::Secret& key, std::string_view timestamp, std::string_view scope,
                      std::string_view canonical_request);

}  // namespace tenken::aws
