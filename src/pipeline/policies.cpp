#include "pipeline/policies.h"

#include "base/file.h"
#include "findings/filter.h"

namespace tenken::pipeline {
namespace {

constexpr std::size_t ignore_limit = std::size_t{1} << 20;
constexpr std::size_t vex_limit = std::size_t{256} << 20;

}  // namespace

Result<Policies> read_policies(const ScanOptions& options) {
  Policies policies;
  if (!options.ignore_file.empty()) {
    TRY(const auto text, read_file(options.ignore_file, ignore_limit));
    TRY(policies.ignores, findings::parse_ignore_file(text, options.ignore_file));
  }
  for (const auto& file : options.vex_files) {
    TRY(const auto bytes, read_file(file, vex_limit));
    TRY(auto document, findings::parse_vex(bytes, file));
    policies.vex.push_back(std::move(document));
  }
  return policies;
}

ScanResult apply_policies(ScanResult result, const Policies& policies, const ScanOptions& options) {
  if (!policies.vex.empty())
    result = findings::apply_vex(std::move(result), policies.vex, options.lang);
  if (!policies.ignores.empty())
    result =
        findings::apply_ignores(std::move(result), policies.ignores, options.now, options.lang);
  if (!options.minimum_severity && !options.fixed_only) return result;
  return findings::filtered(std::move(result),
                            {.minimum = options.minimum_severity.value_or(SeverityLevel::unknown),
                             .fixed_only = options.fixed_only});
}

}  // namespace tenken::pipeline
