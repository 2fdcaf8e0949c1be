// Small state of the API as documents: a text of an account, mostly JSON, named by kind and id. The
// table document has no other writer. What one kind means stands in the module that keeps it.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; where a change
// depends on what was read, both belong into one transaction of the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

struct Document {
  std::string id;
  std::string body;
  Seconds created = 0;
  Seconds updated = 0;
};

// Whose document, of which kind. The empty account stands for the whole installation.
struct DocumentKind {
  std::string_view account;
  std::string_view kind;
};

Result<std::optional<Document>> find_document(sql::Connection& connection, const DocumentKind& of,
                                              std::string_view id);
// Those whose ids follow `after`, in the order of their ids, at most limit.
Result<std::vector<Document>> list_documents(sql::Connection& connection, const DocumentKind& of,
                                             std::string_view after, std::int64_t limit);
Result<std::int64_t> count_documents(sql::Connection& connection, const DocumentKind& of);

// Writes or replaces it.
Result<> put_document(sql::Connection& connection, const DocumentKind& of, std::string_view id,
                      std::string_view body, Seconds now);
// False: there is one, which stays as it is.
Result<bool> add_document(sql::Connection& connection, const DocumentKind& of, std::string_view id,
                          std::string_view body, Seconds now);
// False: there was none.
Result<bool> delete_document(sql::Connection& connection, const DocumentKind& of,
                             std::string_view id);
// Returns how many there were.
Result<std::int64_t> delete_documents(sql::Connection& connection, const DocumentKind& of);

}  // namespace tenken::store
