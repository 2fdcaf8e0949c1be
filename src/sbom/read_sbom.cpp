#include <fmt/format.h>

#include "base/text.h"
#include "sbom/component.h"
#include "sbom/sbom.h"

namespace tenken::sbom {
namespace {

constexpr json::Limits limits{.bytes = std::size_t{512} << 20, .depth = 512, .unique_keys = true};

Error not_read(std::string_view what) {
  return invalid(
      fmt::format("{}; formats read: CycloneDX JSON 1.0 to 1.7, SPDX JSON 2.2, 2.3 and 3.0", what));
}

// Names the format of text that is no JSON object.
std::string_view name_text_format(std::string_view text) {
  const auto head = text.substr(0, 4096);
  if (text.empty()) return "the file is empty";
  if (head.starts_with('<') && head.contains("cyclonedx")) return "CycloneDX XML is not read";
  if (head.starts_with('<') && head.contains("spdx")) return "SPDX RDF is not read";
  if (head.starts_with('<')) return "XML is not read";
  if (head.starts_with("SPDXVersion:")) return "SPDX tag-value is not read";
  if (head.starts_with("---") || head.contains("spdxVersion:")) return "YAML is not read";
  return "neither CycloneDX nor SPDX";
}

bool is_spdx3(json::Value root) {
  const auto context = root["@context"];
  bool found = context.string().contains("spdx.org/rdf/3.");
  context.for_each(
      [&](json::Value part) { found = found || part.string().contains("spdx.org/rdf/3."); });
  return found;
}

Result<Inventory> read_document(json::Value root, std::string_view shown_name) {
  if (root["bomFormat"].string() == "CycloneDX") return read_cyclonedx(root, shown_name);
  if (root["spdxVersion"]) return read_spdx2(root, shown_name);
  if (is_spdx3(root)) return read_spdx3(root, shown_name);
  if (root["artifacts"] && (root["descriptor"] || root["schema"]))
    return not_read("syft's own JSON is not read; write it as CycloneDX or SPDX");
  if (root["payloadType"] && root["payload"]) return not_read("a signed envelope is not read");
  return not_read("JSON that is neither CycloneDX nor SPDX");
}

}  // namespace

Result<Inventory> read_sbom(std::string_view bytes, std::string_view shown_name) {
  auto text = bytes;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = trim(text);
  if (!text.starts_with('{')) return not_read(name_text_format(text)).within(shown_name);
  json::Parser parser(limits);
  auto root = parser.parse(text);
  if (!root.has_value()) return std::move(root).error().within(shown_name);
  return read_document(*root, shown_name).within(shown_name);
}

}  // namespace tenken::sbom
