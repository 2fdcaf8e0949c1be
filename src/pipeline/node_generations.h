// Which advisory generation is in use where several nodes share one store, each with a file of its
// own: the newest that a running node has. Every node notes now and then what it has; what was not
// noted for two minutes is of a node that is gone. A node alone uses what it has, also where that
// is older than what it had.
//
// Newest: by the newest record, then by the newest of any feed (EPSS makes no record younger), then
// by the time of fetching; equal ones by their ids, so that all nodes choose the same.
//
// Errors: those of the engine. Thread rule: over the caller's connection, inside its transaction.
#pragma once

#include <string>
#include <string_view>

#include "advisories/database.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::pipeline {

inline constexpr Seconds note_generation_every = 30;
inline constexpr Seconds node_gone_after = 120;

// Notes that the node has `own`, and answers the id of the generation to use.
Result<std::string> generation_to_use(sql::Connection& connection, std::string_view node,
                                      const advisories::Database& own, Seconds now);

}  // namespace tenken::pipeline
