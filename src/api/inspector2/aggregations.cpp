// ListFindingAggregations: ACTIVE findings counted by account, resource, title, package, repository
// and machine image.
//
// Groups of which tenken has nothing (layers) are empty lists.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/call.h"
#include "api/filter_input.h"
#include "api/organisation.h"
#include "api/page_token.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "store/aggregation_query.h"

namespace tenken::api {
namespace aggregations_ {
namespace {

using store::Aggregate;
using store::Aggregation;
using store::AggregationField;
using store::AggregationGroup;
using store::AggregationPage;
using store::AggregationSort;

constexpr std::int64_t most_listed = 100;
constexpr std::string_view partition = "aws";
constexpr std::string_view scan_source = "INSTANCE_SCAN";  // no machine image is looked at itself

struct NamedField {
  std::string_view name;
  AggregationField field;
};
constexpr std::array<NamedField, 2> title_fields{
    NamedField{"titles", AggregationField::title},
    NamedField{"vulnerabilityIds", AggregationField::vulnerability}};
constexpr std::array<NamedField, 1> package_fields{
    NamedField{"packageNames", AggregationField::package}};
constexpr std::array<NamedField, 3> host_fields{
    NamedField{"amis", AggregationField::image_id},
    NamedField{"instanceIds", AggregationField::resource_id},
    NamedField{"operatingSystems", AggregationField::platform}};
constexpr std::array<NamedField, 4> image_fields{
    NamedField{"architectures", AggregationField::image_architecture},
    NamedField{"imageShas", AggregationField::image_hash},
    NamedField{"repositories", AggregationField::repository},
    NamedField{"resourceIds", AggregationField::resource_id}};
constexpr std::array<NamedField, 1> machine_image_fields{
    NamedField{"amis", AggregationField::image_id}};
constexpr std::array<NamedField, 1> repository_fields{
    NamedField{"repositories", AggregationField::repository}};
constexpr std::array<NamedField, 4> machine_fields{
    NamedField{"vmImageReferences", AggregationField::image_id},
    NamedField{"resourceIds", AggregationField::resource_id},
    NamedField{"operatingSystems", AggregationField::platform},
    NamedField{"cloudRegions", AggregationField::region}};
constexpr std::array<NamedField, 6> container_fields{
    NamedField{"architectures", AggregationField::image_architecture},
    NamedField{"imageDigests", AggregationField::image_hash},
    NamedField{"registries", AggregationField::registry},
    NamedField{"repositories", AggregationField::repository},
    NamedField{"resourceIds", AggregationField::resource_id},
    NamedField{"cloudRegions", AggregationField::region}};
constexpr std::array<NamedField, 3> serverless_fields{
    NamedField{"resourceIds", AggregationField::resource_id},
    NamedField{"functionNames", AggregationField::resource_id},
    NamedField{"cloudRegions", AggregationField::region}};
constexpr std::array<NamedField, 2> function_fields{
    NamedField{"resourceIds", AggregationField::resource_id},
    NamedField{"functionNames", AggregationField::resource_id}};
constexpr std::array<NamedField, 2> project_fields{
    NamedField{"resourceIds", AggregationField::resource_id},
    NamedField{"projectNames", AggregationField::resource_id}};

void write_account(json::Writer& out, const Aggregate& one) {
  out.key("exploitAvailableCount").integer(one.exploitable);
  out.key("fixAvailableCount").integer(one.fixable);
}
void write_title(json::Writer& out, const Aggregate& one) {
  out.member("title", one.position.key).member("vulnerabilityId", one.vulnerability);
}
void write_package(json::Writer& out, const Aggregate& one) {
  out.member("packageName", one.position.key);
}
void write_machine_image(json::Writer& out, const Aggregate& one) {
  out.member("ami", one.position.key).key("affectedInstances").integer(one.affected);
  out.member("scanSource", scan_source);
}
void write_repository(json::Writer& out, const Aggregate& one) {
  out.member("repository", one.position.key).key("affectedImages").integer(one.affected);
}
void write_host(json::Writer& out, const Aggregate& one) {
  out.member_if("ami", one.facts.image_id).member("instanceId", one.external_id);
  out.key("instanceTags").document(one.tags);
  out.key("networkFindings").integer(0);
  out.member_if("operatingSystem", one.platform);
}
void write_image(json::Writer& out, const Aggregate& one) {
  out.member_if("architecture", one.facts.image_architecture);
  out.member_if("imageSha", one.facts.image_hash);
  out.member_if("repository", one.facts.repository).member("resourceId", one.external_id);
}
void write_function(json::Writer& out, const Aggregate& one) {
  out.member("functionName", one.external_id);
  out.key("lambdaTags").document(one.tags);
  out.member("resourceId", one.external_id);
}
void write_place(json::Writer& out, const Aggregate& one) {
  out.member("resourceId", one.external_id);
  out.member("cloudProvider", findings::provider).member("cloudPartition", partition);
  out.member("cloudAccountId", one.position.account).member("cloudRegion", one.region);
}
void write_machine(json::Writer& out, const Aggregate& one) {
  write_place(out, one);
  out.key("tags").document(one.tags);
  out.key("networkFindings").integer(0);
  out.member_if("operatingSystem", one.platform);
  out.member_if("vmImageReference", one.facts.image_id);
}
void write_container(json::Writer& out, const Aggregate& one) {
  write_place(out, one);
  out.member_if("architecture", one.facts.image_architecture);
  out.member_if("imageDigest", one.facts.image_hash);
  out.member_if("registry", one.facts.registry).member_if("repository", one.facts.repository);
}
void write_serverless(json::Writer& out, const Aggregate& one) {
  write_place(out, one);
  out.member("functionName", one.external_id);
  out.key("tags").document(one.tags);
}
void write_project(json::Writer& out, const Aggregate& one) {
  out.member("projectNames", one.external_id).member("resourceId", one.external_id);
}

// A type of aggregation: the member of the unions that belongs to it, and where its groups are.
struct Type {
  std::string_view name;
  std::string_view member;
  AggregationGroup group = AggregationGroup::account;
  std::string_view resource_type;  // of groups by resource
  std::span<const NamedField> fields;
  std::string_view tags;                                             // the field that asks for tags
  void (*write)(json::Writer& out, const Aggregate& one) = nullptr;  // nullptr: there are none
};
constexpr std::array types{
    Type{"ACCOUNT", "accountAggregation", AggregationGroup::account, "", {}, "", write_account},
    Type{"FINDING_TYPE",
         "findingTypeAggregation",
         AggregationGroup::account,
         "",
         {},
         "",
         write_account},
    Type{"TITLE", "titleAggregation", AggregationGroup::title, "", title_fields, "", write_title},
    Type{"PACKAGE", "packageAggregation", AggregationGroup::package, "", package_fields, "",
         write_package},
    Type{"AWS_EC2_INSTANCE", "ec2InstanceAggregation", AggregationGroup::resource,
         "AWS_EC2_INSTANCE", host_fields, "instanceTags", write_host},
    Type{"AWS_ECR_CONTAINER", "awsEcrContainerAggregation", AggregationGroup::resource,
         "AWS_ECR_CONTAINER_IMAGE", image_fields, "", write_image},
    Type{"AWS_LAMBDA_FUNCTION", "lambdaFunctionAggregation", AggregationGroup::resource,
         "AWS_LAMBDA_FUNCTION", function_fields, "functionTags", write_function},
    Type{"CODE_REPOSITORY", "codeRepositoryAggregation", AggregationGroup::resource,
         "CODE_REPOSITORY", project_fields, "", write_project},
    Type{"VM_INSTANCE", "vmInstanceAggregation", AggregationGroup::resource, "AWS_EC2_INSTANCE",
         machine_fields, "instanceTags", write_machine},
    Type{"CONTAINER_IMAGE", "containerImageAggregation", AggregationGroup::resource,
         "AWS_ECR_CONTAINER_IMAGE", container_fields, "", write_container},
    Type{"SERVERLESS_FUNCTION", "serverlessFunctionAggregation", AggregationGroup::resource,
         "AWS_LAMBDA_FUNCTION", serverless_fields, "functionTags", write_serverless},
    Type{"AMI", "amiAggregation", AggregationGroup::machine_image, "AWS_EC2_INSTANCE",
         machine_image_fields, "", write_machine_image},
    Type{"REPOSITORY", "repositoryAggregation", AggregationGroup::repository,
         "AWS_ECR_CONTAINER_IMAGE", repository_fields, "", write_repository},
    Type{.name = "IMAGE_LAYER", .member = "imageLayerAggregation"},
    Type{.name = "LAMBDA_LAYER", .member = "lambdaLayerAggregation"},
};

// What is asked, and whether anything can be meant by it.
struct Question {
  Aggregation aggregation;
  bool impossible = false;
};

// Fields of the model that no finding or resource of ours has are absent values.
bool absent_holds(json::Value filters) {
  bool holds = true;
  filters.for_each(
      [&](json::Value filter) { holds = holds && filter["comparison"].string() == "NOT_EQUALS"; });
  return holds;
}

void narrow_accounts(Question& out, json::Value filters) {
  const auto tests = read_text_tests(filters);
  std::erase_if(out.aggregation.accounts,
                [&](const std::string& account) { return !findings::passes(tests, account); });
}

void read_field(Question& out, const Type& type, std::string_view name, json::Value value) {
  const auto known = std::ranges::find(type.fields, name, &NamedField::name);
  if (known != type.fields.end()) {
    out.aggregation.texts.emplace_back(known->field, read_text_tests(value));
  } else if (!type.tags.empty() && name == type.tags) {
    out.aggregation.tags = read_tag_tests(value);
  } else if (name == "resourceType") {
    out.aggregation.resource_type = value.string();
  } else if (name == "cloudProviders") {
    out.impossible =
        out.impossible || !findings::passes(read_text_tests(value), findings::provider);
  } else if (name == "cloudPartitions") {
    out.impossible = out.impossible || !findings::passes(read_text_tests(value), partition);
  } else if (name == "cloudAccountIds") {
    narrow_accounts(out, value);
  } else if (name == "findingType") {
    out.impossible = out.impossible || value.string() != "PACKAGE_VULNERABILITY";
  } else if (name == "scanSources") {
    bool meant = false;
    value.for_each([&](json::Value one) { meant = meant || one.string() == scan_source; });
    out.impossible = out.impossible || !meant;
  } else if (value.is_array()) {
    out.impossible = out.impossible || !absent_holds(value);
  }
}

ApiResult<Question> read_question(const Call& call, const Type& type,
                                  std::vector<std::string> accounts) {
  Question out{.aggregation = {.group = type.group,
                               .accounts = std::move(accounts),
                               .resource_type = std::string(type.resource_type)},
               .impossible = type.write == nullptr};
  narrow_accounts(out, call.input["accountIds"]);
  const auto* const request = call.input.operation().input->member("aggregationRequest");
  CHECK(request != nullptr);
  bool other_member = false;
  for_each_set_member(
      *request->shape, call.input["aggregationRequest"],
      [&](const Member& member, json::Value value) {
        other_member = other_member || member.name != type.member;
        for_each_set_member(*member.shape, value, [&](const Member& field, json::Value one) {
          read_field(out, type, field.name, one);
        });
      });
  if (other_member)
    return validation_failed(
        fmt::format("aggregationRequest: {} is needed for the type {}", type.member, type.name));
  return out;
}

AggregationSort sort_of(std::string_view word) {
  if (word == "ALL") return AggregationSort::all;
  if (word == "HIGH") return AggregationSort::high;
  if (word == "AFFECTED_INSTANCES" || word == "AFFECTED_IMAGES") return AggregationSort::affected;
  if (word == "NETWORK_FINDINGS") return AggregationSort::unsorted;  // no instance has any
  return AggregationSort::critical;
}

ApiResult<AggregationPage> read_page(const Call& call, const Type& type,
                                     std::string_view question) {
  const auto request = call.input["aggregationRequest"][type.member];
  AggregationPage out{
      .sort = sort_of(request["sortBy"].string()),
      .ascending = request["sortOrder"].string() == "ASC",
      .after = std::nullopt,
      .limit = std::min(call.input.integer("maxResults").value_or(most_listed), most_listed)};
  const auto token = call.input.string("nextToken");
  if (token.empty()) return out;
  TRY(const auto position, open_page_token(call, question, token));
  if (position.size() != 3) return bad_page_token();
  const auto value = parse_uint(position[0]);
  const bool has_key = type.group != AggregationGroup::resource || parse_uint(position[2]);
  if (!value || !has_key) return bad_page_token();
  out.after = {
      .value = static_cast<std::int64_t>(*value), .account = position[1], .key = position[2]};
  return out;
}

void write_group(json::Writer& out, const Type& type, const Aggregate& one) {
  out.begin_object().key(type.member).begin_object();
  out.member("accountId", one.position.account);
  type.write(out, one);
  out.key("severityCounts").begin_object();
  out.key("all").integer(one.counts.all);
  out.key("critical").integer(one.counts.critical);
  out.key("high").integer(one.counts.high);
  out.key("medium").integer(one.counts.medium);
  out.key("low").integer(one.counts.low);
  out.key("informational").integer(one.counts.informational);
  out.key("untriaged").integer(one.counts.untriaged);
  out.end_object().end_object().end_object();
}

Answer list(const Call& call) {
  const auto name = call.input.string("aggregationType");
  const auto type = std::ranges::find(types, name, &Type::name);
  if (type == types.end()) return validation_failed("This aggregationType is not known");
  const auto text = question_of(call.input);
  TRY(auto page, read_page(call, *type, text));
  const auto limit = page.limit++;
  TRY(auto connection, call.services.pool->lease());
  TRY(auto accounts, visible_accounts(*connection, call));
  TRY(const auto question, read_question(call, *type, std::move(accounts)));
  std::vector<Aggregate> groups;
  if (!question.impossible) {
    TRY(groups, store::aggregate(*connection, question.aggregation, page));
  }
  const bool more = std::ssize(groups) > limit;
  if (more) groups.pop_back();
  json::Writer out;
  out.begin_object().member("aggregationType", name);
  if (more) {
    const auto& last = groups.back().position;
    out.member(
        "nextToken",
        seal_page_token(call, text, {fmt::format("{}", last.value), last.account, last.key}));
  }
  out.key("responses").begin_array();
  for (const auto& group : groups) write_group(out, *type, group);
  out.end_array().end_object();
  return out.take();
}

constexpr std::array operations{
    HandledOperation{"ListFindingAggregations", access::Permission::read, list},
};

}  // namespace
}  // namespace aggregations_

extern constinit const Family aggregations{.id = "aggregations",
                                           .operations = aggregations_::operations};

}  // namespace tenken::api
