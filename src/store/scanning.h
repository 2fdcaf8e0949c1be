// Which kinds of resources an account has enabled scanning for. It is state that the API reports:
// inventories are taken and findings evaluated whatever it says (spec: serve-decisions §2).
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

// ResourceScanType of the service model.
inline constexpr std::array<std::string_view, 5> scan_types{"EC2", "ECR", "LAMBDA", "LAMBDA_CODE",
                                                            "CODE_REPOSITORY"};

using ScanTypes = std::set<std::string, std::less<>>;

Result<ScanTypes> enabled_types(sql::Connection& connection, std::string_view account);
Result<> enable_types(sql::Connection& connection, std::string_view account, const ScanTypes& types,
                      Seconds now);
Result<> disable_types(sql::Connection& connection, std::string_view account,
                       const ScanTypes& types);

}  // namespace tenken::store
