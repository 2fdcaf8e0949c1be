// Filters: CreateFilter, UpdateFilter, DeleteFilter, ListFilters. Those whose action is SUPPRESS
// are suppression rules: they hold from the moment they are written, what is there already follows
// in the background.
#include "store/filters.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "api/call.h"
#include "api/filter_input.h"
#include "api/filter_tags.h"
#include "api/finding_question.h"
#include "api/organisation.h"
#include "api/page_token.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/random.h"
#include "store/suppression.h"
#include "store/tags.h"

namespace tenken::api {
namespace filters_ {
namespace {

constexpr std::int64_t page_size = 100;

ApiError not_there() {
  return resource_not_found("The filter does not exist");
}

// The id in an ARN of a filter of the caller's.
ApiResult<std::string_view> id_of(const Call& call, std::string_view arn) {
  const auto start = filter_arn_start(call);
  if (!arn.starts_with(start)) return not_there();
  return arn.substr(start.size());
}

ApiResult<store::Filter> existing(sql::Connection& connection, const Call& call,
                                  std::string_view member) {
  TRY(const auto id, id_of(call, call.input.string(member)));
  TRY(auto filter, store::hold_filter(connection, call.who.account, id));
  if (!filter) return not_there();
  return *std::move(filter);
}

// What the request says of the filter; what it does not say stays.
ApiResult<> read_members(const Call& call, store::Filter& filter) {
  const auto& input = call.input;
  if (input.has("name")) filter.name = input.string("name");
  if (input.has("action")) filter.suppresses = input.string("action") == "SUPPRESS";
  if (input.has("description")) filter.description = input.string("description");
  if (input.has("reason")) filter.reason = input.string("reason");
  if (!input.has("filterCriteria")) return {};
  filter.criteria = criteria_text(input);
  TRY(const auto criteria, criteria_of(filter.criteria));
  return {};
}

ApiError refused(const Error& error, const store::Filter& filter) {
  if (error.code == Errc::conflict)
    return bad_request(fmt::format("A filter named {} already exists", filter.name));
  if (error.code == Errc::limit)
    return quota_exceeded(fmt::format("An account has at most {} {}", store::most_filters,
                                      filter.suppresses ? "suppression rules" : "saved filters"),
                          filter.name);
  return to_api_error(error);
}

// The model has none of these two for UpdateFilter.
ApiError refused_change(const Error& error, const store::Filter& filter) {
  auto out = refused(error, filter);
  const bool is_unknown =
      out.code == ErrorCode::bad_request || out.code == ErrorCode::service_quota_exceeded;
  return is_unknown ? validation_failed(std::move(out.message)) : out;
}

std::string arn_answer(const Call& call, std::string_view id) {
  json::Writer out;
  return out.begin_object()
      .member("arn", filter_arn_start(call) + std::string(id))
      .end_object()
      .take();
}

Answer create_filter(const Call& call) {
  const auto now = call.services.clock();
  store::Filter filter{.account = call.who.account,
                       .id = crypto::random_text(16, "0123456789abcdef"),
                       .created = now,
                       .updated = now};
  TRY_VOID(read_members(call, filter));
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  if (filter.suppresses) TRY_VOID(check_may_suppress(*connection, call.who.account));
  const auto added = store::add_filter(*connection, filter);
  if (!added) return refused(added.error(), filter);
  TRY_VOID(put_requested_tags(*connection, call, filter_arn_start(call) + filter.id));
  if (filter.suppresses)
    TRY_VOID(store::enqueue_suppression(*connection, filter.account, filter.id, now));
  TRY_VOID(transaction.commit());
  call.done_to(filter_arn_start(call) + filter.id);
  call.services.wake();
  return arn_answer(call, filter.id);
}

Answer update_filter(const Call& call) {
  const auto now = call.services.clock();
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(auto filter, existing(*connection, call, "filterArn"));
  const bool suppressed = filter.suppresses;
  TRY_VOID(read_members(call, filter));
  if (filter.suppresses) TRY_VOID(check_may_suppress(*connection, call.who.account));
  filter.updated = now;
  const auto changed = store::change_filter(*connection, filter);
  if (!changed) return refused_change(changed.error(), filter);
  if (suppressed || filter.suppresses)
    TRY_VOID(store::enqueue_suppression(*connection, filter.account, filter.id, now));
  TRY_VOID(transaction.commit());
  call.services.wake();
  return arn_answer(call, filter.id);
}

Answer delete_filter(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto filter, existing(*connection, call, "arn"));
  TRY(const auto removed, store::remove_filter(*connection, filter.account, filter.id));
  if (!removed) return not_there();
  TRY_VOID(store::clear_tags(*connection, filter.account, call.input.string("arn")));
  if (filter.suppresses)
    TRY_VOID(
        store::enqueue_suppression(*connection, filter.account, filter.id, call.services.clock()));
  TRY_VOID(transaction.commit());
  call.services.wake();
  return arn_answer(call, filter.id);
}

ApiResult<> write_filter(json::Writer& out, sql::Connection& connection, const Call& call,
                         const store::Filter& filter) {
  json::Parser parser({.bytes = std::size_t{1} << 20, .depth = 16});
  TRY(const auto criteria, parser.parse(filter.criteria));
  const auto arn = filter_arn_start(call) + filter.id;
  TRY(const auto tags, store::list_tags(connection, filter.account, arn));
  const auto* const response = call.input.operation().output->member("filters");
  CHECK(response != nullptr);
  const auto* const shape = response->shape->element->member("criteria");
  CHECK(shape != nullptr);
  out.begin_object();
  out.member("arn", arn).member("ownerId", filter.account).member("name", filter.name);
  out.member("action", filter.suppresses ? "SUPPRESS" : "NONE");
  out.key("criteria");
  write_value(out, *shape->shape, criteria);
  out.member_if("description", filter.description).member_if("reason", filter.reason);
  out.key("createdAt").integer(filter.created).key("updatedAt").integer(filter.updated);
  out.key("tags").begin_object();
  for (const auto& [name, value] : tags) out.member(name, value);
  out.end_object().end_object();
  return {};
}

// Of those that the request names, names of nothing passed over, or else of all: those after that
// id, in the order of ids.
Result<std::vector<store::Filter>> filters_after(sql::Connection& connection, const Call& call,
                                                 std::string_view after, std::int64_t limit) {
  std::optional<bool> suppresses;
  if (call.input.has("action")) suppresses = call.input.string("action") == "SUPPRESS";
  if (!call.input.has("arns"))
    return store::list_filters(connection, call.who.account, suppresses, after, limit);
  std::set<std::string_view> ids;
  for (const auto arn : call.input.strings("arns"))
    if (const auto id = id_of(call, arn)) ids.insert(*id);
  std::vector<store::Filter> out;
  for (auto id = ids.upper_bound(after); id != ids.end() && std::ssize(out) < limit; ++id) {
    TRY(auto filter, store::find_filter(connection, call.who.account, *id));
    const bool wanted = filter && suppresses.value_or(filter->suppresses) == filter->suppresses;
    if (wanted) out.push_back(*std::move(filter));
  }
  return out;
}

Answer list_filters(const Call& call) {
  const auto question = question_of(call.input);
  const auto limit = std::min(call.input.integer("maxResults").value_or(page_size), page_size);
  std::string after;
  if (const auto token = call.input.string("nextToken"); !token.empty()) {
    TRY(const auto place, open_page_token(call, question, token));
    if (place.size() != 1) return bad_page_token();
    after = place.front();
  }
  TRY(auto connection, call.services.pool->lease());
  TRY(auto filters, filters_after(*connection, call, after, limit + 1));
  const bool more = std::ssize(filters) > limit;
  if (more) filters.pop_back();
  json::Writer out;
  out.begin_object().key("filters").begin_array();
  for (const auto& filter : filters) TRY_VOID(write_filter(out, *connection, call, filter));
  out.end_array();
  if (more) out.member("nextToken", seal_page_token(call, question, {filters.back().id}));
  out.end_object();
  return out.take();
}

using access::Permission;

constexpr std::array operations{
    HandledOperation{"CreateFilter", Permission::filters, create_filter, "name"},
    HandledOperation{"DeleteFilter", Permission::filters, delete_filter, "arn"},
    HandledOperation{"ListFilters", Permission::read, list_filters},
    HandledOperation{"UpdateFilter", Permission::filters, update_filter, "filterArn"},
};

}  // namespace
}  // namespace filters_

extern constinit const Family filters{.id = "filters", .operations = filters_::operations};

}  // namespace tenken::api
