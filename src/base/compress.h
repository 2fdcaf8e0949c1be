// Bytes of our own packed for the store (Zstandard, RFC 8878).
//
// Errors of unpacking: invalid (bytes that pack did not make, or that were damaged), limit.
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken {

std::string pack(std::string_view bytes);
// No more than limit_bytes are ever held for it.
Result<std::string> unpack(std::string_view packed, std::size_t limit_bytes);

}  // namespace tenken
