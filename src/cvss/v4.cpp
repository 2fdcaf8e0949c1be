// CVSS 4.0, section 8 of the specification: the vector falls into one of 270 macro vectors, whose
// score is lowered by how far the vector stands below the macro vector's worst member.
#include <algorithm>
#include <span>

#include "cvss/metrics.h"

namespace tenken::cvss {
namespace {

// clang-format off
enum : std::size_t { AV, AC, AT, PR, UI, VC, VI, VA, SC, SI, SA, E, CR, IR, AR,
                     MAV, MAC, MAT, MPR, MUI, MVC, MVI, MVA, MSC, MSI, MSA, S, AU, R, V, RE, U };
// clang-format on

// Values stand from the most to the least severe, so that an index is the distance to the worst in
// steps.
constexpr std::array<Metric, 32> metric_table{{
    {"AV", "N A L P", true}, {"AC", "L H", true},
    {"AT", "N P", true},     {"PR", "N L H", true},
    {"UI", "N P A", true},   {"VC", "H L N", true},
    {"VI", "H L N", true},   {"VA", "H L N", true},
    {"SC", "H L N", true},   {"SI", "H L N", true},
    {"SA", "H L N", true},   {"E", "X A P U"},
    {"CR", "X H M L"},       {"IR", "X H M L"},
    {"AR", "X H M L"},       {"MAV", "X N A L P"},
    {"MAC", "X L H"},        {"MAT", "X N P"},
    {"MPR", "X N L H"},      {"MUI", "X N P A"},
    {"MVC", "X H L N"},      {"MVI", "X H L N"},
    {"MVA", "X H L N"},      {"MSC", "X H L N"},
    {"MSI", "X S H L N"},    {"MSA", "X S H L N"},
    {"S", "X N P"},          {"AU", "X N Y"},
    {"R", "X A U I"},        {"V", "X D C"},
    {"RE", "X L M H"},       {"U", "X Clear Green Amber Red"},
}};

// Steps below the worst value, of AV to AR: modified metrics replace the base's, and E, CR, IR and
// AR are at their worst where not defined. SC, SI and SA count from S (safety), which only MSI and
// MSA can say.
using Steps = std::array<int, AR + 1>;
enum : int { safety, subsequent_high, subsequent_low, subsequent_none };
constexpr int high = 0;  // of VC, VI, VA
constexpr int none = 2;
constexpr int physical = 3;

Steps steps_of(const Values& values) {
  const auto defined = [&](std::size_t metric) {
    return values[metric] != absent && values[metric] != not_defined;
  };
  Steps steps{};
  for (std::size_t metric = AV; metric <= SA; ++metric) {
    const auto modified = metric - AV + MAV;
    steps[metric] = values[metric] + (metric >= SC ? 1 : 0);
    if (defined(modified)) steps[metric] = values[modified] - (modified == MSC ? 0 : 1);
  }
  for (std::size_t metric = E; metric <= AR; ++metric)
    steps[metric] = defined(metric) ? values[metric] - 1 : 0;
  return steps;
}

// Tables 24 to 29 of the specification.
MacroVector macro_vector(const Steps& at) {
  const bool any_vulnerable_high = at[VC] == high || at[VI] == high || at[VA] == high;
  const bool any_safety = at[SI] == safety || at[SA] == safety;
  const bool any_subsequent_high =
      at[SC] == subsequent_high || at[SI] == subsequent_high || at[SA] == subsequent_high;
  const bool high_and_required = (at[CR] == 0 && at[VC] == high) ||
                                 (at[IR] == 0 && at[VI] == high) || (at[AR] == 0 && at[VA] == high);
  MacroVector eq{};
  if (at[AV] == 0 && at[PR] == 0 && at[UI] == 0)
    eq[0] = 0;
  else
    eq[0] = (at[AV] == 0 || at[PR] == 0 || at[UI] == 0) && at[AV] != physical ? 1 : 2;
  eq[1] = at[AC] == 0 && at[AT] == 0 ? 0 : 1;
  if (at[VC] == high && at[VI] == high)
    eq[2] = 0;
  else
    eq[2] = any_vulnerable_high ? 1 : 2;
  eq[3] = any_safety ? 0 : any_subsequent_high ? 1 : 2;
  eq[4] = at[E];
  eq[5] = high_and_required ? 0 : 1;
  return eq;
}

// The worst members of one level of one equivalence class (section 8.3), as steps of the class's
// metrics, and the depth of the level: how many steps its best member stands below.
struct Level {
  int depth;
  std::size_t count;
  std::array<std::array<int, 6>, 5> worst;
};
constexpr std::array<std::size_t, 3> eq1_metrics{AV, PR, UI};
constexpr std::array<Level, 3> eq1_levels{{
    {1, 1, {{{0, 0, 0}}}},
    {4, 3, {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}},
    {5, 2, {{{3, 0, 0}, {1, 1, 1}}}},
}};
constexpr std::array<std::size_t, 2> eq2_metrics{AC, AT};
constexpr std::array<Level, 2> eq2_levels{{
    {1, 1, {{{0, 0}}}},
    {2, 2, {{{1, 0}, {0, 1}}}},
}};
// EQ3 and EQ6 depend on each other and are one class; rows by 2 * EQ3 + EQ6. EQ3 2 with EQ6 0
// cannot be: without a high impact there is none to be required.
constexpr std::array<std::size_t, 6> eq36_metrics{VC, VI, VA, CR, IR, AR};
constexpr std::array<Level, 6> eq36_levels{{
    {7, 1, {{{0, 0, 0, 0, 0, 0}}}},
    {6, 2, {{{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}}}},
    {8, 2, {{{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}}}},
    {8,
     5,
     {{{1, 0, 1, 0, 1, 0},
       {1, 0, 0, 0, 1, 1},
       {0, 1, 0, 1, 0, 1},
       {0, 1, 1, 1, 0, 0},
       {1, 1, 0, 0, 0, 1}}}},
    {0, 0, {}},
    {10, 1, {{{1, 1, 1, 0, 0, 0}}}},
}};
constexpr std::array<std::size_t, 3> eq4_metrics{SC, SI, SA};
constexpr std::array<Level, 3> eq4_levels{{
    {6, 1, {{{1, 0, 0}}}},
    {5, 1, {{{1, 1, 1}}}},
    {4, 1, {{{2, 2, 2}}}},
}};

// How far the vector stands below the first worst member that is at least as severe in every
// metric, as a part of the level's depth.
double part_of_depth(const Steps& at, std::span<const std::size_t> metrics, const Level& level) {
  for (std::size_t row = 0; row < level.count; ++row) {
    int sum = 0;
    bool below = true;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const int distance = at[metrics[i]] - level.worst[row][i];
      below = below && distance >= 0;
      sum += distance;
    }
    if (below) return static_cast<double>(sum) / level.depth;
  }
  return 0;
}

int with_level(MacroVector eq, std::size_t index, int level) {
  eq[index] = level;
  return macro_vector_score(eq);
}

// The score of the next lower macro vector in EQ3 and EQ6 together; -1 where there is none.
int next_lower_eq36(const MacroVector& eq) {
  if (eq[2] == 0 && eq[5] == 0) return std::max(with_level(eq, 5, 1), with_level(eq, 2, 1));
  if (eq[5] == 0) return with_level(eq, 5, 1);
  return with_level(eq, 2, eq[2] + 1);
}

}  // namespace

Result<Scores> score_v4(std::string_view metrics) {
  TRY(const auto values, read_metrics(metrics, metric_table, Order::fixed));
  const auto at = steps_of(values);
  Scores scores{.version = Version::v4_0, .base = 0.0};
  const bool no_impact = at[VC] == none && at[VI] == none && at[VA] == none &&
                         at[SC] == subsequent_none && at[SI] == subsequent_none &&
                         at[SA] == subsequent_none;
  if (no_impact) return scores;

  const auto eq = macro_vector(at);
  const auto level = [&](std::size_t index) { return static_cast<std::size_t>(eq[index]); };
  const int top = macro_vector_score(eq);
  struct Class {
    int next_lower;
    double part;
  };
  // EQ5 has one member a level: nothing stands below its worst.
  const std::array<Class, 5> classes{{
      {with_level(eq, 0, eq[0] + 1), part_of_depth(at, eq1_metrics, eq1_levels[level(0)])},
      {with_level(eq, 1, eq[1] + 1), part_of_depth(at, eq2_metrics, eq2_levels[level(1)])},
      {next_lower_eq36(eq), part_of_depth(at, eq36_metrics, eq36_levels[2 * level(2) + level(5)])},
      {with_level(eq, 3, eq[3] + 1), part_of_depth(at, eq4_metrics, eq4_levels[level(3)])},
      {with_level(eq, 4, eq[4] + 1), 0.0},
  }};
  double lowered = 0;
  int lower_neighbours = 0;
  for (const auto& one : classes) {
    if (one.next_lower < 0) continue;
    ++lower_neighbours;
    lowered += (top - one.next_lower) * one.part;
  }
  if (lower_neighbours > 0) lowered /= lower_neighbours;
  scores.base = round_half_up(std::clamp((top - lowered) / 10, 0.0, 10.0));
  return scores;
}

}  // namespace tenken::cvss
