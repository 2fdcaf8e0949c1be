#include "api/v1/v1.h"

#include <algorithm>

#include "base/text.h"
#include "http/url.h"

namespace tenken::api::v1 {
namespace {

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

ApiResult<Matched> find(std::string_view method, std::string_view path) {
  TRY(const auto segments, http::path_segments(path));
  bool other_method = false;
  for (const auto* family : v1_families()) {
    for (const auto& operation : family->operations) {
      auto labels = labels_of(operation.path, segments);
      if (!labels) continue;
      if (operation.method == method) return Matched{&operation, *std::move(labels)};
      other_method = true;
    }
  }
  if (other_method) return bad_request("This path does not know the method");
  return resource_not_found("There is nothing at this path");
}

ApiResult<http::Response> call(const http::Request& request, const access::Principal& who,
                               Services& services) {
  TRY(auto found, find(request.method, request.path()));
  if (!who.may(found.operation->needs))
    return access_denied("The role of " + access::arn(who) + " does not permit this");
  TRY(auto parameters, http::parse_query(request.query()));
  V1Call call{.who = who,
              .request = request,
              .services = services,
              .labels = std::move(found.labels),
              .query = {}};
  for (auto& one : parameters) call.query.emplace_back(std::move(one.name), std::move(one.value));
  return found.operation->handle(call);
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

http::Response answer(const http::Request& request, const access::Principal& who,
                      Services& services) {
  auto answered = call(request, who, services);
  if (!answered) return to_response(answered.error());
  return *std::move(answered);
}

}  // namespace tenken::api::v1
