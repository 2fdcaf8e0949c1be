// Matcher: one package against the advisory database, with the evidence of every decision.
//
// Rules: shared rules of matching are in judge.h (one row), modules.h, kernel.h, vendors.h and
// severity.h. Here: which rows concern the package (source or binary name, release), how rows of
// one record and records of one vulnerability are brought together. The distribution's tracker
// decides where it has a row for the vulnerability; its advisories supply their ids.
//
// Errors: only those of the database (corrupt). What cannot be decided is an Unknown.
// Thread rule: a Matcher remembers entries it has read and belongs to one thread; many Matchers
// may share one database.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "advisories/database.h"
#include "base/messages.h"
#include "base/result.h"
#include "base/time.h"
#include "model/finding.h"
#include "model/package.h"

namespace tenken::match {

struct MatchOptions {
  Seconds now = 0;             // a withdrawal after it has not happened yet
  std::string running_kernel;  // `uname -r` of the host; empty: every kernel counts
  bool esm_attached = false;   // the host has an Ubuntu Pro subscription
  bool evidence = true;        // keep the evidence of findings
  bool explain = false;        // keep the evidence of rows that do not hold
  Lang lang = Lang::en;        // of reasons
};

struct PackageMatches {
  std::vector<Finding> findings;  // by id; Finding::package is left 0
  std::vector<Unknown> unknown;
  bool named = false;            // some record names it, for its release or for every one
  std::vector<Evidence> others;  // with explain: rows that do not hold or stay unknown
};

class Matcher {
 public:
  Matcher(const advisories::Database& database, MatchOptions options);
  ~Matcher();

  Result<PackageMatches> match(const Package& package);

  // Entries of the database, each unpacked once; valid as long as the Matcher.
  class Entries;

 private:
  MatchOptions options_;
  std::unique_ptr<Entries> entries_;
};

// The name under which advisories of its ecosystem mean the package, in normal form; empty where
// the ecosystem is not known.
std::string advisory_name(const Package& package);

}  // namespace tenken::match
