// CSAF 2.0 (OASIS), profile VEX (4.5) and every other document with product_status: the product
// tree names the products, vulnerabilities[].product_status says what holds for them, flags and
// impact threats say why.
#include <array>
#include <map>

#include "base/text.h"
#include "findings/vex.h"

namespace tenken::findings {
namespace csaf_ {
namespace {

constexpr std::size_t limit_relations = 8;  // a product of a product of a product …

bool recognises(json::Value root) {
  return root["document"]["csaf_version"].is_string();
}

struct Product {
  std::string_view name;
  std::string_view purl;
  std::string_view component;  // relationship: the product that is a part …
  std::string_view within;     // … of this one
};
using Products = std::map<std::string_view, Product>;

void add_product(Products& products, json::Value value, Product extra = {}) {
  const auto id = value["product_id"].string();
  if (id.empty()) return;
  const auto helper = value["product_identification_helper"];
  extra.name = value["name"].string();
  extra.purl = helper["purl"].string();
  if (extra.purl.empty())  // CSAF 2.1 has a list
    helper["purls"].for_each([&](json::Value purl) {
      if (extra.purl.empty()) extra.purl = purl.string();
    });
  products.try_emplace(id, extra);
}

Products products_of(json::Value tree) {
  Products products;
  tree["full_product_names"].for_each([&](json::Value value) { add_product(products, value); });
  std::vector<json::Value> open{tree};
  while (!open.empty()) {
    const json::Value branch = open.back();
    open.pop_back();
    add_product(products, branch["product"]);
    branch["branches"].for_each([&](json::Value child) { open.push_back(child); });
  }
  tree["relationships"].for_each([&](json::Value value) {
    add_product(products, value["full_product_name"],
                {.component = value["product_reference"].string(),
                 .within = value["relates_to_product_reference"].string()});
  });
  return products;
}

// The product with the package URL of itself or of the part that it is.
VexProduct resolve(const Products& products, std::string_view id) {
  VexProduct resolved{.name = std::string(id)};
  auto at = products.find(id);
  for (std::size_t step = 0; step < limit_relations && at != products.end(); ++step) {
    const Product& product = at->second;
    if (step == 0 && !product.name.empty()) resolved.name = product.name;
    if (!product.purl.empty()) {
      resolved.purl = product.purl;
      return resolved;
    }
    if (product.component.empty()) return resolved;
    if (resolved.within.empty()) {
      const auto enclosing = products.find(product.within);
      resolved.within = product.within;
      if (enclosing != products.end())
        resolved.within =
            enclosing->second.purl.empty() ? enclosing->second.name : enclosing->second.purl;
    }
    at = products.find(product.component);
  }
  return resolved;
}

// Product id -> why it is not affected, from flags and from threats of the category "impact".
std::map<std::string_view, std::string> reasons_of(json::Value vulnerability) {
  std::map<std::string_view, std::string> reasons;
  const auto add = [&](json::Value ids, std::string_view text) {
    ids.for_each([&](json::Value id) {
      auto& reason = reasons[id.string()];
      if (!reason.empty()) reason += ": ";
      reason += text;
    });
  };
  vulnerability["flags"].for_each(
      [&](json::Value flag) { add(flag["product_ids"], flag["label"].string()); });
  vulnerability["threats"].for_each([&](json::Value threat) {
    if (threat["category"].string() == "impact")
      add(threat["product_ids"], trim(threat["details"].string()));
  });
  return reasons;
}

std::vector<std::string> ids_of(json::Value vulnerability) {
  std::vector<std::string> ids;
  if (!vulnerability["cve"].string().empty()) ids.emplace_back(vulnerability["cve"].string());
  vulnerability["ids"].for_each([&](json::Value id) {
    if (!id["text"].string().empty()) ids.emplace_back(id["text"].string());
  });
  return ids;
}

struct StatusList {
  std::string_view key;
  VexStatus status;
};
constexpr std::array<StatusList, 7> status_lists{{
    {"known_not_affected", VexStatus::not_affected},
    {"fixed", VexStatus::fixed},
    {"first_fixed", VexStatus::fixed},
    {"known_affected", VexStatus::affected},
    {"first_affected", VexStatus::affected},
    {"last_affected", VexStatus::affected},
    {"under_investigation", VexStatus::under_investigation},
}};

// One statement per status and reason.
void add_statements(const Products& products, json::Value vulnerability, Seconds time,
                    VexDocument& document) {
  const auto ids = ids_of(vulnerability);
  if (ids.empty()) {
    document.skips.push_back({"", "vulnerability", "no id"});
    return;
  }
  const auto reasons = reasons_of(vulnerability);
  for (const auto& [key, status] : status_lists) {
    std::map<std::string, VexStatement> by_reason;
    vulnerability["product_status"][key].for_each([&](json::Value id) {
      const auto at = reasons.find(id.string());
      const bool needs_reason = status == VexStatus::not_affected && at != reasons.end();
      const auto reason = needs_reason ? at->second : std::string();
      auto& statement = by_reason[reason];
      statement.products.push_back(resolve(products, id.string()));
    });
    for (auto& [reason, statement] : by_reason) {
      statement.ids = ids;
      statement.status = status;
      statement.reason = reason;
      statement.time = time;
      document.statements.push_back(std::move(statement));
    }
  }
}

Result<VexDocument> parse(json::Value root) {
  VexDocument document;
  const Products products = products_of(root["product_tree"]);
  const auto time =
      parse_time(root["document"]["tracking"]["current_release_date"].string()).value_or(0);
  root["vulnerabilities"].for_each(
      [&](json::Value vulnerability) { add_statements(products, vulnerability, time, document); });
  return document;
}

}  // namespace
}  // namespace csaf_

extern constinit const VexFormat csaf{
    .id = "csaf", .recognises = csaf_::recognises, .parse = csaf_::parse};

}  // namespace tenken::findings
