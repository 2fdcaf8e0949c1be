// Names the installed packages of the files that outdated programs still run. Lists of files are
// long: they are read only for files that were not asked for the last time.
//
// Errors: none; a package that is not found is empty. Thread rule: one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "inventory/root.h"
#include "model/host_facts.h"

namespace tenken::host {

class OutdatedPackages {
 public:
  void name(const inventory::Root& root, std::vector<OutdatedProgram>& outdated);
  // What is installed has changed.
  void forget() { packages_.clear(); }

 private:
  std::map<std::string, std::string> packages_;  // by file
};

}  // namespace tenken::host
