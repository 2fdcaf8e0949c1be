// The members of JSON objects that carry values of the model: the tables of an inventory's, which
// its document and the report of a host share, and what writes and reads an object by such a table.
//
// Errors of reading: invalid (a member of another type), limit (a longer text).
// Thread rule: pure functions over constant tables.
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "model/inventory.h"

namespace tenken::inventory {

// A member of an object: its name, and the field of T that has its value.
template <typename T, typename Field>
struct Member {
  std::string_view name;
  Field T::* field;
};
template <typename T, typename Field>
Member(const char*, Field T::*) -> Member<T, Field>;

inline constexpr std::tuple package_members{
    Member{"ecosystem", &Package::ecosystem},
    Member{"release", &Package::release},
    Member{"kind", &Package::kind},
    Member{"name", &Package::name},
    Member{"version", &Package::version},
    Member{"arch", &Package::arch},
    Member{"sourceName", &Package::source_name},
    Member{"sourceVersion", &Package::source_version},
    Member{"moduleLabel", &Package::module_label},
    Member{"vendor", &Package::vendor},
    Member{"purl", &Package::purl},
    Member{"location", &Package::location},
    Member{"license", &Package::license},
};
inline constexpr std::tuple os_members{
    Member{"id", &OperatingSystem::id},
    Member{"versionId", &OperatingSystem::version_id},
    Member{"codename", &OperatingSystem::codename},
    Member{"prettyName", &OperatingSystem::pretty_name},
    Member{"ecosystem", &OperatingSystem::ecosystem},
    Member{"release", &OperatingSystem::release},
};
inline constexpr std::tuple skip_members{
    Member{"file", &Skip::file},
    Member{"record", &Skip::record},
    Member{"reason", &Skip::reason},
    Member{"package", &Skip::package},
    Member{"packageKind", &Skip::package_kind},
};

// Texts that are empty are left out; numbers are always written.
inline void write_member(json::Writer& out, std::string_view name, const std::string& value) {
  out.member_if(name, value);
}
void write_member(json::Writer& out, std::string_view name, std::integral auto value) {
  out.key(name).integer(static_cast<std::int64_t>(value));
}

template <typename T, typename... Fields>
void write_members(json::Writer& out, const T& value,
                   const std::tuple<Member<T, Fields>...>& members) {
  std::apply(
      [&](const auto&... member) { (write_member(out, member.name, value.*member.field), ...); },
      members);
}

// The text of a member; empty where it is missing or null. A NUL is invalid.
Result<std::string> read_text(json::Value object, std::string_view name, std::size_t most_bytes);
// A number that is there, between the two.
Result<std::int64_t> read_number(json::Value object, std::string_view name, std::int64_t least,
                                 std::int64_t most);

template <typename Field>
Result<Field> read_field(json::Value object, std::string_view name, std::size_t most_bytes) {
  if constexpr (std::integral<Field>) {
    using Limits = std::numeric_limits<Field>;
    TRY(const auto number,
        read_number(object, name, std::int64_t{Limits::min()}, std::int64_t{Limits::max()}));
    return static_cast<Field>(number);
  } else {
    return read_text(object, name, most_bytes);
  }
}

// A missing object reads as one without members; text_bytes: of any one text.
template <typename T, typename... Fields>
Result<T> read_members(json::Value object, const std::tuple<Member<T, Fields>...>& members,
                       std::size_t text_bytes) {
  if (object && !object.is_object()) return invalid("an object is needed");
  T out;
  Result<> outcome;
  const auto read = [&]<typename Field>(const Member<T, Field>& member) {
    auto value = read_field<Field>(object, member.name, text_bytes);
    if (value) {
      out.*member.field = *std::move(value);
    } else {
      outcome = std::move(value).error();
    }
    return outcome.has_value();
  };
  std::apply([&](const auto&... member) { (read(member) && ...); }, members);
  TRY_VOID(std::move(outcome));
  return out;
}

// The members of an inventory beside its lists and its operating system.
void write_head(json::Writer& out, const Inventory& inventory);
Result<Inventory> read_head(json::Value object, std::size_t text_bytes);

}  // namespace tenken::inventory
