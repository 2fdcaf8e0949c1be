// What an incomplete inventory does not say of its host.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <string>

#include "base/result.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/resources.h"

namespace tenken::store {

struct HostDetails {
  std::string platform;
  std::string details;
};
// As the inventory has them. Where it is incomplete and does not say what system the host has, what
// was known and it says nothing of is kept beside.
Result<HostDetails> host_details(sql::Connection& connection, ResourceId id,
                                 const InventoryWrite& inventory);

}  // namespace tenken::store
