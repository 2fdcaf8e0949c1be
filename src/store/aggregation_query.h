// What the store answers about findings in groups: how many ACTIVE findings of each severity a
// resource, a title, a package, an account, the images of a repository or the instances of a
// machine image have. It reads the counts of store/finding_counts.h and no finding, so that the
// cost depends on the number of groups and not on that of findings. Nothing here writes.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "findings/criteria.h"
#include "sql/sql.h"
#include "store/resource_facts.h"

namespace tenken::store {

enum class AggregationGroup : std::uint8_t {
  account,
  title,
  package,
  resource,
  repository,
  machine_image,
};

// From resource_id on of groups by resource, by repository and by machine image.
enum class AggregationField : std::uint8_t {
  title,
  vulnerability,
  package,
  resource_id,
  platform,
  region,
  repository,
  registry,
  image_hash,
  image_architecture,
  image_id,
};

struct Aggregation {
  AggregationGroup group = AggregationGroup::account;
  std::vector<std::string> accounts;  // one of them
  std::string resource_type;          // empty: every one; not of groups by package
  std::vector<std::pair<AggregationField, findings::TextTests>> texts;
  std::vector<findings::TagTest> tags;  // of the resource, in groups by resource
};

enum class AggregationSort : std::uint8_t {
  all,
  critical,
  high,
  affected,  // resources: of groups by repository and by machine image
  unsorted,
};

// Where a page ended: the last group's value in the order, and what tells it from its equals.
struct AggregationPosition {
  std::int64_t value = 0;
  std::string account;
  std::string key;
};

struct AggregationPage {
  AggregationSort sort = AggregationSort::critical;
  bool ascending = false;
  std::optional<AggregationPosition> after;
  std::int64_t limit = 100;
};

struct SeverityCounts {
  std::int64_t all = 0;
  std::int64_t critical = 0;
  std::int64_t high = 0;
  std::int64_t medium = 0;
  std::int64_t low = 0;
  std::int64_t informational = 0;
  std::int64_t untriaged = 0;
};

struct Aggregate {
  AggregationPosition position;
  SeverityCounts counts;
  std::string vulnerability;     // of groups by title
  std::int64_t fixable = 0;      // of groups by account: a fix for every package
  std::int64_t exploitable = 0;  // of groups by account
  std::int64_t affected = 0;     // resources: of groups by repository and by machine image
  std::string external_id;       // of groups by resource, and what follows
  std::string platform;
  std::string region;
  std::string tags;  // JSON object
  ResourceFacts facts;
};

// Groups that have findings. The key of a position is the title, the name of the package, of the
// repository or of the machine image, or the resource's id in the store.
Result<std::vector<Aggregate>> aggregate(sql::Connection& connection, const Aggregation& question,
                                         const AggregationPage& page);

}  // namespace tenken::store
