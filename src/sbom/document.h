// Internal to sbom/: what both writers need.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "model/inventory.h"

namespace tenken::sbom {

// The purl to write for a package; what an SBOM gave where none can be made; may be empty.
std::string purl_text(const Package& package, const OperatingSystem& os);

// A UUID of version 8 (RFC 9562) made of a hash of the content: the same content has the same.
std::string content_uuid(std::string_view content);

}  // namespace tenken::sbom
