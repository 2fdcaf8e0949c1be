#include "api/validate.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "base/time.h"
#include "crypto/encode.h"

namespace tenken::api {
namespace {

using Type = Shape::Type;
using Location = Member::Location;

constexpr std::size_t most_violations = 10;
constexpr std::size_t most_nodes = 100'000;
constexpr std::string_view not_null = "Member must not be null";

enum class Constraint : std::uint8_t { max, min, pattern, values };
constexpr Constraint every_constraint[] = {Constraint::max, Constraint::min, Constraint::pattern,
                                           Constraint::values};

bool is_number(const Shape& shape) {
  return shape.type == Type::integer || shape.type == Type::long_integer ||
         shape.type == Type::double_number;
}

// The constraint in AWS's words; empty where the shape has none of the kind.
std::string words(const Shape& shape, Constraint constraint) {
  const auto* const what = is_number(shape) ? "value" : "length";
  switch (constraint) {
    case Constraint::max:
      if (!shape.max) return {};
      return fmt::format("Member must have {} less than or equal to {}", what, *shape.max);
    case Constraint::min:
      if (!shape.min) return {};
      return fmt::format("Member must have {} greater than or equal to {}", what, *shape.min);
    case Constraint::pattern:
      if (!shape.pattern) return {};
      return "Member must satisfy regular expression pattern: " + shape.pattern->text();
    case Constraint::values:
      break;
  }
  if (shape.values.empty()) return {};
  return fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.values, ", "));
}

// All that the shape demands of a value.
std::vector<std::string> all_words(const Shape& shape) {
  std::vector<std::string> all;
  for (const auto constraint : every_constraint)
    if (auto text = words(shape, constraint); !text.empty()) all.push_back(std::move(text));
  return all;
}

// What the elements of a list or the values of a map must satisfy, down to the plain ones. As deep
// as the model nests lists.
std::string element_words(const Shape& container) {
  auto all = all_words(*container.element);
  if (container.element->is_container()) all.push_back(element_words(*container.element));
  const auto* const what = container.type == Type::map ? "Map value" : "Member";
  return fmt::format("{} must satisfy constraint: [{}]", what, fmt::join(all, ", "));
}

std::string_view json_word(json::Value value) {
  switch (value.type()) {
    case json::Value::Type::boolean:
      return value.boolean() == true ? "TRUE_VALUE" : "FALSE_VALUE";
    case json::Value::Type::number:
      return "NUMBER_VALUE";
    default:
      return "STRING_VALUE";
  }
}

// What a value that is not of the type is told.
std::string type_words(Type type, json::Value value) {
  if (type == Type::list) return "Expected list or null";
  if (type == Type::map) return "Expected map or null";
  if (type == Type::structure) return "Expected structure or null";
  if (value.is_object()) return "Start of structure or map found where not expected";
  if (value.is_array()) return "Start of list found where not expected";
  std::string_view wanted = "a String";
  if (type == Type::integer) wanted = "an Integer";
  if (type == Type::long_integer) wanted = "a Long";
  if (type == Type::double_number) wanted = "a Double";
  if (type == Type::boolean) wanted = "a Boolean";
  if (type == Type::timestamp) wanted = "milliseconds since epoch";
  if (type == Type::blob) wanted = "a Blob";
  return fmt::format("{} can not be converted to {}", json_word(value), wanted);
}

// Length in code points. Empty where the text is not UTF-8 (a lone surrogate escape) or holds
// U+0000, which no database column takes.
std::optional<std::size_t> code_points(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const auto length = utf8_sequence_length(text);
    if (length == 0 || text[0] == '\0') return std::nullopt;
    text.remove_prefix(length);
    ++count;
  }
  return count;
}

enum class Mode : std::uint8_t { input, output };

struct Outcome {
  std::optional<FieldError> unparsable;  // nothing after it was looked at
  std::vector<FieldError> violations;
};

// Visits the values breadth first. The visited ones stay, since a path is read upwards from them.
class Walk {
 public:
  explicit Walk(Mode mode) : mode_(mode) { nodes_.reserve(64); }

  // The root's members that stand in the body, or those that do not.
  void add_root(const Shape& shape, json::Value value, bool in_body) {
    nodes_.push_back({.shape = &shape, .value = value, .in_body = in_body});
  }

  Outcome run() && {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      visit(i);
      if (nodes_.size() > most_nodes) unparsable(i, "The request holds too many values");
      if (is_over()) break;
    }
    return std::move(outcome_);
  }

 private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  struct Node {
    const Shape* shape = nullptr;
    json::Value value;
    std::size_t parent = none;
    std::string_view name;  // of a structure's member
    std::size_t index = 0;  // in a list, from 1
    // The list or map that answers for this plain element: it is named, once, not the element.
    std::size_t group = none;
    bool in_body = true;
    bool blamed = false;  // a group that has been named
  };

  bool is_over() const {
    return outcome_.unparsable || outcome_.violations.size() >= most_violations ||
           nodes_.size() > most_nodes;
  }

  std::string path(std::size_t at) const {
    std::vector<std::string> labels;
    for (; at != none; at = nodes_[at].parent) {
      const auto& node = nodes_[at];
      if (node.parent == none) break;
      if (!node.name.empty())
        labels.emplace_back(node.name);
      else
        labels.push_back(node.index > 0 ? fmt::format("{}.member", node.index) : "member");
    }
    std::ranges::reverse(labels);
    return fmt::format("{}", fmt::join(labels, "."));
  }

  void unparsable(std::size_t at, std::string_view what) {
    auto where = path(at);
    auto message = where.empty() ? std::string(what) : fmt::format("{} at '{}'", what, where);
    outcome_.unparsable = FieldError{std::move(where), std::move(message)};
  }

  void violation(std::string where, std::string_view constraint) {
    const auto* const value = constraint == not_null ? "Value null" : "Value";
    auto message =
        fmt::format("{} at '{}' failed to satisfy constraint: {}", value, where, constraint);
    outcome_.violations.push_back({std::move(where), std::move(message)});
  }

  void violated(std::size_t at, Constraint constraint) {
    const auto group = nodes_[at].group;
    if (group == none) return violation(path(at), words(*nodes_[at].shape, constraint));
    if (!std::exchange(nodes_[group].blamed, true))
      violation(path(group), element_words(*nodes_[group].shape));
  }

  void visit(std::size_t at) {
    const Node node = nodes_[at];
    switch (node.shape->type) {
      case Type::structure:
        return structure(at, node);
      case Type::list:
        return list(at, node);
      case Type::map:
        return map(at, node);
      case Type::string:
        return string(at, node);
      case Type::integer:
      case Type::long_integer:
        return integer(at, node);
      case Type::double_number:
        return number(at, node);
      case Type::boolean:
        if (!node.value.boolean()) wrong_type(at, node);
        return;
      case Type::timestamp:
        return timestamp(at, node);
      case Type::blob:
        return blob(at, node);
      case Type::document:
        return;
    }
  }

  void wrong_type(std::size_t at, const Node& node) {
    unparsable(at, type_words(node.shape->type, node.value));
  }

  void structure(std::size_t at, const Node& node) {
    const bool is_absent = !node.value || node.value.type() == json::Value::Type::null;
    if (!is_absent && !node.value.is_object()) return wrong_type(at, node);
    std::bitset<ServiceModel::most_members> seen;
    node.value.for_each_member([&](std::string_view key, json::Value value) {
      if (is_over()) return;
      const auto* const member = node.shape->member(key);
      const bool is_known =
          member != nullptr && (member->location == Location::body) == node.in_body;
      if (!is_known || value.type() == json::Value::Type::null) {
        if (mode_ == Mode::output) unparsable(at, fmt::format("Unknown or null \"{}\"", key));
        return;
      }
      seen.set(static_cast<std::size_t>(member - node.shape->members.data()));
      nodes_.push_back(
          {.shape = member->shape, .value = value, .parent = at, .name = member->name});
    });
    if (is_over()) return;
    if (node.shape->is_union && seen.count() != 1)
      violation(path(at), "Member must be a union with exactly one member set");
    for (std::size_t i = 0; i < node.shape->members.size(); ++i) {
      const auto& member = node.shape->members[i];
      const bool is_here = (member.location == Location::body) == node.in_body;
      if (!member.required || !is_here || seen[i]) continue;
      const auto above = path(at);
      if (is_over()) return;
      violation(above.empty() ? member.name : fmt::format("{}.{}", above, member.name), not_null);
    }
  }

  // Plain elements answer through the outermost list or map that holds them.
  std::size_t group_of_elements(std::size_t at, const Node& node) const {
    const bool is_plain = node.shape->element->type != Type::structure;
    if (!is_plain) return none;
    return node.group == none ? at : node.group;
  }

  void list(std::size_t at, const Node& node) {
    if (!node.value.is_array()) return wrong_type(at, node);
    if (!check_bounds(at, *node.shape, static_cast<double>(node.value.size()))) return;
    const auto group = group_of_elements(at, node);
    std::size_t index = 0;
    node.value.for_each([&](json::Value value) {
      if (is_over()) return;
      ++index;
      add_element({.shape = node.shape->element,
                   .value = value,
                   .parent = at,
                   .index = index,
                   .group = group});
    });
  }

  void map(std::size_t at, const Node& node) {
    if (!node.value.is_object()) return wrong_type(at, node);
    if (!check_bounds(at, *node.shape, static_cast<double>(node.value.size()))) return;
    const auto group = group_of_elements(at, node);
    node.value.for_each_member([&](std::string_view key, json::Value value) {
      if (is_over()) return;
      if (!check_key(at, *node.shape->key, key)) return;
      add_element({.shape = node.shape->element, .value = value, .parent = at, .group = group});
    });
  }

  void add_element(Node node) {
    const bool is_null = node.value.type() == json::Value::Type::null;
    nodes_.push_back(node);
    if (!is_null) return;
    violation(path(nodes_.size() - 1), not_null);
    nodes_.pop_back();
  }

  bool check_key(std::size_t at, const Shape& shape, std::string_view key) {
    const auto length = code_points(key);
    if (!length) {
      unparsable(at, "Not a text of Unicode");
      return false;
    }
    if (!fails_any(shape, key, *length)) return true;
    violation(path(at), fmt::format("Map keys must satisfy constraint: [{}]",
                                    fmt::join(all_words(shape), ", ")));
    return false;
  }

  void string(std::size_t at, const Node& node) {
    if (!node.value.is_string()) return wrong_type(at, node);
    const auto length = code_points(node.value.string());
    if (!length) return unparsable(at, "Not a text of Unicode");
    for (const auto constraint : every_constraint)
      if (fails(*node.shape, constraint, node.value.string(), *length)) violated(at, constraint);
  }

  void integer(std::size_t at, const Node& node) {
    const auto value = node.value.integer();
    using Limits = std::numeric_limits<std::int32_t>;
    const bool is_long = node.shape->type == Type::long_integer;
    if (!value || (!is_long && (*value < Limits::min() || *value > Limits::max())))
      return wrong_type(at, node);
    check_bounds(at, *node.shape, static_cast<double>(*value));
  }

  void number(std::size_t at, const Node& node) {
    const auto value = node.value.number();
    if (!value) return wrong_type(at, node);
    check_bounds(at, *node.shape, *value);
  }

  void timestamp(std::size_t at, const Node& node) {
    const bool is_strict = mode_ == Mode::output;
    if (is_strict ? !node.value.number() : !read_timestamp(node.value)) wrong_type(at, node);
  }

  void blob(std::size_t at, const Node& node) {
    const auto bytes = crypto::from_base64(node.value.string());
    if (!node.value.is_string() || !bytes) return wrong_type(at, node);
    check_bounds(at, *node.shape, static_cast<double>(bytes->size()));
  }

  // The value of a number or the length of anything else. False where there is too much of it.
  bool check_bounds(std::size_t at, const Shape& shape, double value) {
    if (mode_ == Mode::output) return true;
    const bool is_over = shape.max && value > *shape.max;
    if (is_over) violated(at, Constraint::max);
    if (shape.min && value < *shape.min) violated(at, Constraint::min);
    return !is_over;
  }

  bool fails(const Shape& shape, Constraint constraint, std::string_view text,
             std::size_t length) const {
    const bool is_loose = mode_ == Mode::output && constraint != Constraint::values;
    if (is_loose) return false;
    switch (constraint) {
      case Constraint::max:
        return shape.max && static_cast<double>(length) > *shape.max;
      case Constraint::min:
        return shape.min && static_cast<double>(length) < *shape.min;
      case Constraint::pattern:
        return shape.pattern && !shape.pattern->matches(text);
      case Constraint::values:
        break;
    }
    return !shape.values.empty() && std::ranges::find(shape.values, text) == shape.values.end();
  }

  bool fails_any(const Shape& shape, std::string_view text, std::size_t length) const {
    return std::ranges::any_of(every_constraint, [&](Constraint constraint) {
      return fails(shape, constraint, text, length);
    });
  }

  Mode mode_;
  std::vector<Node> nodes_;
  Outcome outcome_;
};

}  // namespace

std::optional<ApiError> validate(const Operation& operation, json::Value body,
                                 json::Value parameters) {
  Walk walk(Mode::input);
  walk.add_root(*operation.input, parameters, false);
  walk.add_root(*operation.input, body, true);
  auto outcome = std::move(walk).run();
  if (outcome.unparsable) {
    auto error = validation_failed(outcome.unparsable->message, Reason::cannot_parse);
    error.fields.push_back(*std::move(outcome.unparsable));
    return error;
  }
  if (outcome.violations.empty()) return std::nullopt;
  return validation_failed(std::move(outcome.violations));
}

std::vector<FieldError> check_output(const Operation& operation, json::Value document) {
  return check_output(*operation.output, document);
}

std::vector<FieldError> check_output(const Shape& shape, json::Value document) {
  Walk walk(Mode::output);
  walk.add_root(shape, document, true);
  auto outcome = std::move(walk).run();
  if (outcome.unparsable) outcome.violations.push_back(*std::move(outcome.unparsable));
  return std::move(outcome.violations);
}

std::optional<double> read_timestamp(json::Value value) {
  auto seconds = value.number();
  if (!seconds && value.is_string()) {
    seconds = parse_double(value.string());
    if (!seconds) {
      if (const auto time = parse_time(value.string())) seconds = static_cast<double>(*time);
    }
  }
  constexpr double year_1 = -62'135'596'800.0;
  constexpr double year_10000 = 253'402'300'800.0;
  if (!seconds || !(*seconds >= year_1 && *seconds < year_10000)) return std::nullopt;
  return seconds;
}

}  // namespace tenken::api
