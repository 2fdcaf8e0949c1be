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

// ResourceFilterCriteria, of each member its tests; a value that a resource lacks is absent.
struct TextTest {
  std::string_view (*value)(const store::Resource& resource);
  findings::TextTests tests;
};
struct TagsTest {
  std::string_view type;  // of the resources that it is about
  std::vector<findings::TagTest> tests;
};
struct Criteria {
  std::vector<TextTest> texts;
  std::vector<TagsTest> tags;
};

struct TextMember {
  std::string_view name;
  std::string_view (*value)(const store::Resource& resource);
};
std::string_view account_of(const store::Resource& resource) {
  return resource.account;
}
std::string_view provider_of(const store::Resource&) {
  return findings::provider;
}
std::string_view region_of(const store::Resource& resource) {
  return resource.region;
}
std::string_view id_of(const store::Resource& resource) {
  return resource.external_id;
}
std::string_view type_of(const store::Resource& resource) {
  return resource.type;
}
std::string_view repository_of(const store::Resource& resource) {
  return resource.facts.repository;
}
std::string_view registry_of(const store::Resource& resource) {
  return resource.facts.registry;
}
std::string_view function_of(const store::Resource& resource) {
  return resource.type == "AWS_LAMBDA_FUNCTION" ? std::string_view(resource.external_id) : "";
}
std::string_view nothing_of(const store::Resource&) {
  return "";
}
constexpr std::array text_members{
    TextMember{"accountId", account_of},
    TextMember{"cloudProviderAccountId", account_of},
    TextMember{"cloudProvider", provider_of},
    TextMember{"cloudProviderRegion", region_of},
    TextMember{"resourceId", id_of},
    TextMember{"resourceType", type_of},
    TextMember{"ecrRepositoryName", repository_of},
    TextMember{"cloudContainerRepositoryName", repository_of},
    TextMember{"cloudContainerRegistryName", registry_of},
    TextMember{"lambdaFunctionName", function_of},
    TextMember{"cloudServerlessFunctionName", function_of},
};
struct TagMember {
  std::string_view name;
  std::string_view type;
};
constexpr std::array tag_members{
    TagMember{"ec2InstanceTags", "AWS_EC2_INSTANCE"},
    TagMember{"cloudVmInstanceTags", "AWS_EC2_INSTANCE"},
    TagMember{"lambdaFunctionTags", "AWS_LAMBDA_FUNCTION"},
    TagMember{"cloudServerlessFunctionTags", "AWS_LAMBDA_FUNCTION"},
};

Result<Criteria> read_criteria(std::string_view text) {
  json::Parser parser;
  TRY(const auto document, parser.parse(text));
  Criteria out;
  document.for_each_member([&](std::string_view name, json::Value value) {
    const auto tags = std::ranges::find(tag_members, name, &TagMember::name);
    if (tags != tag_members.end()) {
      out.tags.push_back({tags->type, read_tag_tests(value)});
      return;
    }
    const auto known = std::ranges::find(text_members, name, &TextMember::name);
    out.texts.push_back(
        {known == text_members.end() ? nothing_of : known->value, read_text_tests(value)});
  });
  return out;
}

bool has_tag(json::Value tags, const findings::TagTest& test) {
  const auto value = tags[test.name];
  return value && (!test.value || value.string() == *test.value);
}

bool meets(const store::Resource& resource, const TextTest& one) {
  const auto value = one.value(resource);
  return value.empty() ? findings::passes_absent(one.tests) : findings::passes(one.tests, value);
}

bool meets(const store::Resource& resource, const TagsTest& one) {
  if (one.tests.empty()) return true;
  if (resource.type != one.type) return false;
  json::Parser parser;
  const auto tags = parser.parse(resource.tags);
  return tags &&
         std::ranges::any_of(one.tests, [&](const auto& test) { return has_tag(*tags, test); });
}

bool meets(const store::Resource& resource, const Criteria& criteria) {
  const auto holds = [&](const auto& one) { return meets(resource, one); };
  return std::ranges::all_of(criteria.texts, holds) && std::ranges::all_of(criteria.tags, holds);
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

std::string_view image_of(const store::Resource& resource) {
  const auto& facts = resource.facts;
  return facts.image_id.empty() ? facts.image_hash : facts.image_id;
}

// "111122223333/EC2/i-0a/ami-1"; the id of an image says itself which it is.
std::string title_of(const store::Resource& resource) {
  auto out =
      fmt::format("{}/{}/{}", resource.account, service_of(resource.type), resource.external_id);
  if (!resource.facts.image_id.empty()) out += "/" + resource.facts.image_id;
  return out;
}

// What is not known is left out.
std::vector<std::pair<std::string, std::string>> properties_of(const store::Resource& resource) {
  json::Parser parser({.bytes = std::size_t{1} << 20, .depth = 8});
  const auto details = parser.parse(resource.details);
  const auto architecture = details ? (*details)["architecture"].string() : std::string_view();
  std::vector<std::pair<std::string, std::string>> out{{"imageId", std::string(image_of(resource))},
                                                       {"architecture", std::string(architecture)},
                                                       {"accountId", resource.account},
                                                       {"resourceId", resource.external_id},
                                                       {"resourceType", resource.type}};
  std::erase_if(out, [](const auto& property) { return property.second.empty(); });
  return out;
}

Result<std::string> document_of(const Task& task, const store::Resource& resource) {
  // One state of the store, so that vulnerabilities name the packages they belong to.
  TRY(const auto transaction,
      sql::Transaction::begin(task.connection, sql::Transaction::Mode::read));
  TRY(auto inventory, pipeline::inventory_of(task.connection, resource));
  inventory.name = title_of(resource);
  sbom::Extras extras;
  TRY(auto known, store::installed_vulnerabilities(task.connection, resource.id));
  for (auto& [id, packages] : known)
    extras.vulnerabilities.push_back({.id = id, .packages = std::move(packages)});
  if (task.one.format == "SPDX_2_3") return sbom::write_spdx(inventory, task.now, extras);
  extras.properties = properties_of(resource);
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
  if (!criteria) return std::unexpected(broken(criteria.error()));
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
