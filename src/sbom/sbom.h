// SBOMs in and out: what somebody declared, as an Inventory, and an Inventory as a document.
//
// Read: CycloneDX JSON 1.0 to 1.7, SPDX JSON 2.2, 2.3 and 3.0. Other forms (XML, tag-value, YAML,
// RDF, syft's own JSON, signed envelopes) are an invalid error that says so.
// Sources: https://cyclonedx.org/specification/overview/, https://spdx.github.io/spdx-spec/
//
// Thread rule: safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/inventory.h"

namespace tenken::sbom {

// Every declared package is in the inventory, but for one whose text has a NUL byte, which is a
// skip that names it. One without a purl, or with a purl that cannot be read (which is a skip,
// too), has no kind and no ecosystem. What the document describes as a whole is a package where it
// has a purl; it comes last, and once. Operating systems, files, images and other things that are
// no packages are left out; an operating system becomes Inventory::os and gives its release to
// packages that name none. A document that says itself that it may lack packages has a skip for
// that (CycloneDX: a composition of components whose aggregate is neither complete nor
// not_specified; SPDX 2: CONTAINS or DEPENDS_ON NOASSERTION; SPDX 3: such a relationship with
// completeness incomplete or to NoAssertionElement), and so has one of which no package can be
// identified: neither says what is not there. shown_name is the document's name in the inventory
// and its skips. Errors: invalid, limit.
Result<Inventory> read_sbom(std::string_view bytes, std::string_view shown_name);

// CycloneDX 1.6 and SPDX 2.3 as JSON; the same inventory and time give the same bytes. Reading
// the text gives back the packages with ecosystem, release, kind, name, version, arch, source,
// module label and vendor, and whether there are skips.
std::string write_cyclonedx(const Inventory& inventory, Seconds timestamp);
std::string write_spdx(const Inventory& inventory, Seconds timestamp);

// What a document says beside its packages.
struct KnownVulnerability {
  std::string id;
  std::vector<std::size_t> packages;  // indexes into Inventory::packages
};
struct Extras {
  std::vector<std::pair<std::string, std::string>> properties;  // of CycloneDX's metadata
  std::vector<KnownVulnerability> vulnerabilities;
};
// For readers of CycloneDX that know no newer version.
std::string write_cyclonedx_1_4(const Inventory& inventory, Seconds timestamp,
                                const Extras& extras);
std::string write_spdx(const Inventory& inventory, Seconds timestamp, const Extras& extras);

}  // namespace tenken::sbom
