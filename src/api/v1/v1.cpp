#include "api/v1/v1.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "http/url.h"

namespace tenken::api::v1 {
namespace {

// How the parameters of a signature in the query begin, which is checked by now, and the headers
// that SDKs move there with it. They are signed and mean nothing to an operation.
constexpr std::string_view presigned = "X-Amz-";

struct Matched {
  const V1Operation* operation = nullptr;
  std::vector<std::string> labels;
};

// The template's segments against the path's: "{…}" takes any one segment.
std::optional<std::vector<std::string>> labels_of(std::string_view path_template,
                                                  const std::vector<std::string>& segments) {
  const auto wanted = split(path_template.substr(1), '/');
  if (wanted.size() != segments.size()) return std::nullopt;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      labels.push_back(segments[i]);
    } else if (wanted[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return labels;
}

// The path may be known by other methods: those then.
struct Found {
  std::optional<Matched> matched;
  std::string other_methods;
};

ApiResult<Found> find(std::string_view method, std::string_view path) {
  TRY(const auto segments, http::path_segments(path));
  Found out;
  for (const auto* family : v1_families()) {
    for (const auto& operation : family->operations) {
      auto labels = labels_of(operation.path, segments);
      if (!labels) continue;
      if (operation.method == method) {
        out.matched = {&operation, *std::move(labels)};
        return out;
      }
      if (!out.other_methods.empty()) out.other_methods += ", ";
      out.other_methods += operation.method;
    }
  }
  return out;
}

http::Response refused_method(std::string allowed) {
  auto out = to_response(method_not_allowed());
  out.headers.all.emplace_back("Allow", std::move(allowed));
  return out;
}

// A parameter that is misspelt, or whose value was lost on the way, would otherwise be a filter
// that does not filter.
ApiResult<> check_parameters(const V1Call& call) {
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : call.query) {
    const auto known = std::ranges::find(call.operation.parameters, name, &V1Parameter::name);
    if (known == call.operation.parameters.end())
      return validation_failed(fmt::format("{}: no such parameter", printable(name)));
    if (!known->repeats && std::ranges::find(seen, name) != seen.end())
      return validation_failed(fmt::format("{}: given twice", name));
    if (value.empty()) return validation_failed(fmt::format("{}: a value is needed", name));
    seen.push_back(name);
  }
  return {};
}

ApiResult<http::Response> call(const http::Request& request, const access::Principal& who,
                               Services& services, Matched matched) {
  const auto& operation = *matched.operation;
  if (!who.may(operation.needs))
    return access_denied("The role of " + access::arn(who) + " does not permit this");
  TRY(auto parameters, http::parse_query(request.query()));
  V1Call call{.operation = operation,
              .who = who,
              .request = request,
              .services = services,
              .labels = std::move(matched.labels),
              .query = {}};
  for (auto& one : parameters)
    if (!equal_ignoring_case(one.name.substr(0, presigned.size()), presigned))
      call.query.emplace_back(std::move(one.name), std::move(one.value));
  TRY_VOID(check_parameters(call));
  return operation.handle(call);
}

// The caller's own account where the request names nothing.
std::string target_of(const Matched& matched, const http::Request& request,
                      const access::Principal& who) {
  if (!matched.labels.empty()) return matched.labels.front();
  json::Parser parser;
  const auto body = parser.parse(request.body);
  const auto text = body ? (*body)[matched.operation->target].string() : std::string_view();
  return std::string(text.empty() ? who.account : text);
}

}  // namespace

std::string_view V1Call::parameter(std::string_view name) const {
  const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

http::Response json_response(int status, std::string body) {
  http::Response out;
  out.status = status;
  out.headers.all.emplace_back("Content-Type", "application/json");
  out.body = std::move(body);
  return out;
}

bool is_v1(const http::Request& request) {
  return request.path().starts_with("/v1/");
}

bool is_noted(const http::Request& request) {
  const auto found = find(request.method, request.path());
  return found && found->matched && !found->matched->operation->noted_as.empty();
}

V1Answer answer(const http::Request& request, const access::Principal& who, Services& services) {
  auto found = find(request.method, request.path());
  if (!found) return {.response = to_response(found.error())};
  if (!found->matched) {
    if (!found->other_methods.empty())
      return {.response = refused_method(std::move(found->other_methods))};
    return {.response = to_response(resource_not_found("There is nothing at this path"))};
  }
  const auto* operation = found->matched->operation;
  V1Answer out{.response = {}, .action = operation->noted_as, .note = {}};
  if (!out.action.empty()) out.note.target = target_of(*found->matched, request, who);
  auto answered = call(request, who, services, *std::move(found->matched));
  out.note.outcome = answered ? "success" : name(answered.error().code);
  out.response = answered ? *std::move(answered) : to_response(answered.error());
  out.response.note.operation = fmt::format("{} {}", operation->method, operation->path);
  return out;
}

}  // namespace tenken::api::v1
