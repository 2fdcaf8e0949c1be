#include "api/database_age.h"

#include <algorithm>

#include <fmt/format.h>

#include "pipeline/scan.h"

namespace tenken::api {

Seconds age_of(const advisories::Database& database, Seconds now) {
  const auto newest = database.meta().newest_record;
  const auto known = newest > 0 ? newest : pipeline::describe_database(database).built;
  return std::max(Seconds{0}, now - known);
}

ApiError no_database() {
  constexpr int retry_after_s = 30;
  return throttled("The server has no advisory database yet: try again later", retry_after_s);
}

void set_database_headers(http::Response& response, const advisories::Database* database,
                          Seconds now) {
  response.headers.set("x-tenken-database", database == nullptr ? "none" : database->generation());
  if (database != nullptr)
    response.headers.set("x-tenken-database-age", fmt::format("{}", age_of(*database, now)));
}

}  // namespace tenken::api
