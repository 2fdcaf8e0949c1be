// YAML as a flat list of events, over yaml-cpp, whose exceptions stop here. Small documents only:
// anchors, aliases, tags and more than one document are refused, depth and size are bounded.
//
// Errors: invalid (with the line), limit. Thread rule: pure function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenken::findings {

struct YamlEvent {
  enum class Kind : std::uint8_t { null, scalar, sequence, sequence_end, map, map_end };
  Kind kind = Kind::null;
  std::size_t line = 0;  // from 1; 0 for ends
  std::string text;      // of a scalar
};

// Starts and ends are balanced; an empty document has no events.
Result<std::vector<YamlEvent>> yaml_events(std::string_view text);

}  // namespace tenken::findings
