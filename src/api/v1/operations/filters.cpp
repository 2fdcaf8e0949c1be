// Filters as the Inspector API made them, and what it has no member for: when a suppression rule
// ends by itself.
#include "store/filters.h"

#include <algorithm>
#include <array>

#include "api/filter_tags.h"
#include "api/organisation.h"
#include "api/v1/page.h"
#include "api/v1/pieces.h"
#include "api/v1/v1.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "store/suppression.h"

namespace tenken::api::v1 {
namespace filters_ {
namespace {

void write_filter(json::Writer& out, const store::Filter& filter, const V1Call& call) {
  out.begin_object();
  out.member("filterId", filter.id);
  out.member("arn", filter_arn_start(call.services, filter.account) + filter.id);
  out.member("name", filter.name).member("action", filter.suppresses ? "SUPPRESS" : "NONE");
  out.key("criteria").document(filter.criteria);
  out.member_if("description", filter.description).member_if("reason", filter.reason);
  write_time(out, "expiresAt", filter.expires);
  out.key("suppresses").boolean(filter.in_force(call.services.clock()));
  write_time(out, "createdAt", filter.created);
  write_time(out, "updatedAt", filter.updated);
  out.end_object();
}

http::Response shown(const store::Filter& filter, const V1Call& call) {
  json::Writer out;
  write_filter(out, filter, call);
  return json_response(200, out.take());
}

ApiResult<store::Filter> there(std::optional<store::Filter> filter) {
  if (!filter) return resource_not_found("There is no such filter");
  return *std::move(filter);
}

ApiResult<http::Response> list_filters(const V1Call& call) {
  TRY(const auto page, read_page(call));
  const auto after = page.position.empty() ? std::string() : page.position[0];
  TRY(auto connection, call.services.pool->lease());
  TRY(auto filters,
      store::list_filters(*connection, call.who.account, std::nullopt, after, page.limit + 1));
  const bool goes_on = std::ssize(filters) > page.limit;
  if (goes_on) filters.pop_back();
  json::Writer out;
  out.begin_object();
  out.key("filters").begin_array();
  for (const auto& filter : filters) write_filter(out, filter, call);
  out.end_array();
  if (goes_on) write_next_token(out, call, page, {filters.back().id});
  out.end_object();
  return json_response(200, out.take());
}

ApiResult<http::Response> get_filter(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto found, store::find_filter(*connection, call.who.account, call.labels[0]));
  TRY(const auto filter, there(std::move(found)));
  return shown(filter, call);
}

// {"expiresAt": "2027-06-30T00:00:00Z"}, or null: never.
ApiResult<Seconds> expiry_in(std::string_view body) {
  json::Parser parser;
  const auto parsed = parser.parse(body);
  if (!parsed || !parsed->is_object())
    return validation_failed("The body must be a JSON object", Reason::cannot_parse);
  bool others = false;
  parsed->for_each_member(
      [&](std::string_view name, json::Value) { others = others || name != "expiresAt"; });
  if (others) return validation_failed("expiresAt is the only member");
  const auto given = (*parsed)["expiresAt"];
  if (given.type() == json::Value::Type::null) return Seconds{0};
  const auto text = given.string();
  const auto time = text.contains('T') || text.contains('t') ? parse_time(text) : std::nullopt;
  if (!time)
    return validation_failed("expiresAt: a time as 2027-06-30T00:00:00Z is needed, or null");
  return std::max<Seconds>(1, *time);  // 0 would be never
}

// What the rule suppresses is looked at again now, and by itself when it ends.
ApiResult<http::Response> put_expiry(const V1Call& call) {
  TRY(const auto expires, expiry_in(call.request.body));
  const auto now = call.services.clock();
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(auto held, store::hold_filter(*connection, call.who.account, call.labels[0]));
  TRY(auto filter, there(std::move(held)));
  if (filter.suppresses) TRY_VOID(check_may_suppress(*connection, call.who.account));
  filter.expires = expires;
  filter.updated = now;
  TRY_VOID(store::change_filter(*connection, filter));
  if (filter.suppresses)
    TRY_VOID(store::enqueue_suppression(*connection, filter.account, filter.id, now));
  TRY_VOID(transaction.commit());
  call.services.wake();
  return shown(filter, call);
}

constexpr std::array page_parameters{V1Parameter{"limit"}, V1Parameter{"nextToken"}};

constexpr std::array operations{
    V1Operation{.method = "GET",
                .path = "/v1/filters",
                .needs = access::Permission::read,
                .handle = list_filters,
                .parameters = page_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/filters/{id}",
                .needs = access::Permission::read,
                .handle = get_filter},
    V1Operation{.method = "PUT",
                .path = "/v1/filters/{id}/expiry",
                .needs = access::Permission::filters,
                .handle = put_expiry,
                .noted_as = "SetFilterExpiry"},
};

}  // namespace
}  // namespace filters_

extern constinit const V1Family filters{.id = "filters", .operations = filters_::operations};

}  // namespace tenken::api::v1
