// FeedSchedule: keeps the directory of advisory generations current, in one of two ways:
//
//   fetching   each feed when its interval is over; one that failed again with the next that is
//              due, and at the latest after a quarter of an hour, then after twice as long
//   building   from a directory of feeds that somebody else fills (a site without network): once
//              its files have changed and then rested; what failed again after a quarter of an hour
//
// Both run `tenken db …` as a child of low priority; it publishes a generation by rename, and who
// watches the directory takes it in. What was tried lies in the store (store/feed_states.h).
//
// Errors are logged and kept as states; nothing of the server depends on a feed.
// Thread rule: start and stop from one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "advisories/meta.h"
#include "base/result.h"
#include "base/time.h"
#include "serve/log.h"
#include "sql/sql.h"
#include "store/feed_states.h"

namespace tenken::serve {

struct FeedScheduleOptions {
  sql::Pool* pool = nullptr;
  Log* log = nullptr;
  std::function<Seconds()> clock;
  std::string program;                       // tenken itself
  std::string directory;                     // of generations
  std::string feeds_directory;               // built from; empty: feeds are fetched
  std::vector<std::string> feeds = {};       // ids; empty: all
  std::vector<std::string> ecosystems = {};  // of OSV; empty: all
  std::vector<std::string> mirrors = {};     // as `tenken db update --mirror`
};

class FeedSchedule {
 public:
  static std::unique_ptr<FeedSchedule> start(FeedScheduleOptions options);
  virtual ~FeedSchedule() = default;  // stops
  // At once; a child under way is killed, and what it downloaded goes on from there next time.
  virtual void stop() = 0;
};

// The feeds that are to be tried now. Of several states of a feed the last counts.
std::vector<std::string> due_feeds(const std::vector<store::FeedState>& states, Seconds now);

// When a directory of feeds is built from. Its files are known by a stamp, which is looked at every
// few seconds.
class BuildTurns {
 public:
  // built: the stamp of what was built last; empty: not known.
  explicit BuildTurns(std::string built) : built_(std::move(built)) {}
  // They are as at the last look, were not built, and did not fail a moment ago.
  bool is_due(const std::string& stamp, Seconds now);
  void begin(const std::string& stamp, Seconds now);
  void succeed() { built_ = begun_; }

 private:
  std::string seen_;
  std::string built_;
  std::string begun_;
  Seconds begun_at_ = 0;
};

// What `tenken db update --json` says, put into the states of the feeds that were tried.
Result<std::vector<store::FeedState>> states_after(std::vector<store::FeedState> before,
                                                   std::string_view answer, Seconds now);

// What `tenken db build --json` says, put into the states of all feeds and of the step of building,
// which must be among them.
std::vector<store::FeedState> states_after_build(std::vector<store::FeedState> before, bool good,
                                                 std::string_view answer, Seconds now);

// Writes what the generation in use holds of each feed.
Result<> note_contents(sql::Pool& pool, const advisories::Meta& meta);

}  // namespace tenken::serve
