#include "inventory/document.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_writer.h"

namespace tenken::inventory {
namespace {

constexpr std::string_view format_name = "tenken-inventory";
constexpr std::int64_t format_version = 1;

template <typename T>
using TextMember = std::pair<std::string_view, std::string T::*>;

constexpr std::array<TextMember<Package>, 13> package_members{{
    {"ecosystem", &Package::ecosystem},
    {"release", &Package::release},
    {"kind", &Package::kind},
    {"name", &Package::name},
    {"version", &Package::version},
    {"arch", &Package::arch},
    {"sourceName", &Package::source_name},
    {"sourceVersion", &Package::source_version},
    {"moduleLabel", &Package::module_label},
    {"vendor", &Package::vendor},
    {"purl", &Package::purl},
    {"location", &Package::location},
    {"license", &Package::license},
}};
constexpr std::array<TextMember<OperatingSystem>, 6> os_members{{
    {"id", &OperatingSystem::id},
    {"versionId", &OperatingSystem::version_id},
    {"codename", &OperatingSystem::codename},
    {"prettyName", &OperatingSystem::pretty_name},
    {"ecosystem", &OperatingSystem::ecosystem},
    {"release", &OperatingSystem::release},
}};
constexpr std::array<TextMember<Skip>, 3> skip_members{{
    {"file", &Skip::file},
    {"record", &Skip::record},
    {"reason", &Skip::reason},
}};
constexpr std::array<std::string_view, 3> targets{"host", "root", "sbom"};

template <typename T, std::size_t Count>
void write_members(json::Writer& out, const T& value,
                   const std::array<TextMember<T>, Count>& members) {
  for (const auto& [name, member] : members) out.member_if(name, value.*member);
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
    Inventory out;
    TRY(out.target, target(root["target"]));
    TRY(out.name, text(root, "name"));
    TRY(out.running_kernel, text(root, "runningKernel"));
    out.esm_attached = root["esmAttached"].boolean().value_or(false);
    TRY_VOID(members(root["os"], out.os, os_members).within("os"));
    TRY_VOID(list(root, "packages", out.packages, package_members));
    TRY_VOID(list(root, "skips", out.skips, skip_members));
    const auto read = root["databasesRead"].integer();
    if (!read || *read < 0) return invalid("databasesRead: a number is needed");
    out.databases_read = static_cast<std::size_t>(*read);
    return out;
  }

 private:
  static Result<Inventory::Target> target(json::Value value) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (value.string() == targets[i]) return static_cast<Inventory::Target>(i);
    }
    return invalid("target: one of host, root, sbom is needed");
  }

  Result<std::string> text(json::Value object, std::string_view name) const {
    const auto value = object[name];
    if (!value || value.type() == json::Value::Type::null) return std::string();
    if (!value.is_string()) return invalid(fmt::format("{}: a string is needed", name));
    if (value.string().size() > limits_.text_bytes)
      return limit_exceeded(fmt::format("{}: longer than {} bytes", name, limits_.text_bytes));
    if (value.string().find('\0') != std::string_view::npos)
      return invalid(fmt::format("{}: holds a NUL", name));
    return std::string(value.string());
  }

  template <typename T, std::size_t Count>
  Result<> members(json::Value object, T& out,
                   const std::array<TextMember<T>, Count>& wanted) const {
    if (object && !object.is_object()) return invalid("an object is needed");
    for (const auto& [name, member] : wanted) {
      TRY(out.*member, text(object, name));
    }
    return {};
  }

  template <typename T, std::size_t Count>
  Result<> list(json::Value object, std::string_view name, std::vector<T>& out,
                const std::array<TextMember<T>, Count>& wanted) const {
    const auto array = object[name];
    if (array && !array.is_array()) return invalid(fmt::format("{}: a list is needed", name));
    if (array.size() > limits_.packages)
      return limit_exceeded(fmt::format("{}: more than {}", name, limits_.packages));
    out.reserve(array.size());
    Result<> outcome;
    array.for_each([&](json::Value item) {
      if (!outcome) return;
      T one;
      outcome = members(item, one, wanted).within(fmt::format("{} {}", name, out.size()));
      out.push_back(std::move(one));
    });
    return outcome;
  }

  DocumentLimits limits_;
};

}  // namespace

std::string write_document(const Inventory& inventory) {
  json::Writer out;
  out.begin_object();
  out.member("format", format_name);
  out.key("version").integer(format_version);
  out.member("target", targets[static_cast<std::size_t>(inventory.target)]);
  out.member("name", inventory.name);
  out.member_if("runningKernel", inventory.running_kernel);
  if (inventory.esm_attached) out.key("esmAttached").boolean(true);
  out.key("databasesRead").integer(static_cast<std::int64_t>(inventory.databases_read));
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
