#include "cvss/cvss.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cvss/metrics.h"

namespace tenken::cvss {

Result<Scores> score(std::string_view vector) {
  if (vector.empty()) return invalid("the vector is empty");
  if (!vector.starts_with("CVSS:")) return score_v2(vector);
  const auto [prefix, metrics] = split_once(vector, '/');
  const auto version = prefix.substr(prefix.find(':') + 1);
  if (!metrics) return invalid("the vector has no metrics");
  if (version == "3.0") return score_v3(*metrics, Version::v3_0);
  if (version == "3.1") return score_v3(*metrics, Version::v3_1);
  if (version == "4.0") return score_v4(*metrics);
  return invalid(fmt::format("no CVSS version '{}' with a prefix", printable(version)));
}

std::string_view name(Version version) {
  switch (version) {
    case Version::v2:
      return "2.0";
    case Version::v3_0:
      return "3.0";
    case Version::v3_1:
      return "3.1";
    case Version::v4_0:
      return "4.0";
  }
  return "";
}

std::string_view severity(Version version, double score) {
  const bool v2 = version == Version::v2;
  if (score < 0.1 && !v2) return "none";
  if (score < 4.0) return "low";
  if (score < 7.0) return "medium";
  if (score < 9.0 || v2) return "high";
  return "critical";
}

}  // namespace tenken::cvss
