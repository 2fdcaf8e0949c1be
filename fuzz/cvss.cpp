// CVSS vectors: any text is scored within 0 to 10 in tenths, or refused with a one-line reason.
#include "cvss/cvss.h"

#include <cmath>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view vector(reinterpret_cast<const char*>(data), size);
  const auto line = tenken::cvss::batch_line(vector);
  CHECK(line.find('\n') == std::string::npos);
  const auto scores = tenken::cvss::score(vector);
  CHECK(line.starts_with("?\t") == !scores.has_value());
  if (!scores.has_value()) return 0;
  for (const auto& score : {scores->base, scores->temporal, scores->environmental}) {
    if (!score) continue;
    CHECK(!std::signbit(*score) && *score <= 10);
    CHECK(std::abs(*score * 10 - std::round(*score * 10)) < 1e-9);
  }
  return 0;
}
