#include "report/table_groups.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "report/pieces.h"

namespace tenken::report {
namespace {

// Equal for packages that may stand under one heading. '\n' occurs in none of the parts that a
// person would call equal; a clash could only merge two headings of the same text.
std::string signature(const Package& package) {
  const auto& source = package.source_name.empty() ? package.name : package.source_name;
  return fmt::format("{}\n{}\n{}\n{}\n{}", package.ecosystem, source, package.source_version,
                     package.version, package.location);
}

bool same_row(const Finding& a, const Finding& b) {
  return a.vulnerability == b.vulnerability && a.status == b.status && a.severity == b.severity &&
         a.fixed_version == b.fixed_version;
}

}  // namespace

std::vector<Group> group_findings(const ScanResult& result) {
  std::vector<Group> groups;
  std::unordered_multimap<std::string, std::size_t> known;  // places in groups, by signature
  std::span<const Finding> rest = result.findings;
  while (!rest.empty()) {
    const auto index = rest.front().package;
    const auto end = std::ranges::find_if(
        rest, [&](const Finding& finding) { return finding.package != index; });
    const auto findings = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(findings.size());
    const Package& package = report::package(result, findings.front());
    auto key = signature(package);
    const auto [first, last] = known.equal_range(key);
    const auto same = std::find_if(first, last, [&](const auto& one) {
      return std::ranges::equal(groups[one.second].findings, findings, same_row);
    });
    if (same != last) {
      groups[same->second].packages.push_back(&package);
      continue;
    }
    known.emplace(std::move(key), groups.size());
    groups.push_back({{&package}, findings});
  }
  return groups;
}

std::string heading(const Group& group) {
  std::string names;
  for (const Package* package : group.packages) {
    if (!names.empty()) names += ", ";
    names += printable(package->name);
    const auto same = std::ranges::count(group.packages, package->name, &Package::name);
    if (same > 1 && !package->arch.empty()) names += ":" + printable(package->arch);
  }
  return names + " " + printable(group.packages.front()->version);
}

}  // namespace tenken::report
