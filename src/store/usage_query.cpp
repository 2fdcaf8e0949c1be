#include "store/usage_query.h"

namespace tenken::store {

Result<Usage> usage_of(sql::Connection& connection, std::string_view account, Seconds from,
                       Seconds now) {
  // What is gone was there until it changed last.
  TRY(auto rows,
      connection.query(
          "SELECT type, CAST(SUM(CASE WHEN until > since THEN until - since ELSE 0 END) AS "
          "BIGINT), "
          "CAST(SUM(CASE WHEN created_at >= ?2 THEN 1 ELSE 0 END) AS BIGINT) FROM ("
          "SELECT type, created_at, CASE WHEN created_at > ?2 THEN created_at ELSE ?2 END AS "
          "since, "
          "CASE WHEN coverage_reason = 'RESOURCE_TERMINATED' THEN changed_at ELSE ?3 END AS until "
          "FROM resource WHERE account_id = ?1) one GROUP BY type",
          account, from, now));
  Usage out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    const auto type = row->text(0);
    if (type == "AWS_EC2_INSTANCE") out.host_seconds = row->integer(1);
    if (type == "AWS_LAMBDA_FUNCTION") out.function_seconds = row->integer(1);
    if (type == "AWS_ECR_CONTAINER_IMAGE") out.images = row->integer(2);
    if (type == "CODE_REPOSITORY") out.repositories = row->integer(2);
  }
}

}  // namespace tenken::store
