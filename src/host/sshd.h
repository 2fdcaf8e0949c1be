// What etc/ssh/sshd_config sets, with the files it includes, as sshd takes it without running it:
// the first value of a keyword counts; those of keywords that may stand several times are joined
// with blanks in their order. Names are in lower case and without aliases; defaults are not filled
// in; what holds for some connections only (Match) is left out and named in one skip.
//
// Source: sshd_config(5); OpenSSH's servconf.c for quotes, comments, and where a Match block ends.
// Bounds: includes 16 deep, 256 files, 4 MiB in all, 4,096 values.
// Errors: none; they are skips. Thread rule: pure functions over the root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/found.h"
#include "inventory/root.h"
#include "model/host_facts.h"

namespace tenken::host {

struct SshdLine {
  std::string keyword;  // in lower case; empty: nothing stands there
  std::vector<std::string> arguments;
};
// Errors: invalid (a quote that does not end, a NUL).
Result<SshdLine> parse_sshd_line(std::string_view line);

// glob(7) of one name: *, ?, and sets in brackets.
bool matches_pattern(std::string_view name, std::string_view pattern);

Found<Setting> sshd_settings(const inventory::Root& root);

}  // namespace tenken::host
