// Usage and free trials: tenken counts what it scanned, and none of it costs anything.
#include <algorithm>
#include <array>

#include "api/call.h"
#include "api/filter_input.h"
#include "api/organisation.h"
#include "api/page.h"
#include "base/json_writer.h"
#include "base/time.h"
#include "store/usage_query.h"

namespace tenken::api {
namespace usage_ {
namespace {

constexpr std::size_t most_listed = 500;

Seconds start_of_month(Seconds now) {
  const auto start = parse_time(format_date(now).substr(0, 8) + "01");
  CHECK(start.has_value());
  return *start;
}

void write_usage(json::Writer& out, std::string_view type, double total) {
  out.begin_object().member("currency", "USD").key("estimatedMonthlyCost").integer(0);
  out.key("total").number(total).member("type", type).end_object();
}

void write_total(json::Writer& out, std::string_view account, const store::Usage& usage) {
  constexpr double hour = 3'600;
  out.begin_object().member("accountId", account).key("usage").begin_array();
  write_usage(out, "EC2_INSTANCE_HOURS", static_cast<double>(usage.host_seconds) / hour);
  write_usage(out, "ECR_INITIAL_SCAN", static_cast<double>(usage.images));
  write_usage(out, "LAMBDA_FUNCTION_HOURS", static_cast<double>(usage.function_seconds) / hour);
  write_usage(out, "CODE_REPOSITORY_SCA", static_cast<double>(usage.repositories));
  out.end_array().end_object();
}

Answer list_totals(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto accounts, visible_accounts(*connection, call));
  const auto wanted = call.input.strings("accountIds");
  if (!wanted.empty())
    std::erase_if(accounts, [&](const std::string& account) {
      return std::ranges::find(wanted, account) == wanted.end();
    });
  std::ranges::sort(accounts);
  TRY(const auto page, page_of(call, question_of(call.input), accounts, most_listed));
  const auto now = call.services.clock();
  json::Writer out;
  out.begin_object();
  if (!page.next_token.empty()) out.member("nextToken", page.next_token);
  out.key("totals").begin_array();
  for (auto i = page.begin; i < page.end; ++i) {
    TRY(const auto usage, store::usage_of(*connection, accounts[i], start_of_month(now), now));
    write_total(out, accounts[i], usage);
  }
  out.end_array().end_object();
  return out.take();
}

Answer get_trials(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto accounts, visible_accounts(*connection, call));
  std::vector<std::string_view> seen;
  std::vector<std::string_view> denied;
  for (const auto account : call.input.strings("accountIds")) {
    const bool visible = std::ranges::find(accounts, account) != accounts.end();
    (visible ? seen : denied).push_back(account);
  }
  json::Writer out;
  out.begin_object().key("accounts").begin_array();
  for (const auto account : seen) {
    out.begin_object().member("accountId", account);
    out.key("freeTrialInfo").begin_array().end_array().end_object();
  }
  out.end_array().key("failedAccounts").begin_array();
  for (const auto account : denied) {
    out.begin_object().member("accountId", account).member("code", "ACCESS_DENIED");
    out.member("message", "The account is not visible to the caller").end_object();
  }
  out.end_array().end_object();
  return out.take();
}

constexpr std::array operations{
    HandledOperation{"BatchGetFreeTrialInfo", access::Permission::read, get_trials},
    HandledOperation{"ListUsageTotals", access::Permission::read, list_totals},
};

}  // namespace
}  // namespace usage_

extern constinit const Family usage{.id = "usage", .operations = usage_::operations};

}  // namespace tenken::api
