// JSON reading over simdjson, which stays out of this header. The whole document is validated
// (syntax, UTF-8, depth) before anything is handed out; asking for something that is not there
// answers a `missing` value, so that a chain of look-ups needs no checks between.
//
// Thread rule: one Parser per thread. Values and their text live until the parser's next parse()
// or its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenken::json {

class Value {
 public:
  enum class Type : std::uint8_t { missing, null, boolean, number, string, array, object };

  Value() = default;
  Type type() const;
  explicit operator bool() const { return type() != Type::missing; }
  bool is_string() const { return type() == Type::string; }
  bool is_array() const { return type() == Type::array; }
  bool is_object() const { return type() == Type::object; }

  // The member; missing where this is no object or has none. The first of duplicate keys wins.
  Value operator[](std::string_view key) const;
  // The text of a string; empty for everything else.
  std::string_view string() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<bool> boolean() const;

  // Calls f(Value) for each element; nothing where this is no array.
  template <typename F>
  void for_each(F&& f) const {
    for (auto it = begin_children(Type::array); it; it = next(it, false)) f(child(it));
  }
  // Calls f(key, Value) for each member in order; nothing where this is no object.
  template <typename F>
  void for_each_member(F&& f) const {
    for (auto it = begin_children(Type::object); it; it = next(it, true)) f(key(it), member(it));
  }
  std::size_t size() const;  // elements of an array or members of an object, else 0

 private:
  friend class Parser;
  // A position on simdjson's tape; false when past the end.
  struct Position {
    std::size_t index = 0;
    std::size_t end = 0;
    explicit operator bool() const { return index < end; }
  };
  Value(const void* document, std::size_t index) : document_(document), index_(index) {}
  Position begin_children(Type wanted) const;
  Position next(Position at, bool in_object) const;
  Value child(Position at) const { return {document_, at.index}; }
  std::string_view key(Position at) const { return child(at).string(); }
  Value member(Position at) const { return {document_, at.index + 1}; }

  const void* document_ = nullptr;
  std::size_t index_ = 0;
};

struct Limits {
  std::size_t bytes = std::size_t{1} << 30;
  std::size_t depth = 64;
  // Refuse an object that has a key twice: readers differ in which of the values they see. Costs a
  // look at every key.
  bool unique_keys = false;
};

class Parser {
 public:
  explicit Parser(Limits limits = {});
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // A byte order mark at the start is skipped. Errors: limit, or invalid with simdjson's reason.
  Result<Value> parse(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
  Limits limits_;
};

}  // namespace tenken::json
