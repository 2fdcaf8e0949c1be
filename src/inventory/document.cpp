#include "inventory/document.h"

#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "inventory/members.h"

namespace tenken::inventory {
namespace {

constexpr std::string_view format_name = "tenken-inventory";
constexpr std::int64_t format_version = 1;

constexpr std::array<std::string_view, 3> targets{"host", "root", "sbom"};

Result<Inventory::Target> target(json::Value value) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (value.string() == targets[i]) return static_cast<Inventory::Target>(i);
  }
  return invalid("target: one of host, root, sbom is needed");
}

class Reader {
 public:
  explicit Reader(const DocumentLimits& limits) : limits_(limits) {}

  Result<Inventory> read(json::Value root) const {
    if (root["format"].string() != format_name)
      return invalid(fmt::format("this is no inventory: \"format\" is not \"{}\"", format_name));
    if (root["version"].integer() != format_version)
      return invalid(
          fmt::format("version: this tenken reads inventories of version {}", format_version));
    TRY(auto out, read_head(root, limits_.text_bytes));
    TRY(out.os, read_members(root["os"], os_members, limits_.text_bytes).within("os"));
    TRY(out.packages, list(root, "packages", package_members));
    TRY(out.skips, list(root, "skips", skip_members));
    return out;
  }

 private:
  template <typename T, typename... Fields>
  Result<std::vector<T>> list(json::Value object, std::string_view name,
                              const std::tuple<Member<T, Fields>...>& wanted) const {
    const auto array = object[name];
    if (array && !array.is_array()) return invalid(fmt::format("{}: a list is needed", name));
    if (array.size() > limits_.packages)
      return limit_exceeded(fmt::format("{}: more than {}", name, limits_.packages));
    std::vector<T> out;
    out.reserve(array.size());
    Result<> outcome;
    array.for_each([&](json::Value item) {
      if (!outcome) return;
      auto one = read_members(item, wanted, limits_.text_bytes);
      if (one) {
        out.push_back(*std::move(one));
      } else {
        outcome = std::move(one).error().within(fmt::format("{} {}", name, out.size()));
      }
    });
    TRY_VOID(std::move(outcome));
    return out;
  }

  DocumentLimits limits_;
};

}  // namespace

Result<std::string> read_text(json::Value object, std::string_view name, std::size_t most_bytes) {
  const auto value = object[name];
  if (!value || value.type() == json::Value::Type::null) return std::string();
  if (!value.is_string()) return invalid(fmt::format("{}: a string is needed", name));
  if (value.string().size() > most_bytes)
    return limit_exceeded(fmt::format("{}: longer than {} bytes", name, most_bytes));
  if (value.string().find('\0') != std::string_view::npos)
    return invalid(fmt::format("{}: holds a NUL", name));
  return std::string(value.string());
}

Result<std::int64_t> read_number(json::Value object, std::string_view name, std::int64_t least,
                                 std::int64_t most) {
  const auto number = object[name].integer();
  if (!number || *number < least || *number > most)
    return invalid(fmt::format("{}: a number is needed", name));
  return *number;
}

void write_head(json::Writer& out, const Inventory& inventory) {
  out.member("target", targets[static_cast<std::size_t>(inventory.target)]);
  out.member("name", inventory.name);
  out.member_if("runningKernel", inventory.running_kernel);
  if (inventory.esm_attached) out.key("esmAttached").boolean(true);
  out.key("databasesRead").integer(static_cast<std::int64_t>(inventory.databases_read));
}

Result<Inventory> read_head(json::Value object, std::size_t text_bytes) {
  Inventory out;
  TRY(out.target, target(object["target"]));
  TRY(out.name, read_text(object, "name", text_bytes));
  TRY(out.running_kernel, read_text(object, "runningKernel", text_bytes));
  out.esm_attached = object["esmAttached"].boolean().value_or(false);
  TRY(const auto read,
      read_number(object, "databasesRead", 0, std::numeric_limits<std::int64_t>::max()));
  out.databases_read = static_cast<std::size_t>(read);
  return out;
}

std::string write_document(const Inventory& inventory) {
  json::Writer out;
  out.begin_object();
  out.member("format", format_name);
  out.key("version").integer(format_version);
  write_head(out, inventory);
  out.key("os").begin_object();
  write_members(out, inventory.os, os_members);
  out.end_object();
  out.key("packages").begin_array();
  for (const auto& package : inventory.packages) {
    if (package.listed_only) continue;
    out.begin_object();
    write_members(out, package, package_members);
    out.end_object();
  }
  out.end_array();
  out.key("skips").begin_array();
  for (const auto& skip : inventory.skips) {
    out.begin_object();
    write_members(out, skip, skip_members);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return out.take();
}

Result<Inventory> read_document(std::string_view bytes, const DocumentLimits& limits) {
  json::Parser parser({.bytes = limits.bytes, .depth = 8, .unique_keys = true});
  TRY(const auto root, parser.parse(bytes));
  if (!root.is_object()) return invalid("this is no inventory: an object is needed");
  return Reader(limits).read(root);
}

}  // namespace tenken::inventory
