// Bytes as text: hexadecimal, base64 and base64url (RFC 4648). Decoders are strict: one text for
// one value, so that no two texts name the same token. No blanks, no line ends, no stray bits;
// base64 with its padding, base64url without.
//
// Errors: invalid.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::crypto {

std::string to_hex(std::string_view bytes);           // lower case
Result<std::string> from_hex(std::string_view text);  // either case

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

std::string to_base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);

}  // namespace tenken::crypto
