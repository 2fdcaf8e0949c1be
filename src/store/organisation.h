// The organisation: all accounts of the installation, one of which is the management account
// (access/accounts.h), at most one its delegated administrator, and those that are the
// administrator's members. The administrator sees what its members have.
// (spec: serve-decisions §2, inspector B.2.)
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

inline constexpr std::int64_t most_members = 10'000;

// Empty: none is designated.
Result<std::string> delegated_administrator(sql::Connection& connection);
// False: one is designated already, this one or another.
Result<bool> designate_administrator(sql::Connection& connection, std::string_view account,
                                     Seconds now);
// Its members are on their own again. False: it is not the administrator.
Result<bool> dismiss_administrator(sql::Connection& connection, std::string_view account);

// What the administrator of a member laid down for that one alone; it ends with the membership.
inline constexpr std::string_view given_by_administrator = "given_configuration";

struct Member {
  std::string account;
  Seconds since = 0;
};
Result<std::optional<Member>> find_member(sql::Connection& connection,
                                          std::string_view administrator, std::string_view account);
// In the order of their ids.
Result<std::vector<Member>> list_members(sql::Connection& connection,
                                         std::string_view administrator);
Result<std::int64_t> count_members(sql::Connection& connection, std::string_view administrator);
// False: it is a member already.
Result<bool> add_member(sql::Connection& connection, std::string_view administrator,
                        std::string_view account, Seconds now);
// False: it was no member.
Result<bool> remove_member(sql::Connection& connection, std::string_view administrator,
                           std::string_view account);

// The administrator whose member the account is; empty: it stands on its own.
Result<std::string> administrator_of(sql::Connection& connection, std::string_view account);

// The accounts whose data an account sees: itself, then its members if it is the administrator.
Result<std::vector<std::string>> visible_accounts(sql::Connection& connection,
                                                  std::string_view account);

}  // namespace tenken::store
