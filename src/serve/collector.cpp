#include "serve/collector.h"

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "pipeline/collect.h"
#include "serve/child_process.h"
#include "serve/sleeper.h"
#include "store/collect_targets.h"

namespace tenken::serve {
namespace {

constexpr auto look_interval = std::chrono::seconds(2);
constexpr std::size_t at_once = 4;
constexpr Seconds copy_seconds = 300;
constexpr Seconds child_seconds = copy_seconds + 60;
constexpr Seconds lease_seconds = 2 * child_seconds + 60;  // it may be asked twice
constexpr std::size_t longest_resource = 341;
constexpr std::size_t shown_error = 500;

std::vector<std::pair<std::string, std::string>> tags_of(const std::string& document) {
  json::Parser parser;
  const auto tags = parser.parse(document);
  CHECK(tags.has_value());  // ours
  std::vector<std::pair<std::string, std::string>> out;
  tags->for_each_member([&](std::string_view name, const json::Value& value) {
    out.emplace_back(std::string(name), std::string(value.string()));
  });
  return out;
}

Result<> empty_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) std::filesystem::create_directories(path, error);
  if (error) return from_errno(error.value(), path);
  return {};
}

class RunningCollector : public Collector {
 public:
  explicit RunningCollector(CollectorOptions options) : options_(std::move(options)) {
    std::error_code ignored;  // each run says so
    std::filesystem::remove_all(directory() + "/copies", ignored);
    for (std::size_t i = 0; i < at_once; ++i) threads_[i] = std::thread([this, i] { work(i); });
  }
  ~RunningCollector() override { stop(); }

  void stop() override {
    for (auto& sleeper : sleepers_) sleeper.stop();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  void work(std::size_t number) {
    do {
      while (!sleepers_[number].stopping()) {
        const auto asked = ask_next(number);
        if (!asked) options_.log->note(Level::error, "collect", {{"error", asked.error().what}});
        if (!asked.value_or(false)) break;
      }
    } while (sleepers_[number].sleep(look_interval));
  }

  // False: none is due.
  Result<bool> ask_next(std::size_t number) {
    auto target = lease();
    if (!target) return std::move(target).error();
    if (!*target) return false;
    auto& one = **target;
    const auto taken = take(one, number);
    if (sleepers_[number].stopping()) return false;  // its lease ends, and it has its turn again
    one.attempted = options_.clock();
    one.failures = taken ? 0 : one.failures + 1;
    one.last_error = taken ? "" : taken.error().what.substr(0, shown_error);
    if (taken) one.succeeded = one.attempted;
    one.next =
        one.attempted + (taken ? one.interval : store::retry_after(one.interval, one.failures));
    if (!taken)
      options_.log->note(Level::warning, "collect",
                         {{"host", one.host}, {"error", one.last_error}});
    TRY(auto connection, options_.pool->lease());
    TRY_VOID(store::finish_collect_target(*connection, one, options_.node));
    return true;
  }

  Result<std::optional<store::CollectTarget>> lease() {
    TRY(auto connection, options_.pool->lease());
    std::error_code ignored;
    if (!std::filesystem::exists(known_hosts(), ignored)) {
      TRY(const auto due, store::is_collection_due(*connection, options_.clock()));
      if (due) note_no_hosts_known();
      return std::optional<store::CollectTarget>();
    }
    return store::lease_collect_target(*connection, options_.node, options_.clock(), lease_seconds);
  }

  // Another node may know them: here nobody is asked.
  void note_no_hosts_known() {
    if (!noted_.exchange(true))
      options_.log->note(Level::warning, "collect",
                         {{"error", fmt::format("{}: put the hosts' keys there: this node asks no "
                                                "host until then",
                                                known_hosts())}});
  }

  std::string directory() const { return options_.data_directory + "/ssh"; }
  std::string known_hosts() const { return directory() + "/known_hosts"; }
  // Copies of hosts while they are read. Those of children that were ended would stay.
  std::string copies(std::size_t number) const {
    return fmt::format("{}/copies/{}", directory(), number);
  }

  // The whole, or nothing.
  Result<> take(store::CollectTarget& target, std::size_t number) {
    const auto file = fmt::format("{}/collected-{}.json", directory(), number);
    std::error_code ignored;  // what is there is replaced
    std::filesystem::remove(file, ignored);
    TRY(auto resource, ask(target, file, number));
    TRY(const bool doubtful, is_great_loss(target, resource, file));
    if (doubtful) {
      TRY(resource, ask(target, file, number));
    }
    auto stored = store(target, file, resource);
    std::filesystem::remove(file, ignored);
    return stored;
  }

  // What the host is; the file has its inventory.
  Result<std::string> ask(const store::CollectTarget& target, const std::string& file,
                          std::size_t number) {
    TRY_VOID(empty_directory(copies(number)));
    TRY(const auto answer,
        run_child(command(target, file, number), [&] { return sleepers_[number].stopping(); }));
    if (answer.code != 0) return unavailable(fault_of(answer.output));
    const auto resource = trim(answer.output);
    if (resource.empty() || resource.size() > longest_resource || printable(resource) != resource)
      return invalid("the host has no machine id to name it by");
    return std::string(resource);
  }

  Result<bool> is_great_loss(const store::CollectTarget& target, std::string_view resource,
                             const std::string& file) const {
    TRY(auto connection, options_.pool->lease());
    return pipeline::is_great_loss(*connection, target.account, resource, file);
  }

  ChildCommand command(const store::CollectTarget& target, const std::string& file,
                       std::size_t number) const {
    ChildCommand out{
        .words = {options_.program, "collect", "--lang", "en", "--ssh", target.host, "--port",
                  fmt::format("{}", target.port), "--known-hosts", known_hosts(), "--timeout",
                  fmt::format("{}", copy_seconds), "--save", file},
        .environment = {{"TMPDIR", copies(number)}},
        .limit = std::chrono::seconds(child_seconds)};
    std::error_code ignored;
    if (std::filesystem::exists(directory() + "/id", ignored)) {
      out.words.emplace_back("--identity");
      out.words.push_back(directory() + "/id");
    }
    return out;
  }

  // The last line, without the program's name before it.
  static std::string fault_of(std::string_view output) {
    std::string_view last;
    for_each_line(output, [&](std::string_view line) {
      if (!trim(line).empty()) last = trim(line);
    });
    constexpr std::string_view name = "tenken: ";
    if (last.starts_with(name)) last.remove_prefix(name.size());
    return last.empty() ? "it ended without a word" : printable(last);
  }

  Result<> store(store::CollectTarget& target, const std::string& file,
                 std::string_view resource) const {
    {
      TRY(auto connection, options_.pool->lease());
      TRY_VOID(store::claim_resource(*connection, target, options_.node, resource));
    }
    return pipeline::put_collected(*options_.ingest,
                                   {.account = target.account,
                                    .external_id = target.resource,
                                    .region = options_.region,
                                    .tags = tags_of(target.tags),
                                    .received = options_.clock(),
                                    .agentless = true},
                                   file);
  }

  CollectorOptions options_;
  std::atomic<bool> noted_ = false;
  std::array<Sleeper, at_once> sleepers_;
  std::array<std::thread, at_once> threads_;
};

}  // namespace

std::unique_ptr<Collector> Collector::start(CollectorOptions options) {
  return std::make_unique<RunningCollector>(std::move(options));
}

}  // namespace tenken::serve
