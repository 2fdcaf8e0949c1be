#include "crypto/random.h"

#include <cerrno>

#include <sys/random.h>

#include "base/result.h"
#include "crypto/encode.h"

namespace tenken::crypto {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const auto got = ::getrandom(bytes.data() + filled, count - filled, 0);
    CHECK(got > 0 || errno == EINTR);  // getrandom(2): nothing else can fail on a valid buffer
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string random_text(std::size_t length, std::string_view alphabet) {
  CHECK(alphabet.size() >= 2 && alphabet.size() <= 256);
  // Bytes from the last, incomplete run of the alphabet are thrown away: they would make its first
  // characters more likely.
  const std::size_t usable = 256 - 256 % alphabet.size();
  std::string text;
  while (text.size() < length) {
    for (const char c : random_bytes(length - text.size())) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < usable) text += alphabet[byte % alphabet.size()];
    }
  }
  return text;
}

std::string random_uuid() {
  auto bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  auto text = to_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace tenken::crypto
