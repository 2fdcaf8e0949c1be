// The body of a report as it travels: a line for each line of the report that is gone (`-NAME`) and
// that came (`+LINE`). Bytes of strangers.
//
// Source: docs/adr/0013. Errors: invalid, with the line. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "host/report.h"

namespace tenken::api::agents {

Result<host::ReportDelta> read_delta(std::string_view body);
// The text of a report that comes whole: its lines in their order, not yet looked at.
Result<std::string> read_whole(std::string_view body);

}  // namespace tenken::api::agents
