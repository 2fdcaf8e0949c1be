#include <fmt/format.h>

#include "base/text.h"
#include "cvss/cvss.h"

namespace tenken::cvss {
namespace {

std::string decimal(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f}", *score) : "";
}

}  // namespace

std::string batch_line(std::string_view vector) {
  const auto scores = score(vector);
  if (!scores.has_value()) return "?\t" + scores.error().what;
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}", printable(vector), name(scores->version),
                     decimal(scores->base), decimal(scores->temporal),
                     decimal(scores->environmental),
                     scores->base ? severity(scores->version, *scores->base) : "");
}

}  // namespace tenken::cvss
