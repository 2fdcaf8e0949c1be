// A service of AWS as data: its operations and the shapes of their messages. Everything that reads,
// checks or writes messages of the API walks this and knows no operation by itself.
//
// Source: models/*.json (tools/service_model.py). Errors of parse: invalid, with the place.
// Thread rule: constant once built; safe from any thread. A shape, member or operation lives as
// long as its model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/pattern.h"
#include "base/result.h"

namespace tenken::api {

struct Shape;

struct Member {
  enum class Location : std::uint8_t { body, uri, querystring, header };
  std::string name;
  std::string wire_name;  // in the URI, the query string or the header
  const Shape* shape = nullptr;
  Location location = Location::body;
  bool required = false;
};

struct Shape {
  enum class Type : std::uint8_t {
    structure,
    list,
    map,
    string,
    integer,  // 32 bits
    long_integer,
    double_number,
    boolean,
    timestamp,
    blob,
    document,  // any JSON
  };
  std::string name;
  Type type = Type::structure;
  bool is_union = false;           // a structure of which exactly one member is set
  bool sensitive = false;          // never logged
  int error_status = 0;            // of an error's structure: its HTTP status
  std::vector<Member> members;     // of a structure, sorted by name
  const Shape* element = nullptr;  // of a list; the values of a map
  const Shape* key = nullptr;      // of a map
  // The value of a number; code points of a string, bytes of a blob, entries of a list or map.
  std::optional<double> min;
  std::optional<double> max;
  std::unique_ptr<Pattern> pattern;
  std::vector<std::string> values;  // an enumeration where not empty, in the model's order

  const Member* member(std::string_view name) const;  // nullptr: none
  bool is_container() const { return type == Type::list || type == Type::map; }
};

struct Operation {
  std::string name;
  std::string service;  // as in the scope of signatures: "inspector2"
  std::string method;
  std::string uri;  // "/tags/{resourceArn}"
  int status = 200;
  const Shape* input = nullptr;
  const Shape* output = nullptr;
  std::vector<const Shape*> errors;
};

class ServiceModel {
 public:
  // No structure has more members, so that those seen fit into a fixed set.
  static constexpr std::size_t most_members = 128;

  static Result<ServiceModel> parse(std::string_view json);
  // The models that the program carries.
  static ServiceModel inspector2();
  static ServiceModel inspector_scan();

  const std::string& service() const { return service_; }
  std::span<const Operation> operations() const { return operations_; }  // sorted by name
  const Operation* operation(std::string_view name) const;               // nullptr: none
  std::span<const Shape> shapes() const { return shapes_; }              // sorted by name
  const Shape* shape(std::string_view name) const;                       // nullptr: none

 private:
  friend class ModelReader;
  ServiceModel() = default;

  std::string service_;
  std::vector<Operation> operations_;
  std::vector<Shape> shapes_;
};

}  // namespace tenken::api
