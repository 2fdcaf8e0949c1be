#include "api/routes.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace tenken::api {
namespace {

// The name in "{resourceArn}"; empty for a literal segment.
std::string_view label(std::string_view segment) {
  if (!segment.starts_with('{') || !segment.ends_with('}')) return {};
  return segment.substr(1, segment.size() - 2);
}

// The labels of the URI with their values in the path, still encoded; empty where it is another.
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;
std::optional<Labels> match(std::string_view uri, std::string_view raw_path) {
  const auto wanted = split(uri, '/');
  const auto given = split(raw_path, '/');
  if (wanted.size() != given.size()) return std::nullopt;
  Labels labels;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto name = label(wanted[i]);
    if (name.empty() ? wanted[i] != given[i] : given[i].empty()) return std::nullopt;
    if (!name.empty()) labels.emplace_back(name, given[i]);
  }
  return labels;
}

}  // namespace

Router::Router(std::span<const ServiceModel* const> models) {
  for (const auto* model : models) {
    for (const auto& operation : model->operations()) {
      if (operation.uri.contains('{'))
        templates_.push_back(&operation);
      else
        literals_.push_back({operation.uri, &operation});
    }
  }
  std::ranges::sort(literals_, {}, &Literal::path);
}

ApiResult<Route> Router::find(std::string_view method, std::string_view raw_path) const {
  for (const auto& literal : std::ranges::equal_range(literals_, raw_path, {}, &Literal::path))
    if (literal.operation->method == method) return Route{literal.operation, {}};
  for (const auto* operation : templates_) {
    if (operation->method != method) continue;
    const auto labels = match(operation->uri, raw_path);
    if (!labels) continue;
    Route route{operation, {}};
    for (const auto& [name, encoded] : *labels) {
      auto value = percent_decode(encoded);
      if (!value) return validation_failed("The path is not percent-encoded", Reason::cannot_parse);
      route.labels.emplace_back(name, *std::move(value));
    }
    return route;
  }
  return unknown_operation();
}

}  // namespace tenken::api
