// The engine PostgreSQL over libpq. Answers come row by row, statements are prepared once.
#pragma once

#include <memory>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::sql {

// The location's URI, postgresql://user:password@host:port/database?option=value. Unless the URI
// says otherwise: connect_timeout 10 s, TCP keepalives, application_name tenken. TLS as libpq has
// it (sslmode, sslrootcert).
Result<std::unique_ptr<Connection>> open_postgresql(const Location& location);

}  // namespace tenken::sql
