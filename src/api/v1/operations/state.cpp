// What the server knows of itself: its advisory data, its work, its audit log, key figures.
#include <array>

#include "access/audit.h"
#include "api/database_age.h"
#include "api/page_token.h"
#include "api/v1/page.h"
#include "api/v1/pieces.h"
#include "api/v1/v1.h"
#include "base/text.h"
#include "pipeline/scan.h"
#include "store/feed_states.h"
#include "store/inventory_query.h"
#include "store/jobs.h"

namespace tenken::api::v1 {
namespace state_ {
namespace {

constexpr std::size_t most_unknown = 200;

void write_feed(json::Writer& out, const advisories::FeedMeta& feed, Seconds now) {
  out.begin_object();
  out.member("id", feed.id);
  const auto count = [&out](std::string_view name, std::uint64_t number) {
    out.key(name).integer(static_cast<std::int64_t>(number));
  };
  count("documents", feed.documents);
  count("records", feed.records);
  count("duplicates", feed.duplicates);
  count("skipped", feed.skipped);
  write_age(out, feed.newest, now);
  write_time(out, "fetchedAt", feed.fetched);
  out.end_object();
}

void write_skip(json::Writer& out, const advisories::SkipCount& skip) {
  out.begin_object();
  out.member("feed", skip.feed).member("reason", skip.reason);
  out.key("count").integer(static_cast<std::int64_t>(skip.count));
  out.end_object();
}

void write_generation(json::Writer& out, const advisories::Database& database, Seconds now) {
  const auto& meta = database.meta();
  out.begin_object();
  out.member("generation", database.generation());
  write_time(out, "builtAt", pipeline::describe_database(database).built);
  write_time(out, "newestRecord", meta.newest_record);
  out.key("ageSeconds").integer(age_of(database, now));
  out.key("starter").boolean(meta.starter);
  out.key("records").integer(static_cast<std::int64_t>(meta.records));
  out.key("vulnerabilities").integer(static_cast<std::int64_t>(meta.vulnerabilities));
  out.key("feeds").begin_array();
  for (const auto& feed : meta.feeds) write_feed(out, feed, now);
  out.end_array();
  out.key("skips").begin_array();
  for (const auto& skip : meta.skips) write_skip(out, skip);
  out.end_array();
  out.end_object();
}

// How a node fares with a feed, or with building what was fetched.
void write_attempt(json::Writer& out, const store::FeedState& state) {
  out.begin_object();
  out.member("node", state.node).member("feed", state.feed);
  if (state.interval > 0) out.key("intervalSeconds").integer(state.interval);
  write_time(out, "attemptedAt", state.attempted);
  write_time(out, "succeededAt", state.succeeded);
  out.key("fetched").integer(state.fetched);
  out.key("unchanged").integer(state.unchanged);
  out.key("failed").integer(state.failed);
  out.member_if("lastError", state.last_error);
  out.end_object();
}

ApiResult<http::Response> get_database(const V1Call& call) {
  const auto generation = call.services.generation();
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto states, store::feed_states(*connection));
  json::Writer out;
  out.begin_object();
  out.key("database");
  if (generation == nullptr) {
    out.null();
  } else {
    write_generation(out, *generation, call.services.clock());
  }
  if (call.services.generation_problem)
    out.member_if("problem", call.services.generation_problem());
  out.key("attempts").begin_array();
  for (const auto& state : states) write_attempt(out, state);
  out.end_array();
  out.end_object();
  return json_response(200, out.take());
}

// The server's work, of all accounts: numbers only.
ApiResult<http::Response> list_jobs(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto counts, store::count_jobs(*connection, call.services.clock()));
  json::Writer out;
  out.begin_object();
  out.key("jobs").begin_array();
  for (const auto& one : counts) {
    out.begin_object();
    out.member("kind", one.kind);
    out.key("waiting").integer(one.waiting);
    out.key("running").integer(one.running);
    out.key("failing").integer(one.failing);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_response(200, out.take());
}

void write_event(json::Writer& out, const access::AuditEvent& event) {
  out.begin_object();
  out.member("id", std::to_string(event.id));
  write_time(out, "at", event.time);
  out.member("principal", event.principal).member_if("accessKeyId", event.access_key_id);
  out.member_if("source", event.source).member("action", event.action);
  out.member_if("target", event.target).member("outcome", event.outcome);
  out.member_if("requestId", event.request_id);
  out.end_object();
}

// The newest first.
ApiResult<http::Response> list_audit(const V1Call& call) {
  TRY(const auto page, read_page(call));
  std::optional<std::int64_t> before;
  if (!page.position.empty()) {
    const auto number = parse_uint(page.position[0]);
    if (!number) return bad_page_token();
    before = static_cast<std::int64_t>(*number);
  }
  TRY(auto connection, call.services.pool->lease());
  const auto limit = static_cast<std::size_t>(page.limit);
  TRY(auto events, access::list_audit(*connection, call.who.account, before, limit + 1));
  const bool goes_on = events.size() > limit;
  if (goes_on) events.pop_back();
  json::Writer out;
  out.begin_object();
  out.key("events").begin_array();
  for (const auto& event : events) write_event(out, event);
  out.end_array();
  if (goes_on) write_next_token(out, call, page, {std::to_string(events.back().id)});
  out.end_object();
  return json_response(200, out.take());
}

ApiResult<http::Response> get_figures(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resources, store::count_resources(*connection, call.who.account));
  TRY(const auto findings, store::count_findings(*connection, call.who.account));
  TRY(const auto undecided, store::count_undecided(*connection, call.who.account));
  TRY(const auto to_restart, store::count_resources_to_restart(*connection, call.who.account));
  Unknowns unknowns(Unknowns::By::reason);
  unknowns.add(undecided);
  std::int64_t packages = 0;
  json::Writer out;
  out.begin_object();
  out.key("resources").begin_array();
  for (const auto& one : resources) {
    packages += one.packages;
    out.begin_object();
    out.member("status", one.status).member("reason", one.reason);
    out.key("count").integer(one.resources);
    out.end_object();
  }
  out.end_array();
  out.key("packages").integer(packages);
  out.key("restartNeeded").begin_object();
  out.key("resources").integer(to_restart).end_object();
  write_finding_counts(out, findings);
  unknowns.write(out, most_unknown);
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

constexpr std::array page_parameters{V1Parameter{"limit"}, V1Parameter{"nextToken"}};

constexpr std::array operations{
    V1Operation{.method = "GET",
                .path = "/v1/database",
                .needs = access::Permission::read,
                .handle = get_database},
    V1Operation{.method = "GET",
                .path = "/v1/jobs",
                .needs = access::Permission::read,
                .handle = list_jobs},
    V1Operation{.method = "GET",
                .path = "/v1/audit",
                .needs = access::Permission::audit,
                .handle = list_audit,
                .parameters = page_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/figures",
                .needs = access::Permission::read,
                .handle = get_figures},
};

}  // namespace
}  // namespace state_

extern constinit const V1Family state{.id = "state", .operations = state_::operations};

}  // namespace tenken::api::v1
