// Tags of what the API made: filters. Resources that were scanned have tags of their own.
#include "store/tags.h"

#include <array>

#include "api/call.h"
#include "api/filter_tags.h"
#include "base/json_writer.h"
#include "store/filters.h"

namespace tenken::api {
namespace tags_ {
namespace {

ApiError not_there() {
  return resource_not_found("There is no resource of that ARN");
}

// Errors: resource_not_found, for the ARN of another account as for one of nothing.
ApiResult<std::string> taggable(sql::Connection& connection, const Call& call) {
  const auto arn = call.input.string("resourceArn");
  const auto& account = call.who.account;
  const auto filters = filter_arn_start(call);
  if (!arn.starts_with(filters)) return not_there();
  TRY(const auto filter, store::find_filter(connection, account, arn.substr(filters.size())));
  if (!filter) return not_there();
  return std::string(arn);
}

Answer list_tags_for_resource(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto arn, taggable(*connection, call));
  TRY(const auto tags, store::list_tags(*connection, call.who.account, arn));
  json::Writer out;
  out.begin_object().key("tags").begin_object();
  for (const auto& [name, value] : tags) out.member(name, value);
  return out.end_object().end_object().take();
}

Answer tag_resource(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto arn, taggable(*connection, call));
  TRY_VOID(put_requested_tags(*connection, call, arn));
  TRY_VOID(transaction.commit());
  return std::string("{}");
}

Answer untag_resource(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto arn, taggable(*connection, call));
  TRY_VOID(store::remove_tags(*connection, call.who.account, arn, call.input.strings("tagKeys")));
  TRY_VOID(transaction.commit());
  return std::string("{}");
}

using access::Permission;

constexpr std::array operations{
    HandledOperation{"ListTagsForResource", Permission::read, list_tags_for_resource},
    HandledOperation{"TagResource", Permission::filters, tag_resource, "resourceArn"},
    HandledOperation{"UntagResource", Permission::filters, untag_resource, "resourceArn"},
};

}  // namespace
}  // namespace tags_

extern constinit const Family tags{.id = "tags", .operations = tags_::operations};

}  // namespace tenken::api
