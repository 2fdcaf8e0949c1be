// One SBOM for each resource that meets the criteria and has an inventory.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/exports/contents.h"
#include "api/filter_input.h"
#include "aws/canonical_request.h"
#include "base/json.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "pipeline/stored_inventory.h"
#include "sbom/sbom.h"
#include "store/inventory_query.h"
#include "store/organisation.h"

namespace tenken::api::exports {
namespace {

constexpr std::int64_t resources_at_once = 100;
constexpr std::size_t longest_name = 180;

// ResourceFilterCriteria. What no resource of ours has is an absent value.
struct Criteria {
  findings::TextTests account;
  findings::TextTests provider_account;
  findings::TextTests provider;
  findings::TextTests region;
  findings::TextTests id;
  findings::TextTests type;
  findings::TextTests absent;
  std::vector<findings::TagTest> instance_tags;
  std::vector<findings::TagTest> function_tags;
};

constexpr std::array<std::string_view, 8> read_members{
    "accountId",  "cloudProviderAccountId", "cloudProvider",   "cloudProviderRegion",
    "resourceId", "resourceType",           "ec2InstanceTags", "lambdaFunctionTags"};

Result<Criteria> read_criteria(std::string_view text) {
  json::Parser parser;
  TRY(const auto document, parser.parse(text));
  Criteria out{.account = read_text_tests(document["accountId"]),
               .provider_account = read_text_tests(document["cloudProviderAccountId"]),
               .provider = read_text_tests(document["cloudProvider"]),
               .region = read_text_tests(document["cloudProviderRegion"]),
               .id = read_text_tests(document["resourceId"]),
               .type = read_text_tests(document["resourceType"]),
               .absent = {},
               .instance_tags = read_tag_tests(document["ec2InstanceTags"]),
               .function_tags = read_tag_tests(document["lambdaFunctionTags"])};
  document.for_each_member([&](std::string_view name, json::Value value) {
    if (std::ranges::find(read_members, name) != read_members.end()) return;
    const auto tests = read_text_tests(value);
    out.absent.insert(out.absent.end(), tests.begin(), tests.end());
  });
  return out;
}

bool has_tag(json::Value tags, const findings::TagTest& test) {
  const auto value = tags[test.name];
  return value && (!test.value || value.string() == *test.value);
}

bool meets(const store::Resource& resource, const Criteria& criteria) {
  const auto tags_meet = [&](const std::vector<findings::TagTest>& tests, std::string_view type) {
    if (tests.empty()) return true;
    if (resource.type != type) return false;
    json::Parser parser;
    const auto tags = parser.parse(resource.tags);
    return tags && std::ranges::any_of(tests, [&](const auto& one) { return has_tag(*tags, one); });
  };
  return findings::passes(criteria.account, resource.account) &&
         findings::passes(criteria.provider_account, resource.account) &&
         findings::passes(criteria.provider, findings::provider) &&
         findings::passes(criteria.region, resource.region) &&
         findings::passes(criteria.id, resource.external_id) &&
         findings::passes(criteria.type, resource.type) &&
         findings::passes_absent(criteria.absent) &&
         tags_meet(criteria.instance_tags, "AWS_EC2_INSTANCE") &&
         tags_meet(criteria.function_tags, "AWS_LAMBDA_FUNCTION");
}

// "EC2", "ECR", "LAMBDA", as names of documents have it.
std::string_view service_of(std::string_view type) {
  if (type == "AWS_EC2_INSTANCE") return "EC2";
  if (type.starts_with("AWS_ECR_")) return "ECR";
  if (type.starts_with("AWS_LAMBDA_")) return "LAMBDA";
  return type;
}

// An id as one segment of a path; a long one ends in its hash.
std::string segment_of(std::string_view id) {
  auto out = aws::uri_encode(id, aws::Slash::encode);
  if (out.size() <= longest_name) return out;
  const auto hash = crypto::to_hex(crypto::view(crypto::sha256(id)));
  return fmt::format("{}-{}", out.substr(0, longest_name - 65), hash);
}

std::string name_of(const store::Export& one, const store::Resource& resource) {
  const auto file = fmt::format("account={}/resource={}/{}.json", resource.account, resource.type,
                                segment_of(resource.external_id));
  if (!one.local_name.empty()) return file;
  return fmt::format("{}_outputs_{}/{}", one.format, one.id, file);
}

Result<std::string> document_of(const Task& task, const store::Resource& resource) {
  // One state of the store, so that vulnerabilities name the packages they belong to.
  TRY(const auto transaction,
      sql::Transaction::begin(task.connection, sql::Transaction::Mode::read));
  TRY(auto inventory, pipeline::inventory_of(task.connection, resource));
  inventory.name =
      fmt::format("{}/{}/{}", resource.account, service_of(resource.type), resource.external_id);
  sbom::Extras extras;
  TRY(auto known, store::installed_vulnerabilities(task.connection, resource.id));
  for (auto& [id, packages] : known)
    extras.vulnerabilities.push_back({.id = id, .packages = std::move(packages)});
  if (task.one.format == "SPDX_2_3") return sbom::write_spdx(inventory, task.now, extras);
  json::Parser parser;
  TRY(const auto details, parser.parse(resource.details));
  extras.properties = {{"imageId", std::string(details["imageId"].string())},
                       {"architecture", std::string(details["architecture"].string())},
                       {"accountId", resource.account},
                       {"resourceId", resource.external_id},
                       {"resourceType", resource.type}};
  return sbom::write_cyclonedx_1_4(inventory, task.now, extras);
}

Outcome<std::int64_t> export_page(const Task& task, Target& target, const Criteria& criteria,
                                  const std::vector<store::Resource>& page) {
  std::int64_t written = 0;
  for (const auto& resource : page) {
    if (resource.inventory_digest.empty() || !meets(resource, criteria)) continue;
    if (!task.keep_going()) return std::unexpected(stopped());
    const auto document = document_of(task, resource);
    if (!document) return std::unexpected(retry_later(document.error()));
    const auto put = target.put_text(name_of(task.one, resource), *document);
    if (!put) return std::unexpected(put.error());
    ++written;
  }
  return written;
}

Outcome<std::int64_t> export_account(const Task& task, Target& target, const Criteria& criteria,
                                     const std::string& account) {
  store::ResourceQuery query{.account = account, .limit = resources_at_once};
  std::int64_t written = 0;
  while (true) {
    const auto page = store::list_resources(task.connection, query);
    if (!page) return std::unexpected(retry_later(page.error()));
    const auto some = export_page(task, target, criteria, *page);
    if (!some) return some;
    written += *some;
    if (std::ssize(*page) < query.limit) return written;
    query.after = page->back().external_id;
  }
}

}  // namespace

Outcome<std::int64_t> export_sboms(const Task& task, Target& target) {
  const auto criteria = read_criteria(task.one.criteria);
  if (!criteria) return std::unexpected(failed("INTERNAL_ERROR", criteria.error().what));
  const auto accounts = store::visible_accounts(task.connection, task.one.account);
  if (!accounts) return std::unexpected(retry_later(accounts.error()));
  std::int64_t written = 0;
  for (const auto& account : *accounts) {
    const auto some = export_account(task, target, *criteria, account);
    if (!some) return some;
    written += *some;
  }
  return written;
}

}  // namespace tenken::api::exports
