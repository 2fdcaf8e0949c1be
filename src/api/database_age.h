// How old the advisory data is that answers come from: every answer of the APIs says so in its
// headers, x-tenken-database (the generation, or "none") and x-tenken-database-age (seconds).
//
// Thread rule: pure functions; age_of looks at the database's file.
#pragma once

#include "advisories/database.h"
#include "api/errors.h"
#include "base/time.h"
#include "http/server.h"

namespace tenken::api {

// Since the newest record; where no record has a date, since the database was built.
Seconds age_of(const advisories::Database& database, Seconds now);

// Nothing can be said yet: to be tried again.
ApiError no_database();

// database: nullptr where there is none yet.
void set_database_headers(http::Response& response, const advisories::Database* database,
                          Seconds now);

}  // namespace tenken::api
