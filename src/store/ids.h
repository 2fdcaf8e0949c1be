// Ids made from content: the same thing has the same id on every node, so nothing needs a sequence
// or a look-up before it is written. 63 bits of SHA-256: a million resources collide with a
// probability of 5e-8, and a collision is noticed (conflict), never merged. Whoever sends
// inventories chooses what is hashed and may search for a collision with what others have
// installed: package versions are told apart by more bits of the hash.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/package.h"

namespace tenken::store {

// Strong ids, so that one is never taken for another.
struct ResourceId {
  std::int64_t value = 0;
  friend auto operator<=>(const ResourceId&, const ResourceId&) = default;
};
struct PackageVersionId {
  std::int64_t value = 0;
  friend auto operator<=>(const PackageVersionId&, const PackageVersionId&) = default;
};

ResourceId resource_id(std::string_view account, std::string_view external_id);

// A package version as the store interns it: what matching reads of a package. host_state is what
// of its host decides a match: "not_running" for an installed kernel that is not the running one,
// "esm" for Ubuntu packages under a subscription; else empty.
struct PackageVersion {
  Package package;
  std::string host_state;
  std::string advisory_name;  // under which advisories name it: match::advisory_name
};
// The hash of what identifies a package version.
struct PackageVersionHash {
  PackageVersionId id;
  std::uint64_t rest = 0;  // 64 bits that are not in the id
  friend bool operator==(const PackageVersionHash&, const PackageVersionHash&) = default;
};
PackageVersionHash package_version_hash(const PackageVersion& version);
PackageVersionId package_version_id(const PackageVersion& version);

// The 32 hex digits that name a finding in its ARN: the first 12 are the start of the resource's
// id, so that a finding is found by its ARN; the rest is a hash of everything that names it.
std::string finding_id(std::string_view account, ResourceId resource,
                       std::string_view vulnerability, std::int64_t episode);
// The resources a finding id may belong to: ids from first to last.
struct ResourceRange {
  ResourceId first;
  ResourceId last;
};
// Nothing but 32 lower-case hex digits is a finding id.
bool is_finding_id(std::string_view text);
ResourceRange resources_of(std::string_view finding_id);

}  // namespace tenken::store
