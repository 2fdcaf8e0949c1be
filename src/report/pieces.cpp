#include "report/pieces.h"

#include <algorithm>

#include "base/text.h"
#include "base/width.h"

namespace tenken::report {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t title_columns = 200;

}  // namespace

Result<> Pieces::flush() {
  if (json.text().size() < piece_bytes) return {};
  return out_(json.drain());
}

Result<> Pieces::finish() {
  return out_(json.drain() + "\n");
}

const Vulnerability& vulnerability(const ScanResult& result, const Finding& finding) {
  CHECK(finding.vulnerability < result.vulnerabilities.size());
  return result.vulnerabilities[finding.vulnerability];
}

const Package& package(const ScanResult& result, const Finding& finding) {
  CHECK(finding.package < result.inventory.packages.size());
  return result.inventory.packages[finding.package];
}

std::string title(const Vulnerability& vulnerability) {
  std::string_view text = trim(vulnerability.summary);
  if (text.empty()) {
    text = trim(vulnerability.details);
    text = text.substr(0, std::min(text.find("\n\n"), text.find(". ")));
  }
  // Most titles are one short line of ASCII already.
  const auto plain = [](char c) { return c > ' ' && c < 0x7F; };
  const auto single = [&](char a, char b) { return !plain(a) && (a != ' ' || b == ' '); };
  if (text.size() <= title_columns && std::ranges::adjacent_find(text, single) == text.end())
    return std::string(text);
  std::string line;
  for (const char c : text) {
    if (!is_space(c))
      line += c;
    else if (!line.ends_with(' '))
      line += ' ';
  }
  return fit_width(line, title_columns);
}

std::string_view target_kind(Inventory::Target target) {
  switch (target) {
    case Inventory::Target::host:
      return "host";
    case Inventory::Target::root:
      return "root";
    case Inventory::Target::sbom:
      return "sbom";
  }
  return "root";
}

}  // namespace tenken::report
