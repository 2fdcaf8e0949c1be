// The page /metrics: everything that the server counts, put together when it is asked for. Counts
// of the whole store are those of the last minute.
//
// Thread rule: any thread.
#pragma once

#include <string>

#include "advisories/database.h"
#include "base/time.h"
#include "pipeline/ingest.h"
#include "serve/housekeeper.h"
#include "serve/metrics.h"
#include "store/collect_targets.h"
#include "store/feed_states.h"

namespace tenken::serve {

struct MetricSources {
  const RequestMetrics& requests;
  pipeline::Ingest::Counts ingest;
  Housekeeper::Counted counted;
  bool store_answers = true;
  const advisories::Database* generation = nullptr;  // nullptr: none yet
  std::vector<store::FeedState> feeds;               // of all nodes
  std::vector<store::CollectTarget> collections;
  std::size_t connections = 0;
  std::uint64_t dropped_log_lines = 0;
  Seconds now = 0;
};
std::string metrics_page(const MetricSources& sources);

}  // namespace tenken::serve
