// Filters that changed, ended or are gone: jobs of the kind "suppress", by account and filter,
// which bring the findings of the whole account in line with them, slice by slice.
//
// Errors: those of the store. Thread rule: any thread; jobs are leased.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::pipeline {

struct SuppressionWork {
  sql::Pool& pool;
  std::string_view node;  // names the leases
  std::function<Seconds()> clock;
};

// Does due jobs, a batch at most. Returns how many were done; the error of one that failed comes
// after the others.
Result<std::size_t> apply_changed_filters(const SuppressionWork& work);

}  // namespace tenken::pipeline
