#include "findings/ignore.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <fmt/format.h>

#include "base/text.h"
#include "findings/exclude.h"
#include "findings/yaml_events.h"

namespace tenken::findings {
namespace {

constexpr Seconds day = 86'400;

using Kind = YamlEvent::Kind;

// Walks the events of one file; every step consumes an event or fails.
class Reader {
 public:
  Reader(std::span<const YamlEvent> events, std::string_view file) : rest_(events), file_(file) {}

  Result<std::vector<IgnoreRule>> rules();

 private:
  bool at(Kind kind) const { return !rest_.empty() && rest_.front().kind == kind; }
  const YamlEvent& take() {
    const YamlEvent& event = rest_.front();
    rest_ = rest_.subspan(1);
    return event;
  }
  Error fault(std::size_t line, std::string_view what) const {
    return invalid(fmt::format("line {}: {}", line, what));
  }
  std::size_t line() const { return rest_.empty() ? 0 : rest_.front().line; }

  Result<std::vector<IgnoreRule>> list();
  Result<IgnoreRule> rule();

  std::span<const YamlEvent> rest_;
  std::string_view file_;
};

Result<std::vector<IgnoreRule>> Reader::rules() {
  if (rest_.empty() || at(Kind::null)) return std::vector<IgnoreRule>{};
  if (at(Kind::sequence)) return list();
  if (!at(Kind::map)) return fault(line(), "a list of rules is expected");
  take();
  std::vector<IgnoreRule> rules;
  if (at(Kind::scalar)) {
    const YamlEvent& key = take();
    if (key.text != "ignore")
      return fault(key.line, fmt::format("unknown key \"{}\"", printable(key.text)));
    if (at(Kind::null)) {
      take();
    } else {
      TRY(rules, list());
    }
  }
  if (!at(Kind::map_end)) return fault(line(), "\"ignore\" is the only key of the file");
  return rules;
}

Result<std::vector<IgnoreRule>> Reader::list() {
  if (!at(Kind::sequence)) return fault(line(), "a list of rules is expected");
  take();
  std::vector<IgnoreRule> rules;
  while (!at(Kind::sequence_end)) {
    TRY(auto next, rule());
    rules.push_back(std::move(next));
  }
  take();
  return rules;
}

Result<IgnoreRule> Reader::rule() {
  if (!at(Kind::map)) return fault(line(), "a rule with id and reason is expected");
  const auto start = take().line;
  std::map<std::string, std::string, std::less<>> values;
  while (!at(Kind::map_end)) {
    if (!at(Kind::scalar)) return fault(line(), "a key is expected");
    const YamlEvent& key = take();
    constexpr std::array<std::string_view, 4> known{"id", "package", "reason", "expires"};
    if (std::ranges::find(known, key.text) == known.end())
      return fault(key.line, fmt::format("unknown key \"{}\"", printable(key.text)));
    if (!at(Kind::scalar)) return fault(key.line, fmt::format("{} wants a text", key.text));
    if (!values.emplace(key.text, trim(take().text)).second)
      return fault(key.line, fmt::format("{} stands twice", key.text));
  }
  take();
  for (const auto* needed : {"id", "reason"})
    if (values[needed].empty()) return fault(start, fmt::format("the rule has no {}", needed));
  IgnoreRule rule{.place = fmt::format("{}:{}", file_, start),
                  .id = values["id"],
                  .package = values["package"],
                  .reason = values["reason"]};
  if (const auto at_expires = values.find("expires"); at_expires != values.end()) {
    rule.expires = at_expires->second.size() == 10 ? parse_time(at_expires->second) : std::nullopt;
    if (!rule.expires)
      return fault(start, fmt::format("expires is no date of the form 2025-06-30: \"{}\"",
                                      printable(at_expires->second)));
  }
  return rule;
}

// "*" stands for any text, also none.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  auto star = std::string_view::npos;  // the last one seen, and where its text ends so far
  std::size_t star_end = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_end;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool package_matches(const IgnoreRule& rule, const Package& package) {
  if (rule.package.empty()) return true;
  if (!rule.package.starts_with("pkg:")) return glob_matches(rule.package, package.name);
  const std::string_view full = package.purl;
  const auto plain = full.substr(0, full.find_first_of("?#"));
  const auto versionless = plain.substr(0, plain.rfind('@'));
  return glob_matches(rule.package, full) || glob_matches(rule.package, plain) ||
         glob_matches(rule.package, versionless);
}

struct Candidate {
  const IgnoreRule* rule;
  bool used = false;
};

// Rules by their id in lower case: people write ids in either.
using ById = std::multimap<std::string, Candidate, std::less<>>;

// Marks every rule that names the finding as used; the first of them is answered.
const IgnoreRule* find_rule(ById& rules, const Finding& finding, const ScanResult& result) {
  const Package& package = result.inventory.packages[finding.package];
  const IgnoreRule* found = nullptr;
  const auto look_up = [&](std::string_view id) {
    const auto [first, last] = rules.equal_range(ascii_lower(id));
    for (auto at = first; at != last; ++at) {
      if (!package_matches(*at->second.rule, package)) continue;
      at->second.used = true;
      if (found == nullptr) found = at->second.rule;
    }
  };
  look_up(finding.id);
  for (const auto& id : result.vulnerabilities[finding.vulnerability].aliases) look_up(id);
  // An advisory's id stands for the finding only where no other advisory supports it too.
  if (finding.advisories.size() == 1) look_up(finding.advisories.front());
  return found;
}

}  // namespace

Result<std::vector<IgnoreRule>> parse_ignore_file(std::string_view text,
                                                  std::string_view shown_name) {
  auto events = yaml_events(text);
  if (!events) return std::move(events).error().within(shown_name);
  return Reader(*events, shown_name).rules().within(shown_name);
}

ScanResult apply_ignores(ScanResult result, const std::vector<IgnoreRule>& rules, Seconds now,
                         Lang lang) {
  ById by_id;
  for (const IgnoreRule& rule : rules) {
    if (rule.expires && now >= *rule.expires + day)
      result.warnings.push_back(
          say(lang, Message::ignore_expired, rule.place, rule.id, format_date(*rule.expires)));
    else
      by_id.emplace(ascii_lower(rule.id), Candidate{&rule});
  }
  if (by_id.empty()) return result;
  const auto decide = [&](const Finding& finding,
                          const ScanResult& scanned) -> std::optional<Exclusion> {
    const IgnoreRule* rule = find_rule(by_id, finding, scanned);
    if (rule == nullptr) return std::nullopt;
    return Exclusion{rule->place, rule->reason, "accepted"};
  };
  result = exclude(std::move(result), decide);
  // What VEX took out before is still what the rule was written for.
  for (const Finding& finding : result.ignored) find_rule(by_id, finding, result);
  for (const auto& [id, candidate] : by_id)
    if (!candidate.used)
      result.warnings.push_back(
          say(lang, Message::ignore_unmatched, candidate.rule->place, candidate.rule->id));
  return result;
}

}  // namespace tenken::findings
