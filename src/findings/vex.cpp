#include "findings/vex.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/phrases.h"
#include "base/text.h"
#include "findings/exclude.h"

namespace tenken::findings {
namespace {

constexpr json::Limits limits{.bytes = std::size_t{256} << 20, .depth = 64, .unique_keys = true};

using sbom::KeyCase;
using sbom::Purl;

// Whether the purl of a statement names the package of the other.
bool names(const Purl& stated, const Purl& installed) {
  if (stated.type != installed.type || stated.ns != installed.ns || stated.name != installed.name)
    return false;
  if (!stated.version.empty() && stated.version != installed.version) return false;
  if (!stated.subpath.empty() && stated.subpath != installed.subpath) return false;
  return std::ranges::all_of(stated.qualifiers, [&](const auto& qualifier) {
    return installed.qualifier(qualifier.first) == qualifier.second;
  });
}

std::optional<Purl> purl_of(const Package& package, const OperatingSystem& os) {
  if (package.purl.empty()) return sbom::purl_from_package(package, os);
  auto purl = sbom::parse_purl(package.purl, KeyCase::any);
  return purl ? std::optional(*std::move(purl)) : std::nullopt;
}

bool removes(VexStatus status) {
  return status == VexStatus::not_affected || status == VexStatus::fixed;
}

// Why a product can match nothing; empty: it can. purl is the product's, parsed.
std::string unusable(const VexProduct& product, const Result<Purl>& purl, VexStatus status) {
  if (product.purl.empty()) return "no package URL";
  if (!purl) return purl.error().what;
  if (status == VexStatus::fixed && purl->version.empty()) return "fixed, but no version is named";
  return {};
}

// Moves the products that can match nothing to the document's skips.
VexDocument usable(VexDocument document) {
  for (VexStatement& statement : document.statements) {
    std::erase_if(statement.products, [&](const VexProduct& product) {
      const auto why =
          unusable(product, sbom::parse_purl(product.purl, KeyCase::any), statement.status);
      if (why.empty()) return false;
      const auto& subject = product.name.empty() ? product.purl : product.name;
      const auto id = statement.ids.empty() ? std::string() : statement.ids.front();
      document.skips.push_back({document.file, id + " " + subject, why});
      return true;
    });
  }
  std::erase_if(document.statements, [](const VexStatement& s) { return s.products.empty(); });
  return document;
}

// A product of a statement, ready to be compared.
struct Claim {
  const VexDocument* document;
  const VexStatement* statement;
  Purl product;
};

// Claims by vulnerability id in lower case: people write ids in either.
using ById = std::multimap<std::string, Claim, std::less<>>;

// Tells whether the product that encloses another is what was scanned.
class Target {
 public:
  explicit Target(const Inventory& inventory) : inventory_(inventory) {}

  bool is(const std::string& product) {
    const auto [at, added] = answers_.try_emplace(product, false);
    if (added) at->second = product == inventory_.name || holds(product);
    return at->second;
  }

 private:
  bool holds(std::string_view product) {
    const auto purl = sbom::parse_purl(product, KeyCase::any);
    if (!purl) return false;
    if (packages_.empty())
      for (const Package& package : inventory_.packages)
        if (auto known = purl_of(package, inventory_.os)) packages_.push_back(*std::move(known));
    return std::ranges::any_of(packages_, [&](const Purl& known) { return names(*purl, known); });
  }

  const Inventory& inventory_;
  std::vector<Purl> packages_;
  std::map<std::string, bool> answers_;
};

ById claims(const std::vector<VexDocument>& documents, const Inventory& inventory) {
  ById by_id;
  Target target(inventory);
  for (const VexDocument& document : documents) {
    for (const VexStatement& statement : document.statements) {
      for (const VexProduct& product : statement.products) {
        const bool own_build = statement.status == VexStatus::fixed || product.within.empty();
        if (!own_build && !target.is(product.within)) continue;
        const auto purl = sbom::parse_purl(product.purl, KeyCase::any);
        if (!purl) continue;  // parse_vex has made it a skip
        for (const auto& id : statement.ids)
          by_id.emplace(ascii_lower(id), Claim{&document, &statement, *purl});
      }
    }
  }
  return by_id;
}

// True where a decides rather than b.
bool outranks(const VexStatement& a, const VexStatement& b) {
  if (a.time != b.time) return a.time > b.time;
  return removes(b.status) && !removes(a.status);
}

using Used = std::set<const VexStatement*>;

// The claim that decides on the finding; nullptr: none names it. All that name it become used.
const Claim* deciding(const ById& by_id, const Finding& finding, const ScanResult& result,
                      Used& used) {
  const Package& package = result.inventory.packages[finding.package];
  std::optional<Purl> purl;
  const Claim* best = nullptr;
  const auto look_up = [&](std::string_view id) {
    const auto [first, last] = by_id.equal_range(ascii_lower(id));
    for (auto at = first; at != last; ++at) {
      const Claim& claim = at->second;
      if (!purl) purl = purl_of(package, result.inventory.os);
      if (!purl || !names(claim.product, *purl)) continue;
      used.insert(claim.statement);
      if (best == nullptr || outranks(*claim.statement, *best->statement)) best = &claim;
    }
  };
  look_up(finding.id);
  for (const auto& alias : result.vulnerabilities[finding.vulnerability].aliases) look_up(alias);
  return best;
}

void warn_of_unused(std::vector<std::string>& warnings, const std::vector<VexDocument>& documents,
                    const Used& used, Lang lang) {
  for (const VexDocument& document : documents) {
    const auto unused = std::ranges::count_if(
        document.statements, [&](const VexStatement& s) { return !used.contains(&s); });
    if (unused > 0) warnings.push_back(say(lang, Message::vex_unmatched, document.file, unused));
    if (!document.skips.empty()) {
      const Skip& first = document.skips.front();
      warnings.push_back(say(lang, Message::vex_skipped, document.file, document.skips.size(),
                             in_language(lang, first.record + ": " + first.reason)));
    }
  }
}

}  // namespace

std::string_view name(VexStatus status) {
  switch (status) {
    case VexStatus::not_affected:
      return "not_affected";
    case VexStatus::fixed:
      return "fixed";
    case VexStatus::affected:
      return "affected";
    case VexStatus::under_investigation:
      return "under_investigation";
  }
  return "under_investigation";
}

Result<VexDocument> parse_vex(std::string_view bytes, std::string_view shown_name) {
  json::Parser parser(limits);
  auto root = parser.parse(bytes);
  if (!root) return std::move(root).error().within(shown_name);
  for (const VexFormat* format : vex_formats()) {
    if (!format->recognises(*root)) continue;
    auto document = format->parse(*root);
    if (!document) return std::move(document).error().within(shown_name);
    document->file = shown_name;
    return usable(*std::move(document));
  }
  return invalid("neither OpenVEX nor CycloneDX with vulnerabilities nor CSAF").within(shown_name);
}

ScanResult apply_vex(ScanResult result, const std::vector<VexDocument>& documents, Lang lang) {
  const ById by_id = claims(documents, result.inventory);
  Used used;
  std::set<std::string> notes;
  const auto decide = [&](const Finding& finding,
                          const ScanResult& scanned) -> std::optional<Exclusion> {
    const Claim* claim = deciding(by_id, finding, scanned, used);
    if (claim == nullptr) return std::nullopt;
    const VexStatement& statement = *claim->statement;
    const auto& file = claim->document->file;
    if (!removes(statement.status)) {
      notes.insert(say(lang, Message::vex_note, file, finding.id, name(statement.status)));
      return std::nullopt;
    }
    const std::string status(name(statement.status));
    return Exclusion{file, statement.reason.empty() ? status : statement.reason, status};
  };
  result = exclude(std::move(result), decide);
  result.warnings.insert(result.warnings.end(), notes.begin(), notes.end());
  warn_of_unused(result.warnings, documents, used, lang);
  return result;
}

}  // namespace tenken::findings
