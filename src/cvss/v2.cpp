// CVSS 2.0, equations of section 3.2 of the guide.
#include <algorithm>

#include <fmt/format.h>

#include "cvss/metrics.h"

namespace tenken::cvss {
namespace {

enum : std::size_t { AV, AC, Au, C, I, A, E, RL, RC, CDP, TD, CR, IR, AR };

constexpr std::array<Metric, 14> metric_table{{
    {"AV", "L A N", true, {0.395, 0.646, 1.0}},
    {"AC", "H M L", true, {0.35, 0.61, 0.71}},
    {"Au", "M S N", true, {0.45, 0.56, 0.704}},
    {"C", "N P C", true, {0.0, 0.275, 0.660}},
    {"I", "N P C", true, {0.0, 0.275, 0.660}},
    {"A", "N P C", true, {0.0, 0.275, 0.660}},
    {"E", "ND U POC F H", false, {1.0, 0.85, 0.9, 0.95, 1.0}},
    {"RL", "ND OF TF W U", false, {1.0, 0.87, 0.90, 0.95, 1.0}},
    {"RC", "ND UC UR C", false, {1.0, 0.90, 0.95, 1.0}},
    {"CDP", "ND N L LM MH H", false, {0.0, 0.0, 0.1, 0.3, 0.4, 0.5}},
    {"TD", "ND N L M H", false, {1.0, 0.0, 0.25, 0.75, 1.0}},
    {"CR", "ND L M H", false, {1.0, 0.5, 1.0, 1.51}},
    {"IR", "ND L M H", false, {1.0, 0.5, 1.0, 1.51}},
    {"AR", "ND L M H", false, {1.0, 0.5, 1.0, 1.51}},
}};

double weight(const Values& values, std::size_t metric) {
  const auto value = values[metric] == absent ? not_defined : values[metric];
  return metric_table[metric].weights[value];
}

// Whether a metric from first to last is given with another value than ND.
bool defines_any(const Values& values, std::size_t first, std::size_t last) {
  return std::any_of(values.begin() + first, values.begin() + last + 1,
                     [](std::uint8_t value) { return value != absent && value != not_defined; });
}

// The guide lists the metrics of a group together. A vector whose last group is not finished has
// been cut off, and what is lost may change its score.
Result<> ends_a_group(const Values& values) {
  std::size_t last = A;
  for (std::size_t i = E; i < metric_table.size(); ++i)
    if (values[i] != absent) last = i;
  if (last == A || last == RC || last == AR) return {};
  return invalid(fmt::format("the vector is cut off: metric {} is missing",
                             metric_table[last < RC ? RC : AR].name));
}

double base_score(const Values& values, double impact) {
  if (impact == 0) return 0;
  const double exploitability = 20 * weight(values, AV) * weight(values, AC) * weight(values, Au);
  return round_half_up((0.6 * impact + 0.4 * exploitability - 1.5) * 1.176);
}

double impact(double confidentiality, double integrity, double availability) {
  return 10.41 * (1 - (1 - confidentiality) * (1 - integrity) * (1 - availability));
}

double temporal_score(const Values& values, double base) {
  return round_half_up(base * weight(values, E) * weight(values, RL) * weight(values, RC));
}

double environmental_score(const Values& values) {
  const double adjusted_impact = std::min(
      10.0, impact(weight(values, C) * weight(values, CR), weight(values, I) * weight(values, IR),
                   weight(values, A) * weight(values, AR)));
  const double adjusted = temporal_score(values, base_score(values, adjusted_impact));
  const double score =
      round_half_up((adjusted + (10 - adjusted) * weight(values, CDP)) * weight(values, TD));
  return std::max(0.0, score);
}

}  // namespace

Result<Scores> score_v2(std::string_view metrics) {
  TRY(const auto values, read_metrics(metrics, metric_table, Order::fixed));
  TRY_VOID(ends_a_group(values));
  Scores scores{.version = Version::v2};
  scores.base = base_score(values, impact(weight(values, C), weight(values, I), weight(values, A)));
  if (defines_any(values, E, RC)) scores.temporal = temporal_score(values, *scores.base);
  if (defines_any(values, CDP, AR)) scores.environmental = environmental_score(values);
  return scores;
}

}  // namespace tenken::cvss
