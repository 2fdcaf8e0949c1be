#include "cvss/metrics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::cvss {
namespace {

constexpr std::size_t max_vector_bytes = 512;  // a 4.0 vector with every metric has about 200

std::uint8_t index_of_value(const Metric& metric, std::string_view value) {
  const auto values = split(metric.values, ' ');
  const auto found = std::ranges::find(values, value);
  return found == values.end() ? absent : static_cast<std::uint8_t>(found - values.begin());
}

}  // namespace

Result<Values> read_metrics(std::string_view text, std::span<const Metric> metrics, Order order) {
  if (text.size() > max_vector_bytes) return limit_exceeded("the vector is too long");
  Values values;
  values.fill(absent);
  std::size_t previous = 0;
  for (const auto field : split(text, '/')) {
    const auto [name, value] = split_once(field, ':');
    if (!value) return invalid(fmt::format("'{}' is not METRIC:VALUE", printable(field)));
    const auto metric = std::ranges::find(metrics, name, &Metric::name);
    if (metric == metrics.end())
      return invalid(fmt::format("unknown metric '{}'", printable(name)));
    const auto index = static_cast<std::size_t>(metric - metrics.begin());
    if (values[index] != absent) return invalid(fmt::format("metric {} stands twice", name));
    if (order == Order::fixed && index < previous)
      return invalid(fmt::format("metric {} must stand before {}", name, metrics[previous].name));
    values[index] = index_of_value(*metric, *value);
    if (values[index] == absent)
      return invalid(fmt::format("metric {} has no value '{}'", name, printable(*value)));
    previous = index;
  }
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].mandatory && values[i] == absent)
      return invalid(fmt::format("metric {} is missing", metrics[i].name));
  }
  return values;
}

double round_half_up(double value) {
  return std::floor(value * 10 + 0.5 + 1e-6) / 10;
}

}  // namespace tenken::cvss
