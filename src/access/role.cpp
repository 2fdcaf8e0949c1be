#include "access/role.h"

#include <array>
#include <utility>

namespace tenken::access {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> names = {{{Role::viewer, "viewer"},
                                                                     {Role::auditor, "auditor"},
                                                                     {Role::operator_, "operator"},
                                                                     {Role::security, "security"},
                                                                     {Role::admin, "admin"}}};

// The lowest role that has it.
Role least_role(Permission permission) {
  switch (permission) {
    case Permission::read:
      return Role::viewer;
    case Permission::audit:
    case Permission::export_data:
      return Role::auditor;
    case Permission::ingest:
    case Permission::agents:
      return Role::operator_;
    case Permission::filters:
    case Permission::configure:
      return Role::security;
    case Permission::manage:
    case Permission::nobody:
      break;
  }
  return Role::admin;
}

}  // namespace

std::string_view name(Role role) {
  for (const auto& [known, text] : names)
    if (known == role) return text;
  return "nobody";
}

std::optional<Role> parse_role(std::string_view name) {
  for (const auto& [known, text] : names)
    if (text == name) return known;
  return std::nullopt;
}

bool permits(Role role, Permission permission) {
  return permission != Permission::nobody && role >= least_role(permission);
}

}  // namespace tenken::access
