// VEX: statements by a vendor or by the operator on whether a product is affected by a
// vulnerability. Formats: OpenVEX 0.2.0, CycloneDX 1.4 and later, CSAF 2.0 (vex/*.cpp).
//
// A statement applies to a finding when it names the vulnerability by the finding's id or an
// alias, and the package by a package URL of the same type, namespace and name, the same version
// where it gives one, and every qualifier it gives. Stricter, because a wrong match hides a fault:
//   - a product named without a package URL matches nothing;
//   - "fixed" without a version matches nothing: it does not say which build has the fix;
//   - a product named as part of another one matches only where that one is the target or one of
//     its packages; a "fixed" build is itself wherever it is installed.
// Of several statements on one finding the newest decides, at a tie the one that keeps it.
//
// Errors: invalid (no VEX of a known format), limit. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/messages.h"
#include "base/result.h"
#include "base/time.h"
#include "model/finding.h"
#include "model/skip.h"
#include "sbom/purl.h"

namespace tenken::findings {

enum class VexStatus : std::uint8_t { not_affected, fixed, affected, under_investigation };
std::string_view name(VexStatus status);

struct VexProduct {
  std::string name;    // as the document names it
  std::string purl;    // empty: none
  std::string within;  // package URL or name of the product that it is a part of; empty: none
};

struct VexStatement {
  std::vector<std::string> ids;  // the vulnerability and its aliases
  std::vector<VexProduct> products;
  VexStatus status = VexStatus::under_investigation;
  std::string reason;  // justification and impact, as published
  Seconds time = 0;    // of the statement, else of the document; 0: not stated
};

struct VexDocument {
  std::string file;  // the name it is shown by
  std::vector<VexStatement> statements;
  std::vector<Skip> skips;  // statements or products that cannot be used, and why
};

struct VexFormat {
  std::string_view id;  // the file's stem
  bool (*recognises)(json::Value root);
  // VexDocument::file is left empty.
  Result<VexDocument> (*parse)(json::Value root);
};

// Every format of vex/*.cpp, sorted by id.
std::span<const VexFormat* const> vex_formats();

// shown_name stands in errors and in what is ignored: "openvex.json".
Result<VexDocument> parse_vex(std::string_view bytes, std::string_view shown_name);

// Moves findings that a statement calls not affected or fixed into ScanResult::ignored. What a
// document says without effect is a warning in the user's language.
ScanResult apply_vex(ScanResult result, const std::vector<VexDocument>& documents, Lang lang);

}  // namespace tenken::findings
