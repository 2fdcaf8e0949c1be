#include "feeds/errata.h"

#include <algorithm>

#include "base/text.h"

namespace tenken::feeds {
namespace {

// "nodejs:18:8090020240101:abcd" and "nodejs:18" are both the stream "nodejs:18".
std::string name_and_stream(std::string_view label) {
  const auto fields = split(label, ':');
  if (fields.size() < 2 || fields[0].empty() || fields[1].empty()) return {};
  return std::string(fields[0]) + ":" + std::string(fields[1]);
}

}  // namespace

std::string_view errata_rating(std::string_view id, std::string_view summary) {
  constexpr std::string_view prefixes[] = {"ALSA-", "ALBA-", "ALEA-", "RLSA-",
                                           "RLBA-", "RLEA-", "RXSA-"};
  constexpr std::string_view ratings[] = {"Critical", "Important", "Moderate", "Low", "None"};
  if (std::ranges::none_of(prefixes, [&](auto prefix) { return id.starts_with(prefix); }))
    return {};
  for (const auto rating : ratings) {
    if (summary.starts_with(rating) && summary.substr(rating.size()).starts_with(":"))
      return rating;
    // A few errata name it last: "php:8.0 security update (Important)".
    if (summary.ends_with(")") && summary.substr(0, summary.size() - 1).ends_with(rating) &&
        summary.substr(0, summary.size() - 1 - rating.size()).ends_with("("))
      return rating;
  }
  return {};
}

bool fixed_in_module(const AffectedPackage& package) {
  for (const auto& range : package.ranges) {
    for (const auto& event : range.events) {
      if (event.kind == RangeEvent::Kind::fixed && event.version.contains(".module")) return true;
    }
  }
  return false;
}

std::string module_of_purl(std::string_view purl) {
  constexpr std::string_view qualifier = "rpmmod=";
  const auto at = purl.find(qualifier);
  if (at == purl.npos || at == 0 || (purl[at - 1] != '?' && purl[at - 1] != '&')) return {};
  auto value = purl.substr(at + qualifier.size());
  std::string label(value.substr(0, value.find_first_of("&#")));
  for (auto colon = label.find("%3A"); colon != label.npos; colon = label.find("%3A"))
    label.replace(colon, 3, ":");
  return name_and_stream(label);
}

std::vector<std::string> modules_of_summary(std::string_view id, std::string_view summary) {
  constexpr std::size_t most = 16;  // real ones name two
  std::vector<std::string> out;
  for (auto word : split(summary, ' ')) {
    while (word.ends_with(',') || word.ends_with(':')) word.remove_suffix(1);
    if (word == id) continue;
    auto stream = name_and_stream(word);
    if (stream.empty() || std::ranges::find(out, stream) != out.end()) continue;
    if (out.size() == most) return {};
    out.push_back(std::move(stream));
  }
  return out;
}

}  // namespace tenken::feeds
