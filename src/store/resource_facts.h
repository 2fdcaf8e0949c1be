// What is known of a resource beside its id, and asked for in criteria, orders and groups: the name
// of an image, and where an instance runs as its agent told. Made when an inventory is stored, and
// kept in columns of the table resource, from which all that is shown is read too.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "sql/sql.h"

namespace tenken::store {

// What is not known is empty.
struct ResourceFacts {
  // Of an image: "[registry/]name[:tag][@sha256:…]", or the ARN of one,
  // "…:repository/name/sha256:…". As Docker has it, what stands before the first slash is a
  // registry where it has a dot or a colon or is "localhost"; where none is named it is the
  // account's. The first two are known, or none of the three.
  std::string repository;
  std::string registry;
  std::string image_hash;
  std::string image_architecture;  // as registries call it: "amd64"
  // Of an instance.
  std::string image_id;  // "ami-…"
  std::string vpc_id;
  std::string subnet_id;
  friend bool operator==(const ResourceFacts&, const ResourceFacts&) = default;
};

// details: JSON as ingest writes it.
ResourceFacts facts_of(std::string_view type, std::string_view account,
                       std::string_view external_id, std::string_view details);

// The columns stand in the order of ResourceFacts.
ResourceFacts read_facts(const sql::Row& row, int first_column);

}  // namespace tenken::store
