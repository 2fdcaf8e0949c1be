// A resource that is gone: its coverage says so (RESOURCE_TERMINATED) and its findings are closed,
// with their history. It lives again when it reports again.
//
// Errors: those of the store. Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/findings.h"

namespace tenken::pipeline {

// cause is what the history says: "retired by alice". Nothing changes where it was gone before.
// In a transaction of its own, and inside the caller's.
Result<store::Changes> retire(sql::Connection& connection, store::ResourceId resource,
                              std::string cause, Seconds now);
Result<store::Changes> retire_within(sql::Connection& connection, store::ResourceId resource,
                                     std::string cause, Seconds now);

}  // namespace tenken::pipeline
