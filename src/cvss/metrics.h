// Internal to cvss/: the metrics of one CVSS version as a table, and the one reader of vectors
// that works from such a table.
//
// Thread rule: pure functions over constant tables.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "cvss/cvss.h"

namespace tenken::cvss {

struct Metric {
  std::string_view name;
  std::string_view values;  // blank-separated; a value is known by its index in this list
  bool mandatory = false;
  std::array<double, 6> weights{};  // by index of the value; 4.0 has none
};

inline constexpr std::size_t max_metrics = 32;  // 4.0 has exactly as many
inline constexpr std::uint8_t absent = 0xFF;
inline constexpr std::uint8_t not_defined = 0;  // ND or X, the first value of optional metrics

// Index of the value of each metric, in the table's order; absent where the vector lacks it.
using Values = std::array<std::uint8_t, max_metrics>;

enum class Order : std::uint8_t { any, fixed };

// text: the vector behind its prefix. Errors: unknown, repeated, misplaced or missing metrics,
// and values that the metric does not have.
Result<Values> read_metrics(std::string_view text, std::span<const Metric> metrics, Order order);

// Half up to one decimal. The nudge makes up for decimals that binary cannot hold (4.95 must not
// become 4.9), and is far below any real difference between two scores.
double round_half_up(double value);

// Each takes the vector behind its prefix.
Result<Scores> score_v2(std::string_view metrics);
Result<Scores> score_v3(std::string_view metrics, Version version);
Result<Scores> score_v4(std::string_view metrics);

// 4.0: the score in tenths of the macro vector with the given levels of EQ1 to EQ6; -1 where there
// is no such macro vector.
using MacroVector = std::array<int, 6>;
int macro_vector_score(const MacroVector& levels);

}  // namespace tenken::cvss
