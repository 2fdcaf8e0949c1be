// Coverage: which resources are scanned, and which are not and why.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/call.h"
#include "api/filter_input.h"
#include "api/organisation.h"
#include "api/page_token.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "store/coverage_query.h"

namespace tenken::api {
namespace coverage_ {
namespace {

using findings::provider;
using store::CoverageField;
using store::CoverageFilter;
using store::CoverageGroup;

constexpr std::int64_t most_listed = 200;
constexpr std::int64_t groups_at_once = 5;  // the model's bound of countsByGroup

struct NamedField {
  std::string_view name;
  CoverageField field;
};
// Names of strings of CoverageFilterCriteria; those that are not here no resource of ours has.
constexpr std::array text_fields{
    NamedField{"resourceId", CoverageField::resource_id},
    NamedField{"resourceType", CoverageField::resource_type},
    NamedField{"scanMode", CoverageField::scan_mode},
    NamedField{"scanType", CoverageField::scan_type},
    NamedField{"scanStatusCode", CoverageField::status_code},
    NamedField{"scanStatusReason", CoverageField::status_reason},
    NamedField{"lambdaFunctionName", CoverageField::function_name},
    NamedField{"codeRepositoryProjectName", CoverageField::project_name},
    NamedField{"codeRepositoryProviderType", CoverageField::provider_type},
    NamedField{"codeRepositoryProviderTypeVisibility", CoverageField::provider_type},
    NamedField{"cloudProviderRegion", CoverageField::region},
    NamedField{"cloudServerlessFunctionName", CoverageField::function_name},
    NamedField{"ecrRepositoryName", CoverageField::repository},
    NamedField{"cloudContainerRepositoryName", CoverageField::repository},
    NamedField{"cloudContainerRegistryName", CoverageField::registry},
};

// Of numbers or times, which are compared with nothing but bounds.
bool are_ranges(const Shape& filters) {
  return filters.element->member("comparison") == nullptr;
}

void read_field(CoverageFilter& out, const Member& member, json::Value filters) {
  const auto& name = member.name;
  if (name == "accountId" || name == "cloudProviderAccountId") {
    const auto tests = read_text_tests(filters);
    std::erase_if(out.accounts,
                  [&](const std::string& account) { return !findings::passes(tests, account); });
  } else if (name == "cloudProvider") {
    out.impossible = out.impossible || !findings::passes(read_text_tests(filters), provider);
  } else if (name == "ec2InstanceTags" || name == "cloudVmInstanceTags") {
    out.host_tags.push_back(read_tag_tests(filters));
  } else if (name == "lambdaFunctionTags" || name == "cloudServerlessFunctionTags") {
    out.function_tags.push_back(read_tag_tests(filters));
  } else if (name == "lastScannedAt") {
    out.scanned = read_ranges(filters);
  } else if (are_ranges(*member.shape)) {
    out.impossible = true;  // a number or a time that no resource of ours has
  } else {
    const auto known = std::ranges::find(text_fields, name, &NamedField::name);
    out.texts.emplace_back(known == text_fields.end() ? CoverageField::absent : known->field,
                           read_text_tests(filters));
  }
}

CoverageFilter read_filter(const Input& input, std::vector<std::string> accounts) {
  CoverageFilter out{.accounts = std::move(accounts)};
  const auto* const criteria = input.operation().input->member("filterCriteria");
  CHECK(criteria != nullptr);
  for_each_set_member(
      *criteria->shape, input["filterCriteria"],
      [&](const Member& member, json::Value filters) { read_field(out, member, filters); });
  return out;
}

void write_metadata(json::Writer& out, const store::Resource& resource) {
  out.key("resourceMetadata").begin_object();
  if (resource.type == "AWS_EC2_INSTANCE") {
    out.key("ec2").begin_object();
    out.member_if("amiId", resource.facts.image_id);
    out.member("platform", resource.platform.empty()                  ? "UNKNOWN"
                           : resource.platform.starts_with("WINDOWS") ? "WINDOWS"
                           : resource.platform.starts_with("MACOS")   ? "MACOS"
                                                                      : "LINUX");
    out.key("tags").document(resource.tags).end_object();
  } else if (resource.type == "AWS_ECR_CONTAINER_IMAGE") {
    out.key("ecrImage").begin_object().end_object();
    if (!resource.facts.repository.empty())
      out.key("ecrRepository")
          .begin_object()
          .member("name", resource.facts.repository)
          .end_object();
  } else if (resource.type == "AWS_LAMBDA_FUNCTION") {
    out.key("lambdaFunction").begin_object();
    out.member("functionName", resource.external_id);
    out.key("functionTags").document(resource.tags).end_object();
  } else if (resource.type == "CODE_REPOSITORY") {
    out.key("codeRepository").begin_object();
    out.member("projectName", resource.external_id);
    out.member("providerType", "UNKNOWN").member("providerTypeVisibility", "UNKNOWN");
    out.end_object();
  }
  out.end_object();
}

void write_resource(json::Writer& out, const store::Resource& resource) {
  out.begin_object();
  out.member("accountId", resource.account);
  if (resource.evaluated > 0) out.key("lastScannedAt").integer(resource.evaluated);
  out.member("resourceId", resource.external_id);
  write_metadata(out, resource);
  out.member("resourceType", resource.type);
  out.member_if("scanMode", resource.scan_mode);
  out.key("scanStatus").begin_object();
  out.member("reason", resource.coverage_reason).member("statusCode", resource.coverage_status);
  out.end_object();
  out.member("scanType", "PACKAGE");
  out.member("provider", provider).member("providerAccountId", resource.account);
  out.member("providerRegion", resource.region).member("providerPartition", "aws");
  out.end_object();
}

ApiResult<store::CoveragePosition> position_of(const Call& call, std::string_view question) {
  if (call.input.string("nextToken").empty()) return store::CoveragePosition{};
  TRY(const auto position, open_page_token(call, question, call.input.string("nextToken")));
  if (position.size() != 2) return bad_page_token();
  return store::CoveragePosition{.account = position[0], .external_id = position[1]};
}

Answer list(const Call& call) {
  const auto question = question_of(call.input);
  TRY(const auto after, position_of(call, question));
  const auto limit = std::min(call.input.integer("maxResults").value_or(most_listed), most_listed);
  TRY(auto connection, call.services.pool->lease());
  TRY(auto accounts, visible_accounts(*connection, call));
  const auto filter = read_filter(call.input, std::move(accounts));
  TRY(auto resources,
      store::list_coverage(*connection, filter, after, limit + 1, call.services.clock()));
  const bool more = std::ssize(resources) > limit;
  if (more) resources.pop_back();
  json::Writer out;
  out.begin_object().key("coveredResources").begin_array();
  for (const auto& resource : resources) write_resource(out, resource);
  out.end_array();
  if (more)
    out.member(
        "nextToken",
        seal_page_token(call, question, {resources.back().account, resources.back().external_id}));
  out.end_object();
  return out.take();
}

// nullopt: no resource of ours has what is asked for.
std::optional<CoverageGroup> group_of(std::string_view word) {
  if (word == "SCAN_STATUS_CODE") return CoverageGroup::status_code;
  if (word == "SCAN_STATUS_REASON") return CoverageGroup::status_reason;
  if (word == "ACCOUNT_ID") return CoverageGroup::account;
  if (word == "RESOURCE_TYPE") return CoverageGroup::resource_type;
  if (word == "PROVIDER_ACCOUNT_ID") return CoverageGroup::account;
  if (word == "PROVIDER_REGION") return CoverageGroup::region;
  if (word == "ECR_REPOSITORY_NAME") return CoverageGroup::repository;
  if (word == "PROVIDER") return CoverageGroup::provider;
  return std::nullopt;
}

ApiResult<store::CoverageGroupCount> group_position_of(const Call& call,
                                                       std::string_view question) {
  if (call.input.string("nextToken").empty()) return store::CoverageGroupCount{};
  TRY(const auto position, open_page_token(call, question, call.input.string("nextToken")));
  const auto resources = position.size() == 2 ? parse_uint(position[0]) : std::nullopt;
  if (!resources) return bad_page_token();
  return store::CoverageGroupCount{.resources = static_cast<std::int64_t>(*resources),
                                   .value = position[1]};
}

// In the model a count carries the word that was grouped by, not the group's value: the groups
// follow one another, the largest first.
Answer list_statistics(const Call& call) {
  const auto question = question_of(call.input);
  TRY(const auto after, group_position_of(call, question));
  const auto now = call.services.clock();
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::read));
  TRY(auto accounts, visible_accounts(*connection, call));
  const auto filter = read_filter(call.input, std::move(accounts));
  TRY(const auto total, store::count_coverage(*connection, filter, now));
  const auto word = call.input.string("groupBy");
  std::vector<store::CoverageGroupCount> groups;
  if (const auto group = group_of(word)) {
    TRY(groups, store::group_coverage(*connection, filter, *group, after, groups_at_once + 1, now));
  }
  const bool more = std::ssize(groups) > groups_at_once;
  if (more) groups.pop_back();
  json::Writer out;
  out.begin_object();
  if (!groups.empty()) {
    out.key("countsByGroup").begin_array();
    for (const auto& group : groups) {
      out.begin_object().key("count").integer(group.resources);
      out.member("groupKey", word).end_object();
    }
    out.end_array();
  }
  if (more)
    out.member("nextToken",
               seal_page_token(call, question,
                               {fmt::format("{}", groups.back().resources), groups.back().value}));
  out.key("totalCounts").integer(total).end_object();
  return out.take();
}

// tenken does not look into clusters: no image is known to run in one.
Answer get_clusters(const Call&) {
  return std::string(R"({"cluster":[]})");
}

constexpr std::array operations{
    HandledOperation{"GetClustersForImage", access::Permission::read, get_clusters},
    HandledOperation{"ListCoverage", access::Permission::read, list},
    HandledOperation{"ListCoverageStatistics", access::Permission::read, list_statistics},
};

}  // namespace
}  // namespace coverage_

extern constinit const Family coverage{.id = "coverage", .operations = coverage_::operations};

}  // namespace tenken::api
