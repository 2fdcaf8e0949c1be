#include "serve/housekeeper.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "access/audit.h"
#include "access/tokens.h"
#include "base/text.h"
#include "serve/backup.h"
#include "serve/child_process.h"
#include "serve/sleeper.h"
#include "serve/store_lock.h"
#include "store/holders.h"

namespace tenken::serve {
namespace {

constexpr Seconds keep_tokens = Seconds{31} * 86'400;  // after their end
constexpr auto watch_interval = std::chrono::seconds(1);
constexpr auto keep_interval = std::chrono::seconds(60);
constexpr int ping_wait_ms = 2'000;
// Checkpoints (sql/checkpointer.h) leave the log's file as long as it was; beyond this it is cut.
constexpr std::uintmax_t longest_log_bytes = std::uintmax_t{64} << 20;
constexpr int checkpoint_wait_ms = 200;  // writers wait meanwhile
constexpr Seconds tidying_interval = 3'600;

Result<std::uint64_t> free_bytes(const std::string& directory) {
  struct statvfs facts{};
  if (::statvfs(directory.c_str(), &facts) != 0) return from_errno(errno, directory);
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

class RunningHousekeeper final : public Housekeeper {
 public:
  explicit RunningHousekeeper(HousekeeperOptions options) : options_(std::move(options)) {
    watch_once();
    watcher_ = std::thread([this] {
      while (watch_sleep_.sleep(watch_interval)) watch_once();
    });
    keeper_ = std::thread([this] {
      do keep_once();
      while (keep_sleep_.sleep(keep_interval));
    });
  }
  ~RunningHousekeeper() override { stop(); }

  void stop() override {
    watch_sleep_.stop();
    keep_sleep_.stop();
    if (watcher_.joinable()) watcher_.join();
    if (keeper_.joinable()) keeper_.join();
  }

  std::string store_fault() const override {
    const std::lock_guard lock(mutex_);
    return store_fault_;
  }

  Counted counted() const override {
    const std::lock_guard lock(mutex_);
    return counted_;
  }

 private:
  bool on_sqlite() const { return options_.pool->engine() == sql::Engine::sqlite; }

  void watch_once() {
    const auto answered = ping();
    const auto fault = answered ? std::string() : answered.error().what;
    {
      const std::lock_guard lock(mutex_);
      if (fault.empty() != store_fault_.empty()) tell_store(fault);
      store_fault_ = fault;
    }
    watch_disk();
  }

  Result<> ping() {
    TRY(auto connection, options_.pool->lease(ping_wait_ms));
    TRY_VOID(connection->one_integer("SELECT 1"));
    return check_log();
  }

  // Nothing but this process takes its log away, and that only at its end. Whoever did it else, by
  // hand or by a copy of the directory put back, what is written from now on would be lost.
  Result<> check_log() {
    if (!on_sqlite()) return {};
    struct stat found{};
    const auto file = store_file(options_.data_directory) + "-wal";
    const auto log = ::stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
    if (log_ == 0) log_ = log;
    if (log == log_) return {};
    const std::string reason = "the store's log was removed or exchanged by somebody else";
    options_.ingest->refuse(reason);
    return unavailable(
        fmt::format("{}: {}; stop the server and look at the directory", file, reason));
  }

  void tell_store(const std::string& fault) {
    if (fault.empty()) {
      options_.log->note(Level::info, "the store answers again");
    } else {
      options_.log->note(Level::error, "the store does not answer", {{"error", fault}});
    }
  }

  void watch_disk() {
    const auto free = free_bytes(options_.data_directory);
    if (!free) return;
    {
      const std::lock_guard lock(mutex_);
      counted_.free_bytes = *free;
    }
    if (!on_sqlite() || options_.min_free_bytes == 0) return;
    const bool full = *free < options_.min_free_bytes;
    if (full == refusing_) return;
    refusing_ = full;
    options_.ingest->refuse(full ? "the server's disk is nearly full" : "");
    options_.log->note(full ? Level::error : Level::info,
                       full ? "the disk is nearly full: inventories are refused"
                            : "there is room on the disk again: inventories are accepted",
                       {{"free_bytes", static_cast<std::int64_t>(*free)},
                        {"min_free_bytes", static_cast<std::int64_t>(options_.min_free_bytes)}});
  }

  void keep_once() {
    attempt("key uses", options_.keys->write_uses());
    attempt("figures", count());
    attempt("retention", tidy());
    if (on_sqlite()) attempt("write-ahead log", cut_log());
    attempt("backup", backup_when_due());
  }

  void attempt(std::string_view what, const Result<>& done) {
    if (!done) options_.log->note(Level::warning, what, {{"error", done.error().what}});
  }

  Result<> count() {
    TRY(auto connection, options_.pool->lease());
    TRY(auto figures, store::count_figures(*connection, options_.clock()));
    const std::lock_guard lock(mutex_);
    counted_.figures = std::move(figures);
    counted_.at = options_.clock();
    return {};
  }

  // What has expired, was confirmed and who waits is looked for each minute, the rest once an hour.
  Result<> tidy() {
    const auto now = options_.clock();
    TRY(auto connection, options_.pool->lease());
    TRY_VOID(store::evaluate_confirmed(*connection, now));
    if (now < next_tidying_) {
      TRY_VOID(store::expire_resources(*connection, now));
      return store::catch_up_holders(*connection);
    }
    TRY(const auto done, store::keep_house(*connection, now, options_.retention));
    TRY(const auto events, access::prune_audit(*connection, now - options_.keep_audit));
    TRY_VOID(access::prune_tokens(*connection, now - keep_tokens));
    next_tidying_ = now + tidying_interval;
    if (done.expired + done.forgotten + done.findings + events > 0)
      options_.log->note(Level::info, "tidied up",
                         {{"expired_resources", done.expired},
                          {"forgotten_resources", done.forgotten},
                          {"deleted_findings", done.findings},
                          {"deleted_audit_events", events}});
    return {};
  }

  Result<> cut_log() {
    const auto file = store_file(options_.data_directory);
    std::error_code error;
    const auto size = std::filesystem::file_size(file + "-wal", error);
    if (error || size < longest_log_bytes) return {};
    TRY(auto connection, sql::open({.sqlite_file = file, .lock_wait_ms = checkpoint_wait_ms}));
    TRY_VOID(connection->one_integer("PRAGMA wal_checkpoint(TRUNCATE)"));
    return {};
  }

  Result<> backup_when_due() {
    const auto& rules = options_.backup;
    if (rules.directory.empty()) return {};
    const auto now = options_.clock();
    const auto newest = newest_backup(rules.directory);
    {
      const std::lock_guard lock(mutex_);
      counted_.last_backup = newest;
    }
    if (now - newest < rules.interval || now < next_backup_try_) return {};
    const auto file = fmt::format("{}/{}", rules.directory, backup_name(now));
    const auto made = make_backup(file);
    next_backup_try_ = now + backup_pause(made.has_value(), rules.interval);
    TRY_VOID(made);
    options_.log->note(Level::info, "backup made and verified", {{"file", file}});
    remove_old_backups(rules.directory, rules.keep);
    const std::lock_guard lock(mutex_);
    counted_.last_backup = now;
    return {};
  }

  Result<> make_backup(const std::string& file) {
    TRY(const auto answer, run_child({.words = {options_.program, "admin", "backup", file, "--data",
                                                options_.data_directory}},
                                     [this] { return keep_sleep_.stopping(); }));
    if (answer.code != 0) return unavailable(std::string(trim(answer.output)));
    return {};
  }

  HousekeeperOptions options_;
  mutable std::mutex mutex_;
  std::string store_fault_;
  Counted counted_;
  bool refusing_ = false;        // of the watcher, as the next
  ino_t log_ = 0;                // of SQLite's write-ahead log; 0: there was none yet
  Seconds next_backup_try_ = 0;  // of the keeper, as the next
  Seconds next_tidying_ = 0;
  Sleeper watch_sleep_;
  Sleeper keep_sleep_;
  std::thread watcher_;
  std::thread keeper_;
};

}  // namespace

std::unique_ptr<Housekeeper> Housekeeper::start(HousekeeperOptions options) {
  return std::make_unique<RunningHousekeeper>(std::move(options));
}

}  // namespace tenken::serve
