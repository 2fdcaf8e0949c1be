#include "store/documents.h"

namespace tenken::store {
namespace {

Document read_document(const sql::Row& row) {
  return {.id = row.string(0),
          .body = row.string(1),
          .created = row.integer(2),
          .updated = row.integer(3)};
}

}  // namespace

Result<std::optional<Document>> find_document(sql::Connection& connection, const DocumentKind& of,
                                              std::string_view id) {
  TRY(auto rows, connection.query("SELECT document_id, body, created_at, updated_at FROM document "
                                  "WHERE account_id = ?1 AND kind = ?2 AND document_id = ?3",
                                  of.account, of.kind, id));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::nullopt;
  return read_document(*row);
}

Result<std::vector<Document>> list_documents(sql::Connection& connection, const DocumentKind& of,
                                             std::string_view after, std::int64_t limit) {
  TRY(auto rows, connection.query("SELECT document_id, body, created_at, updated_at FROM document "
                                  "WHERE account_id = ?1 AND kind = ?2 AND document_id > ?3 "
                                  "ORDER BY document_id LIMIT ?4",
                                  of.account, of.kind, after, limit));
  std::vector<Document> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back(read_document(*row));
  }
}

Result<std::int64_t> count_documents(sql::Connection& connection, const DocumentKind& of) {
  TRY(const auto count, connection.one_integer("SELECT count(*) FROM document "
                                               "WHERE account_id = ?1 AND kind = ?2",
                                               of.account, of.kind));
  return count.value_or(0);
}

Result<> put_document(sql::Connection& connection, const DocumentKind& of, std::string_view id,
                      std::string_view body, Seconds now) {
  TRY_VOID(
      connection.run("INSERT INTO document (account_id, kind, document_id, body, created_at, "
                     "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5) "
                     "ON CONFLICT (account_id, kind, document_id) DO UPDATE "
                     "SET body = excluded.body, updated_at = excluded.updated_at",
                     of.account, of.kind, id, body, now));
  return {};
}

Result<bool> add_document(sql::Connection& connection, const DocumentKind& of, std::string_view id,
                          std::string_view body, Seconds now) {
  TRY(const auto added,
      connection.run("INSERT INTO document (account_id, kind, document_id, body, created_at, "
                     "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5) "
                     "ON CONFLICT (account_id, kind, document_id) DO NOTHING",
                     of.account, of.kind, id, body, now));
  return added == 1;
}

Result<bool> delete_document(sql::Connection& connection, const DocumentKind& of,
                             std::string_view id) {
  TRY(const auto deleted, connection.run("DELETE FROM document WHERE account_id = ?1 "
                                         "AND kind = ?2 AND document_id = ?3",
                                         of.account, of.kind, id));
  return deleted == 1;
}

Result<std::int64_t> delete_documents(sql::Connection& connection, const DocumentKind& of) {
  return connection.run("DELETE FROM document WHERE account_id = ?1 AND kind = ?2", of.account,
                        of.kind);
}

}  // namespace tenken::store
