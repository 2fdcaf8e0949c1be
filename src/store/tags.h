// Tags of what the API names by ARNs (filters and their like): the table arn_tag, which has no
// other writer. Tags of scanned resources are theirs (store/resources.h).
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::store {

inline constexpr std::size_t most_tags = 50;  // of one ARN

using Tags = std::map<std::string, std::string>;

Result<Tags> list_tags(sql::Connection& connection, std::string_view account, std::string_view arn);
// Adds them or replaces their values. Errors: limit, where the ARN had more than most_tags then.
Result<> put_tags(sql::Connection& connection, std::string_view account, std::string_view arn,
                  const Tags& tags);
// Those that are not there are passed over.
Result<> remove_tags(sql::Connection& connection, std::string_view account, std::string_view arn,
                     const std::vector<std::string_view>& names);
// All of them: the thing is gone.
Result<> clear_tags(sql::Connection& connection, std::string_view account, std::string_view arn);

}  // namespace tenken::store
