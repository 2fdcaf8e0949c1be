#include "http/request_ids.h"

#include <cstdint>

#include <fmt/format.h>

namespace tenken::http {

RequestIds::RequestIds() {
  std::random_device seed;
  std::seed_seq words{seed(), seed(), seed(), seed()};
  random_.seed(words);
}

std::string RequestIds::next() {
  const std::uint64_t a = random_();
  const std::uint64_t b = random_();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xFFFF, a & 0xFFF,
                     0x8000 | ((b >> 48) & 0x3FFF), b & 0xFFFF'FFFF'FFFF);
}

}  // namespace tenken::http
