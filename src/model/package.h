// Package: one installed or declared piece of software, as an inventory or an SBOM names it.
// A value: nothing here is normalised beyond what the source of the fact said.
#pragma once

#include <string>
#include <vector>

namespace tenken {

struct Package {
  // OSV's ecosystem without its release: "Debian", "AlmaLinux", "Alpine", "PyPI". Empty where the
  // kind of package is known but nothing more; then `kind` says what was seen.
  std::string ecosystem;
  // OSV's suffix: "12", "9", "v3.18", "22.04:LTS"; empty for language packages and where unknown.
  std::string release;
  std::string kind;  // "deb", "rpm", "apk", or a purl type such as "pypi"
  std::string name;  // the binary package's name
  // As the package manager prints it, epoch and revision included: "1:2.3-4", "0:4.4.20-3.el8"
  // is written "4.4.20-3.el8". Empty: unknown.
  std::string version;
  std::string arch;
  std::string source_name;     // empty: not stated (for dpkg then the same as name)
  std::string source_version;  // empty: not stated (for dpkg then the same as version)
  std::string module_label;    // rpm modularity label "name:stream:version:context"; empty: none
  std::string vendor;          // rpm Vendor or dpkg Origin; empty: not stated
  std::string purl;            // as given by an SBOM, or built from the fields above
  std::string location;        // where it was found, relative to the root: "var/lib/dpkg/status"
  std::string license;         // as stated; empty: not stated
  bool listed_only = false;    // shown in lists, neither counted nor matched (gpg-pubkey)
};

}  // namespace tenken
