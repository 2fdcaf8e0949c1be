#include "version/parts.h"

#include "base/text.h"

namespace tenken::version {

VersionParts split_version(std::string_view kind, std::string_view text) {
  VersionParts out{.version = text};
  const bool has_epoch = kind == "deb" || kind == "rpm";
  if (!has_epoch && kind != "apk") return out;
  if (const auto colon = text.find(':'); has_epoch && colon != std::string_view::npos) {
    const auto epoch = parse_uint(text.substr(0, colon));
    if (epoch && *epoch <= INT32_MAX) {
      out.epoch = static_cast<std::int64_t>(*epoch);
      out.version = text.substr(colon + 1);
    }
  }
  const auto dash = out.version.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return out;
  out.release = out.version.substr(dash + 1);
  out.version = out.version.substr(0, dash);
  return out;
}

}  // namespace tenken::version
