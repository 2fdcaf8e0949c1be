// How the feeds of the advisories fare: the table feed_state, a row for each feed and node. Nodes
// fetch for themselves, each into its own directory of generations; what was tried and when
// survives a restart here.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

// The step after all feeds: building one generation of what lies there. Its state is kept as that
// of a feed of this name.
inline constexpr std::string_view build_step = "(build)";

struct FeedState {
  std::string node;  // host name
  std::string feed;
  Seconds interval = 0;        // between two tries; 0: it is not fetched (a site without network)
  Seconds attempted = 0;       // 0: never
  Seconds succeeded = 0;       // the age of its data counts from here; 0: never, or not known
  std::int64_t fetched = 0;    // documents of the last try that were new
  std::int64_t unchanged = 0;  // … that upstream confirmed
  std::int64_t failed = 0;     // … that did not arrive: the older ones stay
  std::string last_error;      // of the last try; empty: none
  // As the generation in use has them.
  std::int64_t documents = 0;
  std::int64_t records = 0;
  std::int64_t skipped = 0;
  Seconds newest = 0;  // of its records' times; 0: none stated
};

// By node and feed.
Result<std::vector<FeedState>> feed_states(sql::Connection& connection);

// What a try brought: of the states the columns interval to last_error.
Result<> put_feed_attempts(sql::Connection& connection, const std::vector<FeedState>& states);
// What the generation in use on a node holds: the columns documents to newest, and succeeded where
// it is later. Of other feeds it holds nothing.
Result<> put_feed_contents(sql::Connection& connection, std::string_view node,
                           const std::vector<FeedState>& states);

}  // namespace tenken::store
