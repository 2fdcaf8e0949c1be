// The scan API (service inspector-scan): ScanSbom matches an SBOM and keeps nothing of it, which a
// reader may do.
#include <array>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "api/call.h"
#include "api/database_age.h"
#include "api/sbom_report.h"
#include "crypto/random.h"
#include "pipeline/scan.h"
#include "sbom/sbom.h"

namespace tenken::api {
namespace scan_sbom_ {
namespace {

// The bom-refs of a document's components by purl, in its order.
using References = std::map<std::string_view, std::deque<std::string_view>>;

References references_in(json::Value sbom) {
  References out;
  std::vector<json::Value> open{sbom};
  while (!open.empty()) {
    const auto one = open.back();
    open.pop_back();
    if (const auto purl = one["purl"].string(); !purl.empty())
      out[purl].push_back(one["bom-ref"].string());
    std::vector<json::Value> below;
    one["components"].for_each([&](const json::Value& component) { below.push_back(component); });
    open.insert(open.end(), below.rbegin(), below.rend());
  }
  return out;
}

// For each package the bom-ref that the client gave it, so that answers join with its document.
std::vector<std::string> references_of(const Inventory& inventory, References given) {
  std::vector<std::string> out;
  for (const auto& package : inventory.packages) {
    const auto found = given.find(package.purl);
    std::string reference;
    if (found != given.end() && !found->second.empty()) {
      reference = found->second.front();
      found->second.pop_front();
    }
    out.push_back(reference.empty() ? fmt::format("comp-{}", out.size() + 1) : reference);
  }
  return out;
}

Answer scan_sbom(const Call& call) {
  const auto database = call.services.generation();
  if (database == nullptr) return no_database();
  const auto document = call.input["sbom"];
  json::Writer text;
  write_value(text, *call.input.operation().input->member("sbom")->shape, document);
  auto inventory = sbom::read_sbom(text.text(), "the SBOM");
  if (!inventory) return validation_failed(inventory.error().what, Reason::unsupported_sbom_type);
  inventory->databases_read = 1;
  const auto now = call.services.clock();
  TRY(const auto result, pipeline::evaluate(*std::move(inventory), *database, {.now = now}));
  const auto references = references_of(result.inventory, references_in(document));
  const SbomReport report{
      .result = result, .references = references, .serial = crypto::random_uuid(), .now = now};
  const auto format = call.input.string("outputFormat");
  json::Writer out;
  out.begin_object().key("sbom");
  if (format.empty() || format == "CYCLONE_DX_1_5")
    write_cyclonedx_1_5(out, report);
  else
    write_inspector(out, report);
  out.end_object();
  return out.take();
}

constexpr std::array operations{
    HandledOperation{"ScanSbom", access::Permission::read, scan_sbom},
};

}  // namespace
}  // namespace scan_sbom_

extern constinit const Family scan_sbom{.id = "scan_sbom", .operations = scan_sbom_::operations};

}  // namespace tenken::api
