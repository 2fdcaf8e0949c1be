// An inventory as a JSON document, tenken's own: what `tenken scan --server` and agents send.
// Nothing is lost on the way but `location` of packages whose database names it already.
//
// Errors: invalid (no such document, a member of another type, with its place), limit (more
// packages or longer texts than a host can have). Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/inventory.h"

namespace tenken::inventory {

inline constexpr std::string_view document_type = "application/vnd.tenken.inventory+json";

std::string write_document(const Inventory& inventory);

struct DocumentLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t packages = 200'000;
  std::size_t text_bytes = 4096;  // of any one field
};
Result<Inventory> read_document(std::string_view bytes, const DocumentLimits& limits = {});

}  // namespace tenken::inventory
