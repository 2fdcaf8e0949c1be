#include "serve/feed_schedule.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "feeds/feed.h"
#include "pipeline/database_location.h"
#include "serve/child_process.h"
#include "serve/host.h"
#include "serve/sleeper.h"

namespace tenken::serve {
namespace {

namespace fs = std::filesystem;

constexpr auto look_interval = std::chrono::seconds(5);
constexpr Seconds first_retry = 900;
constexpr std::size_t error_limit = 1'000;
constexpr std::size_t stamp_limit = 4'096;
constexpr auto leftover_age = std::chrono::hours(12);  // longer than any build
constexpr int seconds_per_minute = 60;

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

store::FeedState* find(std::vector<store::FeedState>& states, std::string_view feed) {
  const auto found = std::ranges::find(states, feed, &store::FeedState::feed);
  return found == states.end() ? nullptr : &*found;
}

// The JSON object stands on the last line, behind whatever else was said.
std::string_view last_line(std::string_view output) {
  output = trim(output);
  return output.substr(output.rfind('\n') + 1);
}

void note_attempt(store::FeedState& state, bool good, std::string_view error, Seconds now) {
  state.attempted = now;
  if (good) state.succeeded = now;
  state.last_error = valid_utf8(good ? std::string_view() : error.substr(0, error_limit));
}

// What a build could not read of a feed.
struct Faults {
  std::int64_t count = 0;
  std::string first;
};

Faults faults_of(const json::Value& built, std::string_view feed) {
  Faults out;
  built["faults"].for_each([&](const json::Value& one) {
    if (one["feed"].string() != feed) return;
    if (out.count++ == 0) out.first = one["error"].string();
  });
  return out;
}

// What a directory's files are known by: their number, sizes and times. Absent: it cannot be read.
Result<std::string> stamp_of(const std::string& directory) {
  std::error_code error;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t times = 0;
  fs::recursive_directory_iterator all(directory, error);
  for (; !error && all != fs::recursive_directory_iterator(); all.increment(error)) {
    std::error_code gone;  // meanwhile: the next look sees it
    if (!all->is_regular_file(gone)) continue;
    const auto time = all->last_write_time(gone).time_since_epoch().count();
    const auto name = std::hash<std::string>{}(all->path().string());
    ++files;
    bytes += all->file_size(gone);
    times += name ^ (static_cast<std::uint64_t>(time) * 0x9E37'79B9'7F4A'7C15U);
  }
  if (error) return from_errno(error.value(), directory);
  return fmt::format("{} {} {:016x}", files, bytes, times);
}

class RunningSchedule final : public FeedSchedule {
 public:
  explicit RunningSchedule(FeedScheduleOptions options)
      : options_(std::move(options)),
        node_(host_name()),
        turns_(read_file(stamp_file(), stamp_limit).value_or("")),
        thread_([this] { run(); }) {}
  ~RunningSchedule() override { stop(); }

  void stop() override {
    sleeper_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    remove_leftovers();
    do {
      const auto done = options_.feeds_directory.empty() ? fetch_due() : build_changed();
      if (!done && done.error().what != last_error_)
        options_.log->note(Level::error, "feeds", {{"error", done.error().what}});
      last_error_ = done ? std::string() : done.error().what;
    } while (sleeper_.sleep(look_interval));
  }

  // Half-written generations of children that were killed.
  void remove_leftovers() const {
    std::error_code error;
    const auto now = fs::file_time_type::clock::now();
    for (const auto& entry : fs::directory_iterator(options_.directory, error)) {
      const bool old = now - entry.last_write_time(error) > leftover_age;
      if (old && entry.path().filename().string().starts_with("building."))
        fs::remove(entry.path(), error);
    }
  }

  Result<ChildAnswer> tenken(std::vector<std::string> words) {
    words.insert(words.begin(), options_.program);
    // TENKEN_DB is what `db build` takes for the directory of generations.
    return run_child({.words = std::move(words),
                      .environment = {{"TENKEN_DB", options_.directory}, {"LC_ALL", "C.UTF-8"}}},
                     [this] { return sleeper_.stopping(); });
  }

  Result<std::vector<store::FeedState>> states_of_this_node() {
    TRY(auto connection, options_.pool->lease());
    TRY(auto kept, store::feed_states(*connection));
    std::erase_if(kept, [&](const store::FeedState& one) { return one.node != node_; });
    return kept;
  }

  // This node's, of every feed that may lie in a directory, and of the step of building.
  Result<std::vector<store::FeedState>> states_of_all_feeds() {
    TRY(auto out, states_of_this_node());
    const auto add = [&](std::string_view feed) {
      if (find(out, feed) == nullptr) out.push_back({.node = node_, .feed = std::string(feed)});
    };
    for (const auto* feed : feeds::feeds()) add(feed->id);
    add(store::build_step);
    return out;
  }

  // This node's, one for each feed that it is to fetch.
  Result<std::vector<store::FeedState>> states() {
    TRY(auto kept, states_of_this_node());
    std::vector<store::FeedState> out;
    const auto take = [&](std::string_view feed, std::uint32_t minutes) {
      const auto* known = find(kept, feed);
      out.push_back(known != nullptr ? *known
                                     : store::FeedState{.node = node_, .feed = std::string(feed)});
      out.back().interval = static_cast<Seconds>(minutes) * seconds_per_minute;
    };
    for (const auto* feed : feeds::feeds()) {
      const bool wanted = options_.feeds.empty() || contains(options_.feeds, feed->id);
      if (wanted && !feed->fetching.start.empty()) take(feed->id, feed->fetching.interval_minutes);
    }
    take(store::build_step, 0);
    return out;
  }

  Result<> put(const std::vector<store::FeedState>& states) {
    TRY(auto connection, options_.pool->lease());
    return store::put_feed_attempts(*connection, states);
  }

  Result<> fetch_due() {
    TRY(auto before, states());
    const auto due = due_feeds(before, options_.clock());
    if (due.empty()) return {};
    options_.log->note(Level::info, "fetching feeds",
                       {{"feeds", fmt::format("{}", fmt::join(due, " "))}});
    TRY(const auto answer, tenken(update_words(due)));
    auto after = states_after(before, last_line(answer.output), options_.clock());
    if (!after) {
      // It ended without an answer: a wrong option, a crash.
      for (auto& one : before) {
        if (contains(due, one.feed) || one.feed == store::build_step)
          note_attempt(one, false, last_line(answer.output), options_.clock());
      }
      after = std::move(before);
    }
    tell(*after, due);
    return put(*after);
  }

  std::vector<std::string> update_words(const std::vector<std::string>& due) const {
    std::vector<std::string> words{"db",   "update",          "--json", "--only-if-changed",
                                   "--db", options_.directory};
    const auto add = [&](const char* option, const std::vector<std::string>& values) {
      for (const auto& value : values) {
        words.emplace_back(option);
        words.push_back(value);
      }
    };
    add("--feed", due);
    add("--ecosystem", options_.ecosystems);
    add("--mirror", options_.mirrors);
    return words;
  }

  void tell_failed(const store::FeedState& one) {
    if (one.last_error.empty()) return;
    options_.log->note(Level::warning, "feed failed",
                       {{"feed", one.feed}, {"failed", one.failed}, {"error", one.last_error}});
  }

  void tell(const std::vector<store::FeedState>& states, const std::vector<std::string>& tried) {
    for (const auto& one : states) {
      const bool was_tried = contains(tried, one.feed);
      if (was_tried || one.feed == store::build_step) tell_failed(one);
      if (was_tried && one.last_error.empty())
        options_.log->note(
            Level::info, "feed fetched",
            {{"feed", one.feed}, {"fetched", one.fetched}, {"unchanged", one.unchanged}});
    }
  }

  std::string stamp_file() const { return options_.directory + "/built-from.stamp"; }

  Result<> build_changed() {
    TRY(const auto stamp, stamp_of(options_.feeds_directory));
    if (!turns_.is_due(stamp, options_.clock())) return {};
    turns_.begin(stamp, options_.clock());
    options_.log->note(Level::info, "building advisories", {{"from", options_.feeds_directory}});
    TRY(const auto answer, tenken({"db", "build", "--json", "--from", options_.feeds_directory}));
    const bool good = answer.code == 0;
    if (good) turns_.succeed();
    TRY(auto before, states_of_all_feeds());
    const auto after =
        states_after_build(std::move(before), good, last_line(answer.output), options_.clock());
    for (const auto& one : after) tell_failed(one);
    if (good) TRY_VOID(write_file_atomic(stamp_file(), stamp));
    return put(after);
  }

  FeedScheduleOptions options_;
  std::string node_;
  Sleeper sleeper_;
  std::string last_error_;
  BuildTurns turns_;
  std::thread thread_;
};

}  // namespace

std::vector<std::string> due_feeds(const std::vector<store::FeedState>& states, Seconds now) {
  const auto failing = [](const store::FeedState& one) { return !one.last_error.empty(); };
  const auto due = [&](const store::FeedState& one) {
    // Since its last success it has failed for so long: it waits as long again.
    const auto failed_for = one.attempted - std::max(one.succeeded, one.attempted - one.interval);
    const auto wait =
        failing(one) ? std::clamp(failed_for, std::min(first_retry, one.interval), one.interval)
                     : one.interval;
    return one.feed != store::build_step && (now - one.attempted >= wait || now < one.attempted);
  };
  std::vector<std::string> out;
  if (std::ranges::none_of(states, due)) return out;
  for (const auto& one : states) {
    if (one.feed != store::build_step && (due(one) || failing(one))) out.push_back(one.feed);
  }
  return out;
}

bool BuildTurns::is_due(const std::string& stamp, Seconds now) {
  // Else whoever copies them may not have ended.
  const bool rested = std::exchange(seen_, stamp) == stamp;
  // What failed for want of room or of memory may succeed later, and a clock may be set back.
  const bool failed_just_now = stamp == begun_ && now >= begun_at_ && now < begun_at_ + first_retry;
  return rested && stamp != built_ && !failed_just_now;
}

void BuildTurns::begin(const std::string& stamp, Seconds now) {
  begun_ = stamp;
  begun_at_ = now;
}

Result<std::vector<store::FeedState>> states_after(std::vector<store::FeedState> before,
                                                   std::string_view answer, Seconds now) {
  json::Parser parser;
  TRY(const auto document, parser.parse(answer));
  if (!document["feeds"].is_array()) return invalid("no answer of an update");
  document["feeds"].for_each([&](const json::Value& one) {
    auto* state = find(before, one["feed"].string());
    if (state == nullptr) return;
    state->fetched = one["fetched"].integer().value_or(0);
    state->unchanged = one["unchanged"].integer().value_or(0);
    // What arrived and cannot be read is no success either.
    const auto faults = faults_of(document, state->feed);
    state->failed = one["failed"].integer().value_or(0) + faults.count;
    auto error = one["error"].string();
    if (error.empty()) error = faults.first;
    note_attempt(*state, state->failed == 0, error.empty() ? "failed" : error, now);
  });
  if (auto* build = find(before, store::build_step); build != nullptr) {
    const auto error = document["error"].string();
    note_attempt(*build, error.empty(), error, now);
  }
  return before;
}

std::vector<store::FeedState> states_after_build(std::vector<store::FeedState> before, bool good,
                                                 std::string_view answer, Seconds now) {
  json::Parser parser;
  const auto document = parser.parse(answer);
  // Of a feed of which nothing lies there, and never did, there is nothing to say. One that failed
  // and whose file was removed no longer fails: that is to be written over what was said of it.
  std::set<std::string, std::less<>> known;
  for (auto& one : before) {
    if (one.feed == store::build_step || one.attempted != 0 || one.documents != 0)
      known.insert(one.feed);
    if (!good || !document || one.feed == store::build_step) continue;
    // How old the data is, nobody knows who did not fetch it: no success is noted.
    auto faults = faults_of(*document, one.feed);
    one.attempted = now;
    one.failed = faults.count;
    one.last_error = valid_utf8(faults.first.substr(0, error_limit));
  }
  std::erase_if(before, [&](const store::FeedState& one) {
    return one.failed == 0 && !known.contains(one.feed);
  });
  note_attempt(*find(before, store::build_step), good, answer, now);
  return before;
}

Result<> note_contents(sql::Pool& pool, const advisories::Meta& meta) {
  std::vector<store::FeedState> states;
  for (const auto& feed : meta.feeds)
    states.push_back({.node = host_name(),
                      .feed = feed.id,
                      .succeeded = feed.fetched,
                      .documents = static_cast<std::int64_t>(feed.documents),
                      .records = static_cast<std::int64_t>(feed.records),
                      .skipped = static_cast<std::int64_t>(feed.skipped),
                      .newest = feed.newest});
  TRY(auto connection, pool.lease());
  return store::put_feed_contents(*connection, host_name(), states);
}

std::unique_ptr<FeedSchedule> FeedSchedule::start(FeedScheduleOptions options) {
  return std::make_unique<RunningSchedule>(std::move(options));
}

}  // namespace tenken::serve
