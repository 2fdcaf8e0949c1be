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
std::string signature(const Package& package, std::span<const Finding> findings) {
  const auto& source = package.source_name.empty() ? package.name : package.source_name;
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n", package.ecosystem, source,
                                 package.source_version, package.version, package.location);
  for (const Finding& finding : findings)
    text += fmt::format("{}\n{}\n{}\n{}\n", finding.id, static_cast<int>(finding.status),
                        static_cast<int>(finding.severity), finding.fixed_version);
  return text;
}

}  // namespace

std::vector<Group> group_findings(const ScanResult& result) {
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> known;
  std::span<const Finding> rest = result.findings;
  while (!rest.empty()) {
    const auto index = rest.front().package;
    const auto end = std::ranges::find_if(
        rest, [&](const Finding& finding) { return finding.package != index; });
    const auto findings = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(findings.size());
    const Package& package = report::package(result, findings.front());
    const auto [at, added] = known.try_emplace(signature(package, findings), groups.size());
    if (added) groups.push_back({{}, findings});
    groups[at->second].packages.push_back(&package);
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
