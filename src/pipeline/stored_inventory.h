// A resource's inventory as the store has it, the way back from stored_inventory (ingest.h): for
// SBOMs and explanations.
//
// Errors: those of the store. Thread rule: functions over the caller's connection.
#pragma once

#include "base/result.h"
#include "model/inventory.h"
#include "sql/sql.h"
#include "store/resources.h"

namespace tenken::pipeline {

// Everything but the packages.
Inventory described_inventory(const store::Resource& resource);
Result<Inventory> inventory_of(sql::Connection& connection, const store::Resource& resource);

}  // namespace tenken::pipeline
