// CVSS 3.0 and 3.1, section 7 of both specifications (8 in 3.0). They differ in how a score is
// rounded up and in the impact of a changed modified scope.
#include <algorithm>
#include <cmath>

#include "cvss/metrics.h"

namespace tenken::cvss {
namespace {

// clang-format off
enum : std::size_t { AV, AC, PR, UI, S, C, I, A, E, RL, RC, CR, IR, AR,
                     MAV, MAC, MPR, MUI, MS, MC, MI, MA };
// clang-format on

// The modified metrics have the lists of the metrics they
// replace with X in front, so that index - 1 is the index of the replaced metric's value.
constexpr std::array<Metric, 22> metric_table{{
    {"AV", "N A L P", true, {0.85, 0.62, 0.55, 0.2}},
    {"AC", "L H", true, {0.77, 0.44}},
    {"PR", "N L H", true, {0.85, 0.62, 0.27}},
    {"UI", "N R", true, {0.85, 0.62}},
    {"S", "U C", true},
    {"C", "H L N", true, {0.56, 0.22, 0.0}},
    {"I", "H L N", true, {0.56, 0.22, 0.0}},
    {"A", "H L N", true, {0.56, 0.22, 0.0}},
    {"E", "X H F P U", false, {1.0, 1.0, 0.97, 0.94, 0.91}},
    {"RL", "X U W T O", false, {1.0, 1.0, 0.97, 0.96, 0.95}},
    {"RC", "X C R U", false, {1.0, 1.0, 0.96, 0.92}},
    {"CR", "X H M L", false, {1.0, 1.5, 1.0, 0.5}},
    {"IR", "X H M L", false, {1.0, 1.5, 1.0, 0.5}},
    {"AR", "X H M L", false, {1.0, 1.5, 1.0, 0.5}},
    {"MAV", "X N A L P"},
    {"MAC", "X L H"},
    {"MPR", "X N L H"},
    {"MUI", "X N R"},
    {"MS", "X U C"},
    {"MC", "X H L N"},
    {"MI", "X H L N"},
    {"MA", "X H L N"},
}};
constexpr std::uint8_t scope_changed = 1;
constexpr std::array<double, 3> privileges_changed_scope{0.85, 0.68, 0.5};

double weight(const Values& values, std::size_t metric) {
  const auto value = values[metric] == absent ? not_defined : values[metric];
  return metric_table[metric].weights[value];
}

double exploitability(const Values& values) {
  const double privileges =
      values[S] == scope_changed ? privileges_changed_scope[values[PR]] : weight(values, PR);
  return 8.22 * weight(values, AV) * weight(values, AC) * privileges * weight(values, UI);
}

// The values with every defined modified metric put in the place of its base metric.
Values modified(Values values) {
  for (std::size_t metric = MAV; metric <= MA; ++metric) {
    const auto value = values[metric];
    if (value == absent || value == not_defined) continue;
    values[metric - MAV + AV] = static_cast<std::uint8_t>(value - 1);
  }
  return values;
}

double round_up(double value, Version version) {
  // 3.0: the smallest number with one decimal that is equal or higher. The nudge undoes what
  // binary adds to exact decimals; it turns 0 into -0, hence max. 3.1, appendix A, defines the
  // same with integers.
  if (version == Version::v3_0) return std::max(0.0, std::ceil(value * 10 - 1e-6) / 10);
  const auto scaled = std::llround(value * 100'000);
  return static_cast<double>((scaled + 9'999) / 10'000) / 10;
}

double base_score(const Values& values, Version version) {
  const double sub_score =
      1 - (1 - weight(values, C)) * (1 - weight(values, I)) * (1 - weight(values, A));
  const bool changed = values[S] == scope_changed;
  const double impact = changed ? 7.52 * (sub_score - 0.029) - 3.25 * std::pow(sub_score - 0.02, 15)
                                : 6.42 * sub_score;
  if (impact <= 0) return 0;
  const double sum = impact + exploitability(values);
  return round_up(std::min(changed ? 1.08 * sum : sum, 10.0), version);
}

double temporal_factor(const Values& values) {
  return weight(values, E) * weight(values, RL) * weight(values, RC);
}

double environmental_score(const Values& given, Version version) {
  const auto values = modified(given);
  const double sub_score = std::min(1 - (1 - weight(values, C) * weight(values, CR)) *
                                            (1 - weight(values, I) * weight(values, IR)) *
                                            (1 - weight(values, A) * weight(values, AR)),
                                    0.915);
  const bool changed = values[S] == scope_changed;
  double impact = 6.42 * sub_score;
  if (changed) {
    const double power = version == Version::v3_0 ? std::pow(sub_score - 0.02, 15)
                                                  : std::pow(sub_score * 0.9731 - 0.02, 13);
    impact = 7.52 * (sub_score - 0.029) - 3.25 * power;
  }
  if (impact <= 0) return 0;
  const double sum = impact + exploitability(values);
  const double inner = round_up(std::min(changed ? 1.08 * sum : sum, 10.0), version);
  return round_up(inner * temporal_factor(values), version);
}

}  // namespace

Result<Scores> score_v3(std::string_view metrics, Version version) {
  TRY(const auto values, read_metrics(metrics, metric_table, Order::any));
  const double base = base_score(values, version);
  return Scores{.version = version,
                .base = base,
                .temporal = round_up(base * temporal_factor(values), version),
                .environmental = environmental_score(values, version)};
}

}  // namespace tenken::cvss
