#include "sbom/document.h"

#include <fmt/format.h>

#include "sbom/purl.h"

namespace tenken::sbom {
namespace {

// FNV-1a. It names a document; nothing is protected by it.
std::uint64_t hash(std::string_view content, std::uint64_t value) {
  for (const char c : content) {
    value ^= static_cast<unsigned char>(c);
    value *= 0x00000100000001B3ULL;
  }
  return value;
}

}  // namespace

std::string purl_text(const Package& package, const OperatingSystem& os) {
  if (const auto purl = purl_from_package(package, os)) {
    auto text = to_string(*purl);
    if (parse_purl(text).has_value()) return text;
  }
  return package.purl;
}

std::string content_uuid(std::string_view content) {
  const auto high = hash(content, 0xCBF29CE484222325ULL);
  const auto low = hash(content, high);
  const auto version = (high & 0xFFFF'FFFF'FFFF'0FFFULL) | 0x8000ULL;
  const auto variant = (low & 0x3FFF'FFFF'FFFF'FFFFULL) | 0x8000'0000'0000'0000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", version >> 32, (version >> 16) & 0xFFFF,
                     version & 0xFFFF, variant >> 48, variant & 0xFFFF'FFFF'FFFFULL);
}

}  // namespace tenken::sbom
