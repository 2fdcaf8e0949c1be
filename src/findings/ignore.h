// The ignore file: findings that somebody decided to accept, why, and until when.
//
//   ignore:                        # or the list alone
//     - id: CVE-2024-0001          # the CVE, an alias, or the only advisory that supports it
//       package: openssl*          # optional: name of the installed package, or a package URL
//       reason: not reachable      # required
//       expires: 2025-06-30        # optional: the last day on which the rule applies (UTC)
//
// A package URL matches with or without its version and qualifiers; "*" stands for any text.
//
// Errors: invalid with the line (YAML that cannot be read, unknown or missing keys), limit.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/messages.h"
#include "base/result.h"
#include "base/time.h"
#include "model/finding.h"

namespace tenken::findings {

struct IgnoreRule {
  std::string place;  // file and line: "ignore.yaml:3"
  std::string id;
  std::string package;  // empty: every package
  std::string reason;
  std::optional<Seconds> expires;  // start of the last day
};

// shown_name stands in errors and in the rules' places.
Result<std::vector<IgnoreRule>> parse_ignore_file(std::string_view text,
                                                  std::string_view shown_name);

// Moves what a rule names into ScanResult::ignored. A rule that has expired does not apply; it and
// a rule that names no finding are warned of in the user's language.
ScanResult apply_ignores(ScanResult result, const std::vector<IgnoreRule>& rules, Seconds now,
                         Lang lang);

}  // namespace tenken::findings
