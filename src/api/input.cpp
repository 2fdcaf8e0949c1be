#include "api/input.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "api/validate.h"
#include "base/text.h"

namespace tenken::api {
namespace {

using Type = Shape::Type;
using Location = Member::Location;
using Parameters = std::vector<std::pair<std::string, std::string>>;

ApiError unreadable(std::string message) {
  return validation_failed(std::move(message), Reason::cannot_parse);
}

ApiResult<Parameters> read_query(std::string_view query) {
  Parameters parameters;
  if (query.empty()) return parameters;
  for (const auto pair : split(query, '&')) {
    const auto [name, value] = split_once(pair, '=');
    auto decoded_name = percent_decode(name);
    auto decoded_value = percent_decode(value.value_or(""));
    if (!decoded_name || !decoded_value)
      return unreadable("The query string is not percent-encoded");
    parameters.emplace_back(*std::move(decoded_name), *std::move(decoded_value));
  }
  return parameters;
}

// Text of a URI as the JSON that its member's type wants; what does not read as such stays a
// string, which the validator refuses.
void write_parameter(json::Writer& out, const Shape& shape, std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const auto magnitude = parse_uint(text.substr(is_negative ? 1 : 0));
  const bool is_integer = shape.type == Type::integer || shape.type == Type::long_integer;
  if (is_integer && magnitude && *magnitude <= INT64_MAX) {
    const auto value = static_cast<std::int64_t>(*magnitude);
    out.integer(is_negative ? -value : value);
  } else if (shape.type == Type::boolean && (text == "true" || text == "false")) {
    out.boolean(text == "true");
  } else {
    out.string(text);
  }
}

// All values of one name; one that is given more often than its type allows becomes a list, which
// the validator refuses.
void write_parameters(json::Writer& out, const Member& member,
                      const std::vector<std::string_view>& values) {
  out.key(member.name);
  const bool is_list = member.shape->type == Type::list;
  const Shape& shape = is_list ? *member.shape->element : *member.shape;
  if (!is_list && values.size() == 1) return write_parameter(out, shape, values[0]);
  out.begin_array();
  for (const auto value : values) write_parameter(out, shape, value);
  out.end_array();
}

// The members that do not travel in the body, as a JSON object; empty where there are none.
ApiResult<std::string> parameters_as_json(const Route& route, std::string_view query) {
  const auto& members = route.operation->input->members;
  if (std::ranges::all_of(members, [](const Member& m) { return m.location == Location::body; }))
    return std::string();
  const auto from_query = read_query(query);
  if (!from_query) return from_query.error();
  json::Writer out;
  out.begin_object();
  for (const auto& member : members) {
    std::vector<std::string_view> values;
    const auto take = [&](const auto& parameters) {
      for (const auto& [name, value] : parameters)
        if (name == member.wire_name) values.push_back(value);
    };
    if (member.location == Location::uri) take(route.labels);
    if (member.location == Location::querystring) take(*from_query);
    if (values.empty()) continue;
    if (std::ranges::any_of(values, [](auto value) { return valid_utf8(value) != value; }))
      return unreadable(fmt::format("Not a text of Unicode at '{}'", member.name));
    write_parameters(out, member, values);
  }
  out.end_object();
  return out.take();
}

ApiResult<json::Value> parse(std::unique_ptr<json::Parser>& parser, std::string_view text) {
  if (text.empty()) return json::Value();
  parser = std::make_unique<json::Parser>(json::Limits{.unique_keys = true});
  auto root = parser->parse(text);
  if (!root)
    return unreadable(fmt::format("The request body cannot be read: {}", root.error().what));
  return *root;
}

}  // namespace

ApiResult<Input> Input::read(const Route& route, std::string_view query, std::string_view body) {
  Input input;
  input.operation_ = route.operation;
  auto parsed = parse(input.body_parser_, body);
  if (!parsed) return std::move(parsed).error();
  input.body_ = *parsed;
  const auto parameters = parameters_as_json(route, query);
  if (!parameters) return parameters.error();
  parsed = parse(input.parameter_parser_, *parameters);
  if (!parsed) return std::move(parsed).error();
  input.parameters_ = *parsed;
  if (auto error = validate(*input.operation_, input.body_, input.parameters_))
    return *std::move(error);
  return input;
}

json::Value Input::operator[](std::string_view wanted) const {
  const auto* const member = operation_->input->member(wanted);
  if (member == nullptr) return {};
  const auto value = (member->location == Location::body ? body_ : parameters_)[wanted];
  return value.type() == json::Value::Type::null ? json::Value() : value;
}

std::vector<std::string_view> Input::strings(std::string_view member) const {
  std::vector<std::string_view> out;
  (*this)[member].for_each([&](json::Value value) { out.push_back(value.string()); });
  return out;
}

std::vector<std::string_view> Input::texts(std::string_view path) const {
  auto names = split_once(path, '.');
  std::vector<json::Value> values{(*this)[names.first]};
  while (true) {
    std::vector<json::Value> elements;
    for (const auto value : values) {
      if (value.is_array())
        value.for_each([&](json::Value one) { elements.push_back(one); });
      else
        elements.push_back(value);
    }
    values = std::move(elements);
    if (!names.second) break;
    names = split_once(*names.second, '.');
    for (auto& value : values) value = value[names.first];
  }
  std::vector<std::string_view> out;
  for (const auto value : values)
    if (!value.string().empty()) out.push_back(value.string());
  return out;
}

namespace {

// What is still to be written, the next one last.
struct Task {
  enum class Kind : std::uint8_t { value, end_object, end_array };
  Kind kind = Kind::value;
  const Shape* shape = nullptr;  // nullptr: any JSON
  json::Value value;
  std::optional<std::string_view> key;
};

const Shape* shape_of_element(const Shape* container) {
  return container == nullptr || container->type == Type::document ? nullptr : container->element;
}

// Minus zero becomes zero, which reads back as what was written.
void write_number(json::Writer& out, double value) {
  out.number(value + 0.0);
}

void write_plain(json::Writer& out, const Task& task) {
  if (task.shape != nullptr && task.shape->type == Type::timestamp)
    return write_number(out, read_timestamp(task.value).value_or(0));
  switch (task.value.type()) {
    case json::Value::Type::boolean:
      out.boolean(task.value.boolean() == true);
      return;
    case json::Value::Type::number:
      if (const auto integer = task.value.integer())
        out.integer(*integer);
      else
        write_number(out, task.value.number().value_or(0));
      return;
    case json::Value::Type::string:
      out.string(task.value.string());
      return;
    default:
      out.null();
  }
}

// Begins the object or array and appends its children to the tasks, the last child first.
void open_container(json::Writer& out, const Task& task, std::vector<Task>& tasks) {
  const bool is_object = task.value.is_object();
  const bool is_structure = task.shape != nullptr && task.shape->type == Type::structure;
  tasks.push_back({.kind = is_object ? Task::Kind::end_object : Task::Kind::end_array});
  const auto first = static_cast<std::ptrdiff_t>(tasks.size());
  if (is_object)
    out.begin_object();
  else
    out.begin_array();
  task.value.for_each([&](json::Value value) {
    tasks.push_back({.shape = shape_of_element(task.shape), .value = value});
  });
  task.value.for_each_member([&](std::string_view key, json::Value value) {
    const auto* const member = is_structure ? task.shape->member(key) : nullptr;
    const bool is_null = value.type() == json::Value::Type::null;
    if (is_structure && (member == nullptr || is_null)) return;
    const auto* const shape = is_structure ? member->shape : shape_of_element(task.shape);
    tasks.push_back({.shape = shape, .value = value, .key = key});
  });
  std::reverse(tasks.begin() + first, tasks.end());
}

}  // namespace

void write_value(json::Writer& out, const Shape& shape, json::Value value) {
  std::vector<Task> tasks{{.shape = &shape, .value = value}};
  while (!tasks.empty()) {
    const Task task = tasks.back();
    tasks.pop_back();
    if (task.kind == Task::Kind::end_object) {
      out.end_object();
    } else if (task.kind == Task::Kind::end_array) {
      out.end_array();
    } else {
      if (task.key) out.key(*task.key);
      if (task.value.is_object() || task.value.is_array())
        open_container(out, task, tasks);
      else
        write_plain(out, task);
    }
  }
}

}  // namespace tenken::api
