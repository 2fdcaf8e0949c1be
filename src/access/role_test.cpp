#include "access/role.h"

#include <gtest/gtest.h>

#include "access/principal.h"

namespace tenken::access {
namespace {

constexpr Role all_roles[] = {Role::nobody,    Role::viewer,   Role::auditor,
                              Role::operator_, Role::security, Role::admin};

TEST(Roles, EachMayDoWhatThoseBeforeItMay) {
  const std::pair<Permission, Role> least[] = {
      {Permission::read, Role::viewer},         {Permission::audit, Role::auditor},
      {Permission::export_data, Role::auditor}, {Permission::ingest, Role::operator_},
      {Permission::agents, Role::operator_},    {Permission::filters, Role::security},
      {Permission::configure, Role::security},  {Permission::manage, Role::admin}};
  for (const auto& [permission, lowest] : least)
    for (const auto role : all_roles)
      EXPECT_EQ(permits(role, permission), role >= lowest)
          << name(role) << " " << static_cast<int>(permission);
}

TEST(Roles, APermissionThatWasForgottenIsGrantedToNobody) {
  for (const auto role : all_roles) EXPECT_FALSE(permits(role, Permission{})) << name(role);
}

TEST(Roles, HaveNamesThatAreReadBack) {
  for (const auto role : all_roles)
    EXPECT_EQ(parse_role(name(role)), role == Role::nobody ? std::nullopt : std::optional(role));
  for (const auto* bad : {"", "Admin", "root", "nobody", "operator_"})
    EXPECT_EQ(parse_role(bad), std::nullopt) << bad;
}

TEST(Principal, HasAnArnAndByDefaultNoPermission) {
  const Principal principal{.account = "111122223333", .user = "alice"};
  EXPECT_EQ(arn(principal), "arn:aws:iam::111122223333:user/alice");
  EXPECT_FALSE(principal.may(Permission::read));
}

}  // namespace
}  // namespace tenken::access
