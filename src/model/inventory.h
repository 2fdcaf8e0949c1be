// Inventory: what an inspection of a host, a root directory or an SBOM found, including what it
// could not read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/package.h"
#include "model/skip.h"

namespace tenken {

// os-release(5), where present.
struct OperatingSystem {
  std::string id;           // "debian", "almalinux", "alpine"; empty: unknown
  std::string version_id;   // "12", "9.4", "3.18.4"
  std::string codename;     // VERSION_CODENAME
  std::string pretty_name;  // PRETTY_NAME
  std::vector<std::string> id_like;
  std::string ecosystem;  // OSV's name: "Debian"; empty where OSV has none for this id
  std::string release;    // OSV's suffix: "12"; empty where unknown
};

struct Inventory {
  enum class Target : std::uint8_t { host, root, sbom };
  Target target = Target::root;
  std::string name;  // host name, directory or file as the user named it
  OperatingSystem os;
  std::string running_kernel;  // uname -r; only for the host itself, else empty
  bool esm_attached = false;   // Ubuntu Pro; only for the host itself
  std::vector<Package> packages;
  // Package databases or SBOM documents that could be read: 0 means that nothing is known.
  std::size_t databases_read = 0;
  // What could not be read: a package database of an unknown format, a stanza without version.
  std::vector<Skip> skips;
};

}  // namespace tenken
