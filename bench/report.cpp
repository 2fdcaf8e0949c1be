// Processor time that each format (or those named as arguments) takes to write 40,000 findings of
// 2,000 packages and 8,000 vulnerabilities.
#include <algorithm>
#include <ctime>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "../tests/support/sample_result.h"
#include "report/format.h"

namespace {

constexpr std::size_t packages = 2'000;
constexpr std::size_t findings_each = 20;
constexpr std::size_t vulnerabilities = 8'000;
constexpr int rounds = 5;

tenken::ScanResult large_result() {
  auto result = tenken::test::sample_result();
  const auto known = result.vulnerabilities.front();
  result.inventory.packages.clear();
  result.findings.clear();
  result.ignored.clear();
  result.vulnerabilities.clear();
  for (std::size_t i = 0; i < packages; ++i) {
    const auto name = fmt::format("package-{}", i);
    result.inventory.packages.push_back(tenken::test::sample_package(name, "2.4.51-1", name));
    for (std::size_t k = 0; k < findings_each; ++k)
      result.findings.push_back(tenken::test::sample_finding(
          static_cast<std::uint32_t>((i * findings_each + k) % vulnerabilities), i,
          tenken::SeverityLevel::high, "2.4.56-1"));
  }
  for (std::size_t i = 0; i < vulnerabilities; ++i) {
    auto one = known;
    one.id = tenken::test::sample_id(static_cast<std::uint32_t>(i));
    one.details = std::string(600, 'd');
    result.vulnerabilities.push_back(std::move(one));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span names(argv + 1, static_cast<std::size_t>(argc - 1));
  const auto result = large_result();
  for (const auto* format : tenken::report::formats()) {
    if (!names.empty() && std::ranges::find(names, format->id, [](auto* p) {
                            return std::string_view(p);
                          }) == names.end())
      continue;
    double best_ms = 1e9;
    std::size_t bytes = 0;
    for (int round = 0; round < rounds; ++round) {
      bytes = 0;
      const auto start = std::clock();
      const auto count = [&](std::string_view piece) -> tenken::Result<> {
        bytes += piece.size();
        return {};
      };
      CHECK(format->write(result, {.indent = 0}, count).has_value());
      const auto took_ms = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      best_ms = std::min(best_ms, took_ms);
    }
    fmt::print("{:14} {} findings {:6.1f} MB {:7.1f} ms\n", format->id, result.findings.size(),
               static_cast<double>(bytes) / 1e6, best_ms);
  }
  return 0;
}
