#include "sql/postgresql_values.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace tenken::sql {

namespace {

// PostgreSQL refuses what does not fit a message of this size.
constexpr std::size_t max_value_bytes = std::size_t{1} << 30;

template <typename T>
void append_big_endian(std::string& out, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

Error wrong_type(PgType type) {
  return Error{Errc::internal, fmt::format("a value that a column of type {} does not hold",
                                           std::to_underlying(type))};
}

Result<> append_integer(std::string& out, std::int64_t value, PgType type) {
  switch (type) {
    case PgType::int8:
      append_big_endian(out, value);
      return {};
    case PgType::int4:
      if (!std::in_range<std::int32_t>(value)) return wrong_type(type);
      append_int32(out, static_cast<std::int32_t>(value));
      return {};
    case PgType::float8:
      append_big_endian(out, std::bit_cast<std::int64_t>(static_cast<double>(value)));
      return {};
    default:
      return wrong_type(type);
  }
}

Result<> append_bytes(std::string& out, std::string_view bytes) {
  if (bytes.size() > max_value_bytes) return limit_exceeded("a value of more than 1 GiB");
  out += bytes;
  return {};
}

}  // namespace

PgType type_of(const Value& value) {
  struct Type {
    PgType operator()(Null) const { return PgType::unknown; }
    PgType operator()(std::int64_t) const { return PgType::int8; }
    PgType operator()(double) const { return PgType::float8; }
    PgType operator()(std::string_view) const { return PgType::text; }
    PgType operator()(Blob) const { return PgType::bytea; }
  };
  return std::visit(Type{}, value);
}

PgType common_type(PgType left, PgType right) {
  if (left == right || right == PgType::unknown) return left;
  if (left == PgType::unknown) return right;
  const auto is_number = [](PgType type) { return type == PgType::int8 || type == PgType::float8; };
  return is_number(left) && is_number(right) ? PgType::float8 : PgType::unknown;
}

PgType array_of(PgType element) {
  switch (element) {
    case PgType::float8:
      return PgType{1022};
    case PgType::text:
      return PgType{1009};
    case PgType::bytea:
      return PgType{1001};
    default:
      return PgType{1016};  // BIGINT[]
  }
}

void append_int16(std::string& out, std::int16_t value) {
  append_big_endian(out, value);
}
void append_int32(std::string& out, std::int32_t value) {
  append_big_endian(out, value);
}

Result<> append_value(std::string& out, const Value& value, PgType type) {
  struct Append {
    std::string& out;
    PgType type;

    Result<> operator()(Null) const { return {}; }
    Result<> operator()(std::int64_t number) const { return append_integer(out, number, type); }
    Result<> operator()(double number) const {
      if (type != PgType::float8) return wrong_type(type);
      append_big_endian(out, std::bit_cast<std::int64_t>(number));
      return {};
    }
    Result<> operator()(std::string_view text) const {
      if (type != PgType::text && type != PgType::varchar) return wrong_type(type);
      return append_bytes(out, text);
    }
    Result<> operator()(Blob blob) const {
      if (type != PgType::bytea) return wrong_type(type);
      return append_bytes(out, blob.bytes);
    }
  };
  return std::visit(Append{out, type}, value);
}

Result<> append_field(std::string& out, const Value& value, PgType type) {
  if (std::holds_alternative<Null>(value)) {
    append_int32(out, -1);
    return {};
  }
  const auto start = out.size();
  append_int32(out, 0);
  const auto value_start = out.size();
  TRY_VOID(append_value(out, value, type));
  std::string length;
  append_int32(length, static_cast<std::int32_t>(out.size() - value_start));
  out.replace(start, length.size(), length);
  return {};
}

}  // namespace tenken::sql
