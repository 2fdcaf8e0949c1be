#include "store/exports.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/matches.h"

namespace tenken::store {
namespace {

constexpr std::string_view columns =
    "account_id, export_id, kind, format, criteria, bucket, key_prefix, kms_key, bucket_owner, "
    "local_name, status, error_code, error_message, items, created_at, ended_at";

Export read_export(const sql::Row& row) {
  return {.account = row.string(0),
          .id = row.string(1),
          .kind = static_cast<ExportKind>(row.integer(2)),
          .format = row.string(3),
          .criteria = row.string(4),
          .bucket = row.string(5),
          .key_prefix = row.string(6),
          .kms_key = row.string(7),
          .bucket_owner = row.string(8),
          .local_name = row.string(9),
          .status = static_cast<ExportStatus>(row.integer(10)),
          .error_code = row.string(11),
          .error_message = row.string(12),
          .items = row.integer(13),
          .created = row.integer(14),
          .ended = row.integer(15)};
}

Result<std::optional<Export>> first(Result<std::unique_ptr<sql::Rows>> answer) {
  TRY(const auto rows, std::move(answer));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<Export>();
  return std::optional(read_export(*row));
}

}  // namespace

Result<bool> add_export(sql::Connection& connection, const Export& one) {
  TRY(const auto added,
      connection.run(
          "INSERT INTO export (account_id, export_id, kind, format, criteria, bucket, key_prefix, "
          "kms_key, bucket_owner, local_name, status, created_at) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11) ON CONFLICT DO NOTHING",
          one.account, one.id, static_cast<std::int64_t>(one.kind), one.format, one.criteria,
          one.bucket, one.key_prefix, one.kms_key, one.bucket_owner, one.local_name, one.created));
  if (added == 0) return false;
  TRY_VOID(
      enqueue(connection, export_job, fmt::format("{}/{}", one.account, one.id), "", one.created));
  return true;
}

Result<std::optional<Export>> find_export(sql::Connection& connection, std::string_view account,
                                          std::string_view id) {
  return first(connection.query(
      fmt::format("SELECT {} FROM export WHERE account_id = ?1 AND export_id = ?2", columns),
      account, id));
}

Result<std::optional<Export>> latest_export(sql::Connection& connection, std::string_view account,
                                            ExportKind kind) {
  return first(
      connection.query(fmt::format("SELECT {} FROM export WHERE account_id = ?1 AND kind = ?2 "
                                   "ORDER BY CASE WHEN status = 1 THEN 0 ELSE 1 END, "
                                   "created_at DESC, export_id LIMIT 1",
                                   columns),
                       account, static_cast<std::int64_t>(kind)));
}

Result<std::optional<Export>> export_of(sql::Connection& connection, const Job& job) {
  const auto [account, id] = split_once(job.subject, '/');
  return find_export(connection, account, id.value_or(""));
}

Result<Seconds> begin_export(sql::Connection& connection, const Job& job, std::string_view owner,
                             Seconds now) {
  if (const auto begun = parse_uint(job.payload)) return static_cast<Seconds>(*begun);
  TRY_VOID(set_payload(connection, job, owner, fmt::format("{}", now)));
  return now;
}

Result<bool> end_export(sql::Connection& connection, const Export& one) {
  TRY(const auto ended,
      connection.run("UPDATE export SET status = ?3, error_code = ?4, error_message = ?5, "
                     "items = ?6, ended_at = ?7 "
                     "WHERE account_id = ?1 AND export_id = ?2 AND status = 1",
                     one.account, one.id, static_cast<std::int64_t>(one.status), one.error_code,
                     one.error_message, one.items, one.ended));
  return ended == 1;
}

Result<std::map<std::string, std::vector<std::size_t>>> installed_vulnerabilities(
    sql::Connection& connection, ResourceId resource) {
  TRY(const auto rows,
      connection.query(
          fmt::format("SELECT rp.package_version_id, m.vulnerability_id FROM resource_package rp "
                      "LEFT JOIN match m ON m.package_version_id = rp.package_version_id AND {} "
                      "WHERE rp.resource_id = ?1 AND rp.running = '' "
                      "ORDER BY rp.package_version_id, m.vulnerability_id",
                      match_holds),
          resource.value));
  std::map<std::string, std::vector<std::size_t>> out;
  std::optional<std::int64_t> last;
  std::size_t place = 0;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    if (last && *last != row->integer(0)) ++place;
    last = row->integer(0);
    if (!row->is_null(1)) out[row->string(1)].push_back(place);
  }
}

Result<std::int64_t> prune_exports(sql::Connection& connection, Seconds before) {
  return connection.run("DELETE FROM export WHERE status <> 1 AND ended_at < ?1", before);
}

}  // namespace tenken::store
