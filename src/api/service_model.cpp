#include "api/service_model.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/embedded_models.h"
#include "base/json.h"

namespace tenken::api {
namespace {

using Type = Shape::Type;
using Location = Member::Location;

constexpr std::pair<std::string_view, Type> types[] = {
    {"structure", Type::structure},
    {"list", Type::list},
    {"map", Type::map},
    {"string", Type::string},
    {"integer", Type::integer},
    {"long", Type::long_integer},
    {"double", Type::double_number},
    {"boolean", Type::boolean},
    {"timestamp", Type::timestamp},
    {"blob", Type::blob},
    {"document", Type::document},
};

constexpr std::pair<std::string_view, Location> locations[] = {
    {"body", Location::body},
    {"uri", Location::uri},
    {"querystring", Location::querystring},
    {"header", Location::header},
};

template <typename T, std::size_t N>
Result<T> named(const std::pair<std::string_view, T> (&table)[N], std::string_view name) {
  for (const auto& [known, value] : table)
    if (known == name) return value;
  return invalid(fmt::format("unknown word \"{}\"", name));
}

template <typename T>
const T* find_by_name(std::span<const T> sorted, std::string_view name) {
  const auto at = std::ranges::lower_bound(sorted, name, {}, &T::name);
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

}  // namespace

const Member* Shape::member(std::string_view wanted) const {
  return find_by_name(std::span<const Member>(members), wanted);
}

// Builds a model from its JSON. Names are resolved once all shapes stand at their final address.
class ModelReader {
 public:
  Result<ServiceModel> read(json::Value root) {
    model_.service_ = root["service"].string();
    if (model_.service_.empty()) return invalid("no service");
    make_shapes(root["shapes"]);
    TRY_VOID(each(root["shapes"], "shape", &ModelReader::read_shape));
    TRY_VOID(each(root["operations"], "operation", &ModelReader::read_operation));
    std::ranges::sort(model_.operations_, {}, &Operation::name);
    if (model_.operations_.empty()) return invalid("no operations");
    return std::move(model_);
  }

 private:
  using Read = Result<> (ModelReader::*)(std::string_view name, json::Value facts);

  Result<> each(json::Value object, std::string_view kind, Read read) {
    Result<> result;
    object.for_each_member([&](std::string_view name, json::Value facts) {
      if (!result) return;
      result = (this->*read)(name, facts).within(fmt::format("{} {}", kind, name));
    });
    return result;
  }

  void make_shapes(json::Value shapes) {
    model_.shapes_.reserve(shapes.size());
    shapes.for_each_member(
        [&](std::string_view name, json::Value) { model_.shapes_.emplace_back().name = name; });
    std::ranges::sort(model_.shapes_, {}, &Shape::name);
  }

  Result<Shape*> find(std::string_view name) {
    const auto at = std::ranges::lower_bound(model_.shapes_, name, {}, &Shape::name);
    if (at == model_.shapes_.end() || at->name != name)
      return invalid(fmt::format("no shape \"{}\"", name));
    return &*at;
  }

  Result<> read_shape(std::string_view name, json::Value facts) {
    TRY(Shape* const shape, find(name));
    TRY(shape->type, named(types, facts["type"].string()));
    shape->is_union = facts["union"].boolean().value_or(false);
    shape->sensitive = facts["sensitive"].boolean().value_or(false);
    shape->error_status = static_cast<int>(facts["error"].integer().value_or(0));
    shape->min = facts["min"].number();
    shape->max = facts["max"].number();
    if (const auto pattern = facts["pattern"])
      shape->pattern = std::make_unique<Pattern>(std::string(pattern.string()));
    facts["enum"].for_each([&](json::Value value) { shape->values.emplace_back(value.string()); });
    if (shape->type == Type::list) {
      TRY(shape->element, find(facts["member"].string()));
    } else if (shape->type == Type::map) {
      TRY(shape->key, find(facts["key"].string()));
      TRY(shape->element, find(facts["value"].string()));
    } else if (shape->type == Type::structure) {
      TRY_VOID(read_members(*shape, facts));
    }
    return {};
  }

  Result<> read_members(Shape& shape, json::Value facts) {
    Result<> result;
    facts["members"].for_each_member([&](std::string_view name, json::Value member) {
      if (result) result = read_member(shape, name, member).within(name);
    });
    if (!result) return result;
    if (shape.members.size() > ServiceModel::most_members) return invalid("too many members");
    std::ranges::sort(shape.members, {}, &Member::name);
    facts["required"].for_each([&](json::Value name) {
      const auto at = std::ranges::lower_bound(shape.members, name.string(), {}, &Member::name);
      if (at != shape.members.end() && at->name == name.string())
        at->required = true;
      else
        result = invalid(fmt::format("requires \"{}\", no member of it", name.string()));
    });
    return result;
  }

  Result<> read_member(Shape& shape, std::string_view name, json::Value facts) {
    auto& member = shape.members.emplace_back();
    member.name = name;
    member.wire_name = facts.is_object() ? facts["as"].string() : name;
    if (facts.is_object()) {
      TRY(member.location, named(locations, facts["in"].string()));
    }
    TRY(member.shape, find(facts.is_object() ? facts["shape"].string() : facts.string()));
    return {};
  }

  Result<> read_operation(std::string_view name, json::Value facts) {
    auto& operation = model_.operations_.emplace_back();
    operation.name = name;
    operation.service = model_.service_;
    operation.method = facts["method"].string();
    operation.uri = facts["uri"].string();
    operation.status = static_cast<int>(facts["status"].integer().value_or(200));
    TRY(operation.input, find(facts["input"].string()));
    TRY(operation.output, find(facts["output"].string()));
    Result<> result;
    facts["errors"].for_each([&](json::Value error) {
      auto shape = find(error.string());
      if (shape)
        operation.errors.push_back(*shape);
      else
        result = std::move(shape).error();
    });
    return result;
  }

  ServiceModel model_;
};

Result<ServiceModel> ServiceModel::parse(std::string_view json) {
  json::Parser parser;
  TRY(const auto root, parser.parse(json));
  return ModelReader().read(root);
}

namespace {

// The program's own bytes: what they hold was tested when it was built.
ServiceModel embedded(std::string_view json) {
  auto model = ServiceModel::parse(json);
  CHECK(model.has_value());
  return *std::move(model);
}

}  // namespace

ServiceModel ServiceModel::inspector2() {
  return embedded(inspector2_json());
}

ServiceModel ServiceModel::inspector_scan() {
  return embedded(inspector_scan_json());
}

const Operation* ServiceModel::operation(std::string_view name) const {
  return find_by_name(operations(), name);
}

const Shape* ServiceModel::shape(std::string_view name) const {
  return find_by_name(shapes(), name);
}

}  // namespace tenken::api
