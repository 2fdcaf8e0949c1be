// OpenVEX 0.2.0 (https://github.com/openvex/spec), and the texts that 0.0.x had in place of
// objects for vulnerability and products.
#include "base/text.h"
#include "findings/vex.h"

namespace tenken::findings {
namespace openvex_ {
namespace {

bool recognises(json::Value root) {
  return root["@context"].string().contains("openvex.dev/ns") && root["statements"].is_array();
}

std::string purl_of(json::Value component) {
  if (component.is_string())
    return component.string().starts_with("pkg:") ? std::string(component.string()) : "";
  const auto purl = component["identifiers"]["purl"].string();
  if (!purl.empty()) return std::string(purl);
  return component["@id"].string().starts_with("pkg:") ? std::string(component["@id"].string())
                                                       : "";
}

std::string name_of(json::Value component) {
  if (component.is_string()) return std::string(component.string());
  const auto id = component["@id"].string();
  return id.empty() ? purl_of(component) : std::string(id);
}

// A product with subcomponents says something of these, within it.
void add_product(json::Value product, json::Value subcomponents, VexStatement& statement) {
  if (subcomponents.size() == 0) {
    statement.products.push_back({.name = name_of(product), .purl = purl_of(product)});
    return;
  }
  const auto enclosing = purl_of(product).empty() ? name_of(product) : purl_of(product);
  subcomponents.for_each([&](json::Value part) {
    statement.products.push_back(
        {.name = name_of(part), .purl = purl_of(part), .within = enclosing});
  });
}

std::vector<std::string> ids_of(json::Value vulnerability) {
  std::vector<std::string> ids;
  const auto add = [&](std::string_view id) {
    if (!id.empty()) ids.emplace_back(id);
  };
  if (vulnerability.is_string()) add(vulnerability.string());
  add(vulnerability["name"].string());
  vulnerability["aliases"].for_each([&](json::Value alias) { add(alias.string()); });
  return ids;
}

std::string reason_of(json::Value statement) {
  std::string reason(statement["justification"].string());
  const auto impact = trim(statement["impact_statement"].string());
  if (!reason.empty() && !impact.empty()) reason += ": ";
  return reason.append(impact);
}

std::optional<VexStatus> status_of(std::string_view text) {
  for (const auto status : {VexStatus::not_affected, VexStatus::fixed, VexStatus::affected,
                            VexStatus::under_investigation})
    if (name(status) == text) return status;
  return std::nullopt;
}

Seconds time_of(json::Value value) {
  const auto updated = parse_time(value["last_updated"].string());
  return updated ? *updated : parse_time(value["timestamp"].string()).value_or(0);
}

Result<VexDocument> parse(json::Value root) {
  VexDocument document;
  const Seconds document_time = time_of(root);
  std::size_t number = 0;
  root["statements"].for_each([&](json::Value value) {
    ++number;
    VexStatement statement{.ids = ids_of(value["vulnerability"]), .reason = reason_of(value)};
    const auto status = status_of(value["status"].string());
    if (!status || statement.ids.empty()) {
      document.skips.push_back({"", "statement " + std::to_string(number),
                                status ? "no vulnerability" : "status not known"});
      return;
    }
    statement.status = *status;
    statement.time = time_of(value) == 0 ? document_time : time_of(value);
    value["products"].for_each([&](json::Value product) {
      const auto own = product["subcomponents"];
      add_product(product, own.size() > 0 ? own : value["subcomponents"], statement);
    });
    if (statement.products.empty())
      document.skips.push_back({"", statement.ids.front(), "no products"});
    else
      document.statements.push_back(std::move(statement));
  });
  return document;
}

}  // namespace
}  // namespace openvex_

extern constinit const VexFormat openvex{
    .id = "openvex", .recognises = openvex_::recognises, .parse = openvex_::parse};

}  // namespace tenken::findings
