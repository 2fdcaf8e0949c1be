// The input of one request, checked against the model, and its members by name wherever they
// travelled: in the body, the URI or the query string.
//
// Thread rule: one thread at a time. Values and texts live as long as the Input; it may be moved.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "api/errors.h"
#include "api/routes.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/time.h"

namespace tenken::api {

class Input {
 public:
  // query is the query string as it came, without "?"; body is empty or a JSON object. How much
  // body is read is the server's business. Errors: validation.
  static ApiResult<Input> read(const Route& route, std::string_view query, std::string_view body);

  const Operation& operation() const { return *operation_; }

  // Missing where the request has no such member or null.
  json::Value operator[](std::string_view member) const;
  bool has(std::string_view member) const { return static_cast<bool>((*this)[member]); }
  std::string_view string(std::string_view member) const { return (*this)[member].string(); }
  std::optional<std::int64_t> integer(std::string_view member) const {
    return (*this)[member].integer();
  }
  std::optional<double> number(std::string_view member) const { return (*this)[member].number(); }
  std::optional<bool> boolean(std::string_view member) const { return (*this)[member].boolean(); }
  std::vector<std::string_view> strings(std::string_view member) const;
  // The texts at a path through structures, "s3Destination.bucketName", and through every element
  // of lists, "accountIds.accountId". No empty ones.
  std::vector<std::string_view> texts(std::string_view path) const;

 private:
  Input() = default;

  const Operation* operation_ = nullptr;
  std::unique_ptr<json::Parser> body_parser_;
  std::unique_ptr<json::Parser> parameter_parser_;
  json::Value body_;
  json::Value parameters_;
};

// Calls each(const Member&, value) for the members of a checked structure that are set. One that
// its model does not know was not checked and is ignored; a null is as good as absent.
template <typename Each>
void for_each_set_member(const Shape& structure, json::Value value, Each&& each) {
  for (const auto& member : structure.members) {
    const auto set = value[member.name];
    if (set && set.type() != json::Value::Type::null) each(member, set);
  }
}

// A checked value as tenken keeps and answers it: the members that the model knows, no nulls,
// timestamps as epoch seconds. For the criteria of a filter or the tags of a resource.
void write_value(json::Writer& out, const Shape& shape, json::Value value);

}  // namespace tenken::api
