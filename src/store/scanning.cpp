#include "store/scanning.h"

#include "store/documents.h"

namespace tenken::store {
namespace {

// A document per type, so that two that enable different types at once do not undo each other.
constexpr DocumentKind scanning_of(std::string_view account) {
  return {.account = account, .kind = "scanning"};
}

}  // namespace

Result<ScanTypes> enabled_types(sql::Connection& connection, std::string_view account) {
  TRY(const auto found, list_documents(connection, scanning_of(account), "", scan_types.size()));
  ScanTypes out;
  for (const auto& one : found) out.insert(one.id);
  return out;
}

Result<> enable_types(sql::Connection& connection, std::string_view account, const ScanTypes& types,
                      Seconds now) {
  for (const auto& type : types)
    TRY_VOID(add_document(connection, scanning_of(account), type, "{}", now));
  return {};
}

Result<> disable_types(sql::Connection& connection, std::string_view account,
                       const ScanTypes& types) {
  for (const auto& type : types) TRY_VOID(delete_document(connection, scanning_of(account), type));
  return {};
}

}  // namespace tenken::store
