#include "base/json.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"

namespace tenken::json {
namespace {

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

tape_ref tape(const void* document, std::size_t index) {
  return {static_cast<const simdjson::dom::document*>(document), index};
}

}  // namespace

Value::Type Value::type() const {
  if (document_ == nullptr) return Type::missing;
  switch (tape(document_, index_).tape_ref_type()) {
    case tape_type::START_ARRAY:
      return Type::array;
    case tape_type::START_OBJECT:
      return Type::object;
    case tape_type::STRING:
      return Type::string;
    case tape_type::INT64:
    case tape_type::UINT64:
    case tape_type::DOUBLE:
      return Type::number;
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE:
      return Type::boolean;
    case tape_type::NULL_VALUE:
      return Type::null;
    default:
      return Type::missing;
  }
}

Value::Position Value::begin_children(Type wanted) const {
  if (type() != wanted) return {};
  // The brace's payload is the index just past its closing brace.
  return {index_ + 1, tape(document_, index_).matching_brace_index() - 1};
}

Value::Position Value::next(Position at, bool in_object) const {
  at.index = tape(document_, in_object ? at.index + 1 : at.index).after_element();
  return at;
}

// On the tape itself: most of the time of reading a feed goes into finding members.
Value Value::operator[](std::string_view wanted) const {
  const auto object = begin_children(Type::object);
  if (!object) return {};
  auto at = tape(document_, object.index);
  while (at.json_index < object.end) {
    const bool found = at.get_string_view() == wanted;
    ++at.json_index;
    if (found) return {document_, at.json_index};
    at.json_index = at.after_element();
  }
  return {};
}

std::string_view Value::string() const {
  return is_string() ? tape(document_, index_).get_string_view() : std::string_view();
}

std::optional<std::int64_t> Value::integer() const {
  if (type() != Type::number) return std::nullopt;
  const auto ref = tape(document_, index_);
  if (ref.is_int64()) return ref.next_tape_value<std::int64_t>();
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (type() != Type::number) return std::nullopt;
  const auto ref = tape(document_, index_);
  if (ref.is_double()) return ref.next_tape_value<double>();
  if (ref.is_int64()) return static_cast<double>(ref.next_tape_value<std::int64_t>());
  return static_cast<double>(ref.next_tape_value<std::uint64_t>());
}

std::optional<bool> Value::boolean() const {
  if (type() != Type::boolean) return std::nullopt;
  return tape(document_, index_).is_true();
}

std::size_t Value::size() const {
  std::size_t count = 0;
  const bool object = is_object();
  for (auto it = begin_children(object ? Type::object : Type::array); it; it = next(it, object))
    ++count;
  return count;
}

namespace {

// The first key that stands twice in one object.
std::optional<std::string_view> doubled_key(Value root) {
  std::vector<Value> open{root};
  std::vector<std::string_view> keys;
  const auto note = [&](Value child) {
    if (child.is_object() || child.is_array()) open.push_back(child);
  };
  while (!open.empty()) {
    const Value at = open.back();
    open.pop_back();
    keys.clear();
    at.for_each(note);
    at.for_each_member([&](std::string_view key, Value child) {
      keys.push_back(key);
      note(child);
    });
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    if (twice != keys.end()) return *twice;
  }
  return std::nullopt;
}

}  // namespace

struct Parser::State {
  simdjson::dom::parser parser;
  std::size_t capacity = 0;
  std::vector<char> padded;
};

Parser::Parser(Limits limits) : state_(std::make_unique<State>()), limits_(limits) {}
Parser::~Parser() = default;

Result<Value> Parser::parse(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (bytes.size() > limits_.bytes)
    return limit_exceeded(
        fmt::format("JSON of {} bytes, at most {} are read", bytes.size(), limits_.bytes));
  State& state = *state_;
  if (bytes.size() > state.capacity || state.capacity == 0) {
    const auto capacity =
        std::max<std::size_t>({bytes.size(), std::min(limits_.bytes, state.capacity * 2), 4096});
    if (state.parser.allocate(capacity, limits_.depth) != simdjson::SUCCESS)
      return unavailable(fmt::format("no memory to parse {} bytes of JSON", bytes.size()));
    state.capacity = capacity;
  }
  // simdjson reads SIMDJSON_PADDING bytes past the end.
  if (state.padded.size() < bytes.size() + simdjson::SIMDJSON_PADDING)
    state.padded.resize(state.capacity + simdjson::SIMDJSON_PADDING);
  if (!bytes.empty()) std::memcpy(state.padded.data(), bytes.data(), bytes.size());
  std::memset(state.padded.data() + bytes.size(), ' ', simdjson::SIMDJSON_PADDING);
  if (const auto error = state.parser.parse(state.padded.data(), bytes.size(), false).error()) {
    const auto what = fmt::format("not valid JSON: {}", simdjson::error_message(error));
    return error == simdjson::DEPTH_ERROR ? limit_exceeded(what) : invalid(what);
  }
  Value root;
  root.document_ = &state.parser.doc;
  root.index_ = 1;
  if (limits_.unique_keys) {
    if (const auto key = doubled_key(root))
      return invalid(
          fmt::format("an object has the key \"{}\" twice", printable(key->substr(0, 80))));
  }
  return root;
}

}  // namespace tenken::json
