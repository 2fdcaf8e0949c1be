// Package URLs ("purl"): pkg:type/namespace/name@version?qualifiers#subpath, read, checked by the
// rules of their type, written in canonical form, and turned into packages and back.
//
// Source: https://github.com/package-url/purl-spec (ECMA-427) and its type definitions. Where they
// want golang and npm names in lower case, the text is kept: the module path of Go and the names
// of OSV's records are case-sensitive.
//
// Errors: invalid, limit. Thread rule: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/inventory.h"
#include "model/package.h"

namespace tenken::sbom {

// Decoded parts; empty where absent.
struct Purl {
  std::string type;
  std::string ns;  // segments joined by "/"
  std::string name;
  std::string version;
  std::map<std::string, std::string, std::less<>> qualifiers;
  std::string subpath;

  bool operator==(const Purl&) const = default;
  // The qualifier's value; empty where absent.
  std::string_view qualifier(std::string_view key) const;
};

// The specification's cases refuse a qualifier key that begins with a capital; documents in the
// wild have them, and the canonical form has them in lower case.
enum class KeyCase : std::uint8_t { strict, any };

Result<Purl> parse_purl(std::string_view text, KeyCase key_case = KeyCase::strict);

// Checks parts that did not come from parse_purl, and brings them into canonical form.
Result<Purl> normal_purl(Purl purl);

// The text; canonical where the parts are.
std::string to_string(const Purl& purl);

// The package that a purl names: OSV's ecosystem and release from type, namespace and the distro
// qualifier, the epoch in the version, the source from upstream, the module label from rpmmod.
// What the purl does not say stays empty.
Package package_from_purl(const Purl& purl);

// The reverse, keeping the qualifiers of package.purl that say more; absent for packages of no
// known kind. os names the distribution of packages whose ecosystem is empty.
std::optional<Purl> purl_from_package(const Package& package, const OperatingSystem& os = {});

// The kinds that belong to an operating system: "deb", "rpm", "apk".
bool is_os_kind(std::string_view kind);

// The version of an operating system's package with an epoch that stands apart: "1:2.3-4". An
// epoch of 0, and one that the version has itself, adds nothing.
std::string with_epoch(std::string_view kind, std::string_view version, std::string_view epoch);

// The source package as an upstream qualifier or a SOURCERPM tag names it:
// "chkconfig-1.33-2.fc43.src.rpm", "openssl@3.0.1-1", "openssl". Both empty where it is neither.
struct Source {
  std::string_view name;
  std::string_view version;
};
Source read_source(std::string_view upstream);

// The distribution that a tool means by this name ("redhat", "alma", "Red Hat Enterprise Linux")
// as an ID of os-release: "rhel", "almalinux". Unknown names come back in lower case.
std::string distribution_id(std::string_view name);

}  // namespace tenken::sbom
