// Resources and their inventories.
#include <algorithm>
#include <array>
#include <iterator>

#include "access/tokens.h"
#include "api/page_token.h"
#include "api/v1/page.h"
#include "api/v1/pieces.h"
#include "api/v1/repair.h"
#include "api/v1/v1.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "inventory/document.h"
#include "pipeline/retire.h"
#include "pipeline/stored_inventory.h"
#include "sbom/sbom.h"
#include "store/coverage_now.h"
#include "store/inventory_query.h"

namespace tenken::api::v1 {
namespace resources_ {
namespace {

constexpr std::size_t most_tags = 50;
constexpr std::size_t most_unknown = 1'000;

// Characters, as they will appear in findings. Four bytes each are few enough for PostgreSQL's
// indexes, whose rows have 2,704 bytes at most.
constexpr std::ptrdiff_t longest_resource_id = 341;

bool is_resource_id(std::string_view id) {
  if (id.empty() || printable(id) != id) return false;
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return std::ranges::count_if(id, begins) <= longest_resource_id;
}

// How long until a resource that does not report again is gone.
ApiResult<Seconds> lifetime_of(std::string_view text) {
  if (text.empty()) return Seconds{0};
  const auto lifetime = parse_duration(text);
  if (!lifetime) return validation_failed("ttl: a time such as 7d, 12h or 30m is needed");
  return *lifetime;
}

// SHA-256 as 64 digits; empty: not given.
bool is_digest(std::string_view text) {
  return text.empty() || (text.size() == 64 &&
                          text.find_first_not_of("0123456789abcdef") == std::string_view::npos);
}

ApiResult<pipeline::ResourceReport> report_of(const V1Call& call) {
  pipeline::ResourceReport out{.account = call.who.account,
                               .external_id = call.labels[0],
                               .region = call.services.region,
                               .received = call.services.clock()};
  if (!is_resource_id(out.external_id))
    return validation_failed("The resource id must be 1 to 341 printable characters");
  if (const auto type = call.parameter("type"); !type.empty()) {
    TRY(out.type, type_of_word(type));
  }
  const auto mode = call.parameter("mode");
  if (!mode.empty() && mode != "agentless") return validation_failed("mode: agentless is needed");
  out.agentless = !mode.empty();
  TRY(const auto lifetime, lifetime_of(call.parameter("ttl")));
  out.expires = lifetime == 0 ? 0 : out.received + lifetime;
  for (const auto& [name, value] : call.query) {
    if (name != "tag") continue;
    TRY(auto tag, read_tag(value));
    out.tags.push_back(std::move(tag));
  }
  if (out.tags.size() > most_tags) return validation_failed("tag: more than 50");
  TRY_VOID(access::check_tags(out.tags));
  return out;
}

http::Response acknowledged(const pipeline::ResourceReport& report, bool unchanged) {
  json::Writer out;
  out.begin_object();
  out.member("resourceId", report.external_id);
  out.member("digest", report.digest);
  out.key("unchanged").boolean(unchanged);
  out.end_object();
  return json_response(200, out.take());
}

ApiResult<Inventory> inventory_of(const V1Call& call) {
  const auto& body = call.request.body;
  if (call.request.headers.get("content-type").starts_with(inventory::document_type)) {
    TRY(auto inventory, inventory::read_document(body));
    return inventory;
  }
  TRY(auto inventory, sbom::read_sbom(body, "the SBOM"));
  inventory.databases_read = 1;
  return inventory;
}

// With ?digest=… and no body: is the resource's inventory still that one? 412 asks for the whole.
ApiResult<http::Response> put_inventory(const V1Call& call) {
  TRY(auto report, report_of(call));
  const auto digest = call.parameter("digest");
  if (!is_digest(digest))
    return validation_failed("digest: 64 digits of 0-9a-f, the SHA-256 of the last report");
  if (!digest.empty() && call.request.body.empty()) {
    report.digest = std::string(digest);
    TRY(const auto confirmed, call.services.ingest->confirm(report));
    if (confirmed) return acknowledged(report, true);
    return precondition_failed("The inventory is another: send it whole");
  }
  report.digest = crypto::to_hex(crypto::view(crypto::sha256(call.request.body)));
  TRY(auto inventory, inventory_of(call));
  TRY(const auto confirmed, call.services.ingest->confirm(report));
  if (confirmed) return acknowledged(report, true);
  TRY_VOID(call.services.ingest->put(pipeline::stored_inventory(report, std::move(inventory))));
  return acknowledged(report, false);
}

void write_resource(json::Writer& out, const store::Resource& resource) {
  out.member("resourceId", resource.external_id);
  out.member("type", word_of_type(resource.type));
  out.member_if("name", resource.name).member_if("region", resource.region);
  out.member_if("platform", resource.platform);
  out.key("tags").document(resource.tags);
  out.key("packages").integer(resource.packages);
  out.key("coverage").begin_object();
  out.member("status", resource.coverage_status).member("reason", resource.coverage_reason);
  out.member_if("repair", repair_of(resource));
  out.end_object();
  write_time(out, "createdAt", resource.created);
  write_time(out, "seenAt", resource.seen);
  write_time(out, "changedAt", resource.changed);
  write_time(out, "evaluatedAt", resource.evaluated);
  write_time(out, "expiresAt", resource.expires);
}

ApiResult<store::ResourceQuery> query_of(const V1Call& call, const Page& page) {
  store::ResourceQuery out{
      .account = call.who.account, .limit = page.limit + 1, .now = call.services.clock()};
  if (!page.position.empty()) out.after = page.position[0];
  if (const auto type = call.parameter("type"); !type.empty()) {
    TRY(out.type, type_of_word(type));
  }
  out.status = call.parameter("status");
  if (!out.status.empty() && out.status != "ACTIVE" && out.status != "INACTIVE")
    return validation_failed("status: ACTIVE or INACTIVE is needed");
  for (const auto& [name, value] : call.query) {
    if (name != "tag") continue;
    TRY(auto tag, read_tag(value));
    out.tags.push_back(std::move(tag));
  }
  if (out.tags.size() > most_tags) return validation_failed("tag: more than 50");
  return out;
}

ApiResult<http::Response> list_resources(const V1Call& call) {
  TRY(const auto page, read_page(call));
  TRY(const auto query, query_of(call, page));
  TRY(auto connection, call.services.pool->lease());
  TRY(auto resources, store::list_resources(*connection, query));
  const bool goes_on = std::ssize(resources) > page.limit;
  if (goes_on) resources.pop_back();
  json::Writer out;
  out.begin_object();
  out.key("resources").begin_array();
  for (const auto& resource : resources) {
    out.begin_object();
    write_resource(out, resource);
    out.end_object();
  }
  out.end_array();
  if (goes_on) write_next_token(out, call, page, {resources.back().external_id});
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

// Another tenant's resource is not there.
ApiResult<store::Resource> resource_of(const V1Call& call, sql::Connection& connection) {
  TRY(auto found, store::find_resource_now(connection, call.who.account, call.labels[0],
                                           call.services.clock()));
  if (!found) return resource_not_found("There is no such resource");
  return *std::move(found);
}

ApiResult<http::Response> get_resource(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resource, resource_of(call, *connection));
  TRY(const auto undecided, store::count_unknown(*connection, resource.id));
  TRY(const auto findings, store::count_findings(*connection, resource.id));
  Unknowns unknowns(Unknowns::By::subject);
  unknowns.add({{.unknown = resource.inventory_unknown, .packages = 1}});
  unknowns.add(undecided);
  json::Writer out;
  out.begin_object();
  write_resource(out, resource);
  out.key("inventory").begin_object();
  out.member_if("digest", resource.inventory_digest);
  out.key("complete").boolean(resource.inventory_complete);
  out.key("facts").document(resource.details);
  out.end_object();
  write_finding_counts(out, findings);
  unknowns.write(out, most_unknown);
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

// Whether something can be said of a package version, in a word.
std::string_view decided_word(const store::InstalledVersion& installed) {
  if (!installed.matched) return "pending";
  switch (installed.decided) {
    case store::Decided::wholly:
      return "decided";
    case store::Decided::partly:
      return "undecided";
    case store::Decided::by_records:
      return "by_records";
    case store::Decided::not_covered:
      break;
  }
  return "not_covered";
}

void write_package(json::Writer& out, const store::InstalledVersion& installed) {
  const auto& package = installed.version.package;
  out.begin_object();
  out.member("name", package.name).member("version", package.version);
  out.member_if("architecture", package.arch).member("kind", package.kind);
  out.member_if("ecosystem", package.ecosystem).member_if("release", package.release);
  out.member_if("sourceName", package.source_name);
  out.member_if("sourceVersion", package.source_version);
  out.member_if("module", package.module_label).member_if("vendor", package.vendor);
  out.member_if("purl", package.purl).member_if("location", installed.location);
  out.member_if("hostState", installed.version.host_state);
  out.member("decided", decided_word(installed));
  out.key("vulnerabilities").integer(installed.vulnerabilities);
  out.key("unknown").document(installed.unknown);
  if (!installed.running.empty()) out.key("running").document(installed.running);
  out.end_object();
}

ApiResult<http::Response> list_packages(const V1Call& call) {
  TRY(const auto page, read_page(call));
  store::PackageVersionId after{-1};
  if (!page.position.empty()) {
    const auto number = parse_uint(page.position[0]);
    if (!number) return bad_page_token();
    after.value = static_cast<std::int64_t>(*number);
  }
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resource, resource_of(call, *connection));
  TRY(auto packages, store::installed_versions(*connection, resource.id, after, page.limit + 1));
  const bool goes_on = std::ssize(packages) > page.limit;
  if (goes_on) packages.pop_back();
  json::Writer out;
  out.begin_object();
  out.member("resourceId", resource.external_id);
  out.key("packages").begin_array();
  for (const auto& one : packages) write_package(out, one);
  out.end_array();
  if (goes_on) write_next_token(out, call, page, {std::to_string(packages.back().id.value)});
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

ApiResult<http::Response> get_sbom(const V1Call& call) {
  auto format = call.parameter("format");
  if (format.empty()) format = "cyclonedx";
  if (format != "cyclonedx" && format != "spdx")
    return validation_failed("format: cyclonedx or spdx is needed");
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resource, resource_of(call, *connection));
  TRY(const auto inventory, pipeline::inventory_of(*connection, resource));
  auto response =
      json_response(200, format == "spdx" ? sbom::write_spdx(inventory, resource.changed)
                                          : sbom::write_cyclonedx(inventory, resource.changed));
  if (format == "cyclonedx") response.headers.set("Content-Type", "application/vnd.cyclonedx+json");
  return response;
}

// Retired: its coverage says that it is gone, its findings are closed and keep their history.
ApiResult<http::Response> retire_resource(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resource, resource_of(call, *connection));
  TRY(const auto changes, pipeline::retire(*connection, resource.id, "retired by " + call.who.user,
                                           call.services.clock()));
  json::Writer out;
  out.begin_object();
  out.member("resourceId", resource.external_id);
  out.key("findingsClosed").integer(changes.closed);
  out.end_object();
  return json_response(200, out.take());
}

constexpr std::array put_parameters{V1Parameter{"type"}, V1Parameter{"ttl"}, V1Parameter{"digest"},
                                    V1Parameter{"mode"}, V1Parameter{"tag", true}};
constexpr std::array list_parameters{V1Parameter{"limit"}, V1Parameter{"nextToken"},
                                     V1Parameter{"type"}, V1Parameter{"status"},
                                     V1Parameter{"tag", true}};
constexpr std::array package_parameters{V1Parameter{"limit"}, V1Parameter{"nextToken"}};
constexpr std::array sbom_parameters{V1Parameter{"format"}};

constexpr std::array operations{
    V1Operation{.method = "PUT",
                .path = "/v1/resources/{id}/inventory",
                .needs = access::Permission::ingest,
                .handle = put_inventory,
                .parameters = put_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/resources",
                .needs = access::Permission::read,
                .handle = list_resources,
                .parameters = list_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/resources/{id}",
                .needs = access::Permission::read,
                .handle = get_resource},
    V1Operation{.method = "DELETE",
                .path = "/v1/resources/{id}",
                .needs = access::Permission::ingest,
                .handle = retire_resource,
                .noted_as = "RetireResource"},
    V1Operation{.method = "GET",
                .path = "/v1/resources/{id}/packages",
                .needs = access::Permission::read,
                .handle = list_packages,
                .parameters = package_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/resources/{id}/sbom",
                .needs = access::Permission::read,
                .handle = get_sbom,
                .parameters = sbom_parameters},
};

}  // namespace
}  // namespace resources_

extern constinit const V1Family resources{.id = "resources", .operations = resources_::operations};

}  // namespace tenken::api::v1
