// Which operation a request is for: its method and its path as they stand on the request line.
// Labels of a URI ("/tags/{resourceArn}") match one segment before percent-decoding, since an ARN
// arrives as "arn%3Aaws%3A…%2Ffilter%2F…".
//
// A path or a method that no operation has is UnknownOperationException, 404; there is no 405.
// Thread rule: constant once built; safe from any thread. Lives no longer than its models.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/errors.h"
#include "api/service_model.h"

namespace tenken::api {

struct Route {
  const Operation* operation = nullptr;
  std::vector<std::pair<std::string_view, std::string>> labels;  // name and decoded value
};

class Router {
 public:
  explicit Router(std::span<const ServiceModel* const> models);
  // raw_path is without the query string. Errors: unknown_operation, and validation where a label
  // is not percent-encoded text.
  ApiResult<Route> find(std::string_view method, std::string_view raw_path) const;

 private:
  struct Literal {
    std::string_view path;
    const Operation* operation;
  };
  std::vector<Literal> literals_;  // sorted by path
  std::vector<const Operation*> templates_;
};

}  // namespace tenken::api
