#include "report/format.h"

#include <algorithm>

namespace tenken::report {

const Format* find_format(std::string_view name) {
  std::string id(name);
  std::ranges::replace(id, '-', '_');
  const auto at = std::ranges::find(formats(), id, [](const Format* format) { return format->id; });
  return at == formats().end() ? nullptr : *at;
}

std::string render(const Format& format, const ScanResult& result, const RenderOptions& options) {
  std::string text;
  const auto written = format.write(result, options, [&](std::string_view piece) -> Result<> {
    text += piece;
    return {};
  });
  CHECK(written.has_value());  // only the output can fail
  return text;
}

}  // namespace tenken::report
