// Random bytes and texts from the kernel (getrandom(2)), fit for keys.
//
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tenken::crypto {

std::string random_bytes(std::size_t count);

// Each character is any of the alphabet's with the same probability. The alphabet has 2 to 256.
std::string random_text(std::size_t length, std::string_view alphabet);

// "0b7e1a1c-9a2f-4f57-9d64-3f5b7d6f5a11": version 4 (RFC 9562 section 5.4).
std::string random_uuid();

}  // namespace tenken::crypto
