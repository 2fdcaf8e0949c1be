// Values in PostgreSQL's binary form, as parameters, arrays and COPY take them
// (https://www.postgresql.org/docs/15/protocol-overview.html, "Formats and Format Codes").
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::sql {

// Type numbers that never change (pg_type.dat). unknown is our word for "not said".
enum class PgType : std::uint32_t {
  unknown = 0,
  boolean = 16,
  bytea = 17,
  int8 = 20,
  int4 = 23,
  text = 25,
  float8 = 701,
  varchar = 1043,
};

PgType type_of(const Value& value);  // unknown for null
// The type for both where one holds the other's values: an integer is also a number, a null is
// anything. unknown where there is none.
PgType common_type(PgType left, PgType right);
PgType array_of(PgType element);

void append_int16(std::string& out, std::int16_t value);
void append_int32(std::string& out, std::int32_t value);

// The value in the form of the type, without its length; nothing for null. Errors: invalid (the
// type does not hold it).
Result<> append_value(std::string& out, const Value& value, PgType type);
// Length and value; length -1 for null.
Result<> append_field(std::string& out, const Value& value, PgType type);

}  // namespace tenken::sql
