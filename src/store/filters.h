// Filters: saved criteria, and suppression rules among them. The table filter, which has no other
// writer.
//
// Errors: not_found, where the filter to be changed is not there; conflict, where another of the
// account has the name; limit, where there would be more than most_filters.
// Thread rule: functions over the caller's connection; those that write run inside the caller's
// transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

// Of one account: as many suppression rules, and as many that suppress nothing.
inline constexpr std::int64_t most_filters = 500;

struct Filter {
  std::string account;
  std::string id;  // 16 hex digits
  std::string name;
  bool suppresses = false;  // action SUPPRESS, else NONE
  std::string criteria;     // JSON as findings::read_criteria reads it
  std::string description;
  std::string reason;
  Seconds expires = 0;  // does not hold from then on; 0: never
  Seconds created = 0;
  Seconds updated = 0;

  bool has_expired(Seconds now) const { return suppresses && expires != 0 && expires <= now; }
  bool in_force(Seconds now) const { return suppresses && !has_expired(now); }
};

Result<> add_filter(sql::Connection& connection, const Filter& filter);
// Writes everything but the id, the account and the time of its making.
Result<> change_filter(sql::Connection& connection, const Filter& filter);
// False: there was none.
Result<bool> remove_filter(sql::Connection& connection, std::string_view account,
                           std::string_view id);

Result<std::optional<Filter>> find_filter(sql::Connection& connection, std::string_view account,
                                          std::string_view id);
// The same, to be written with change_filter in the same transaction.
Result<std::optional<Filter>> hold_filter(sql::Connection& connection, std::string_view account,
                                          std::string_view id);
// In the order of ids, those after `after`; at most limit.
Result<std::vector<Filter>> list_filters(sql::Connection& connection, std::string_view account,
                                         std::optional<bool> suppresses, std::string_view after,
                                         std::int64_t limit);
// Rules in force, of one account or of all ("").
Result<std::vector<Filter>> rules_in_force(sql::Connection& connection, std::string_view account,
                                           Seconds now);

}  // namespace tenken::store
