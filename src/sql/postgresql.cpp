#include "sql/postgresql.h"

namespace tenken::sql {

Result<std::unique_ptr<Connection>> open_postgresql(const Location&) {
  return unavailable("this build keeps its data in SQLite only");
}

}  // namespace tenken::sql
