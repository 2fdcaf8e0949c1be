// Roles and what they permit. Roles are steps: each may do what those before it may, and more.
//
//   viewer    reads
//   auditor   + the audit log, exports
//   operator  + inventories, agents and their tokens
//   security  + filters and scan configuration
//   admin     + accounts, users, keys, the organisation
//
// Thread rule: pure functions over constants.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tenken::access {

enum class Role : std::uint8_t { nobody, viewer, auditor, operator_, security, admin };

std::string_view name(Role role);                       // "operator"
std::optional<Role> parse_role(std::string_view name);  // not "nobody"

// The zero value is permitted to nobody: an operation that names no permission is closed.
enum class Permission : std::uint8_t {
  nobody,
  read,
  audit,
  export_data,
  ingest,     // inventories, resources
  agents,     // agents, their tokens and commands
  filters,    // filters, suppression, tags
  configure,  // what is scanned and how
  manage,     // accounts, users, keys, the organisation
};

bool permits(Role role, Permission permission);

}  // namespace tenken::access
