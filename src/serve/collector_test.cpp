#include "serve/collector.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "store/collect_targets.h"
#include "store/resources.h"
#include "store/schema.h"
#include "support/scratch.h"

namespace tenken::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view account = "111122223333";

// Stands in for `tenken collect --save`: the host is its fifth word, and is what its machine id is
// made from up to a dash. It notes what of earlier copies is there, and leaves one. Of packages it
// has those of the file "packages", which becomes "packages.next" where there is one.
constexpr std::string_view program = R"sh(#!/bin/sh
host=$5
while [ "$1" != --save ]; do shift; done
ls "$TMPDIR" >> "${0%/*}/left"
mkdir "$TMPDIR/tenken-copy-1"
printf '%s' '{"format":"tenken-inventory","version":1,"target":"host","name":"'$host'",' > "$2"
printf '%s' '"databasesRead":1,"packages":['"$(cat "${0%/*}/packages" 2>/dev/null)"']}' >> "$2"
echo >> "${0%/*}/asked"
[ ! -e "${0%/*}/packages.next" ] || mv "${0%/*}/packages.next" "${0%/*}/packages"
echo "mi-${host%-*}"
)sh";

class CollectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scratch_.write("program", program);
    fs::permissions(scratch_ / "program", fs::perms::owner_all);
    pool_.emplace(sql::Location{.sqlite_file = scratch_ / "tenken.db"}, 8);
    const auto migrated = store::migrate(**pool_->lease());
    ASSERT_TRUE(migrated) << migrated.error().what;
    ingest_.emplace(*pool_, [] {});
    log_ = Log::open(scratch_ / "log").value();
  }

  void add(std::string_view host) {
    const auto added = store::add_collect_target(**pool_->lease(), {.account = std::string(account),
                                                                    .host = std::string(host),
                                                                    .interval = 3'600,
                                                                    .created = 10});
    ASSERT_TRUE(added) << added.error().what;
  }
  std::unique_ptr<Collector> start() {
    return Collector::start({.pool = &*pool_,
                             .ingest = &*ingest_,
                             .log = log_.get(),
                             .clock = [] { return Seconds{20}; },
                             .node = "node-1",
                             .program = scratch_ / "program",
                             .data_directory = scratch_.path(),
                             .region = "us-east-1"});
  }
  static std::string packages(int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += fmt::format(R"({}{{"kind":"deb","name":"p{}","version":"1"}})", i == 0 ? "" : ",", i);
    return out;
  }
  // One turn of the host, which is put anew. The packages that the store has then.
  std::int64_t collect(std::string_view host) {
    EXPECT_TRUE(store::remove_collect_target(**pool_->lease(), account, host));
    add(host);
    const auto collector = start();
    wait_for_all();
    collector->stop();
    EXPECT_EQ(targets()[0].last_error, "");
    const auto resource = store::find_resource(**pool_->lease(), account, "mi-web").value();
    return resource ? resource->packages : -1;
  }
  std::ptrdiff_t times_asked() {
    return std::ranges::count(read_file(scratch_ / "asked", 100).value_or(""), '\n');
  }
  std::vector<store::CollectTarget> targets() {
    return store::collect_targets(**pool_->lease(), account).value();
  }
  static void wait_for(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing came";
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void wait_for_all() {
    wait_for([&] { return std::ranges::all_of(targets(), &store::CollectTarget::attempted); });
  }

  test::Scratch scratch_;
  std::optional<sql::Pool> pool_;
  std::optional<pipeline::Ingest> ingest_;
  std::unique_ptr<Log> log_;
};

TEST_F(CollectorTest, of_two_hosts_with_one_machine_id_one_counts) {
  scratch_.write("ssh/known_hosts", "");
  add("web-1");
  add("web-2");
  const auto collector = start();
  wait_for_all();
  collector->stop();
  auto both = targets();
  std::ranges::sort(both, {}, &store::CollectTarget::failures);
  EXPECT_EQ(both[0].resource, "mi-web");
  EXPECT_EQ(both[0].last_error, "");
  EXPECT_EQ(both[1].resource, "");
  EXPECT_EQ(both[1].failures, 1);
  EXPECT_TRUE(both[1].last_error.contains(fmt::format("as {} does", both[0].host)))
      << both[1].last_error;
  const auto resource = store::find_resource(**pool_->lease(), account, "mi-web").value();
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource->name, both[0].host);
}

TEST_F(CollectorTest, a_great_loss_counts_when_it_is_seen_twice) {
  scratch_.write("ssh/known_hosts", "");
  scratch_.write("packages", packages(40));
  EXPECT_EQ(collect("web-1"), 40);
  EXPECT_EQ(times_asked(), 1);
  // What was the middle of a change is whole when the host is asked again.
  scratch_.write("packages", packages(20));
  scratch_.write("packages.next", packages(39));
  EXPECT_EQ(collect("web-1"), 39);
  EXPECT_EQ(times_asked(), 3);
  scratch_.write("packages", packages(20));
  EXPECT_EQ(collect("web-1"), 20);
  EXPECT_EQ(times_asked(), 5);
  EXPECT_EQ(collect("web-1"), 20);
  EXPECT_EQ(times_asked(), 6);
}

TEST_F(CollectorTest, without_known_hosts_nobody_is_asked_and_the_log_says_so_once) {
  add("web-1");
  const auto collector = start();
  const auto noted = [&] { return read_file(scratch_ / "log", 1 << 20).value_or(""); };
  wait_for([&] { return noted().contains("known_hosts: put the hosts' keys there"); });
  collector->stop();
  EXPECT_EQ(targets()[0].attempted, 0);
  EXPECT_EQ(targets()[0].last_error, "");
  EXPECT_EQ(std::ranges::count(noted(), '\n'), 1);
  const auto leased = store::lease_collect_target(**pool_->lease(), "node-2", 20, 100);
  EXPECT_TRUE(leased.value()) << "it is another node's";
}

TEST_F(CollectorTest, what_an_ended_child_left_is_gone_before_the_next) {
  scratch_.write("ssh/known_hosts", "");
  scratch_.write("ssh/copies/9/tenken-copy-2/answer", "x");
  for (int i = 0; i < 9; ++i) add(fmt::format("web{}-1", i));  // more than ask at once
  const auto collector = start();
  wait_for_all();
  collector->stop();
  for (const auto& one : targets()) EXPECT_EQ(one.last_error, "") << one.host;
  EXPECT_EQ(read_file(scratch_ / "left", 1 << 20).value(), "");
  EXPECT_FALSE(fs::exists(scratch_ / "ssh/copies/9"));
}

}  // namespace
}  // namespace tenken::serve
