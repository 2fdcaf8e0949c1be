// How the table groups findings: packages built from one source in one version, with the same
// findings, stand together under one heading, since one update closes all of them.
//
// Thread rule: pure functions; the groups point into the result.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/finding.h"

namespace tenken::report {

struct Group {
  std::vector<const Package*> packages;  // at least one
  std::span<const Finding> findings;     // of the first; the others' are the same
};

// In the order in which the result names the packages.
std::vector<Group> group_findings(const ScanResult& result);

// "libssl1.1, openssl 1.1.1k-1"; the architecture is added where a name stands twice.
std::string heading(const Group& group);

}  // namespace tenken::report
