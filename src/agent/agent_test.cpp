// The agent's loop against a server that does not answer: how often it is asked, and what is said.
#include "agent/agent.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/files.h"
#include "agent/last_run.h"
#include "agent/pause.h"
#include "agent/reporter.h"
#include "base/file.h"
#include "crypto/x509.h"
#include "host/report.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

using std::chrono::milliseconds;

// Closes each connection, with an answer to what it was asked or without, and counts them.
class DeadServer {
 public:
  using Answer = std::function<std::string(std::string_view request)>;

  explicit DeadServer(Answer answer = {})
      : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    ::getsockname(listener_.get(), generic, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { work(); });
  }
  ~DeadServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return port_; }
  int tries() const { return tries_; }

 private:
  void work() {
    while (true) {
      const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      ++tries_;
      if (!answer_) continue;
      std::array<char, 4096> request;  // comes in one piece
      const auto got = ::recv(client.get(), request.data(), request.size(), 0);
      if (got <= 0) continue;
      const auto text = answer_({request.data(), static_cast<std::size_t>(got)});
      EXPECT_EQ(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
    }
  }

  Answer answer_;
  Fd listener_;
  int port_ = 0;
  std::atomic<int> tries_ = 0;
  std::thread thread_;
};

// The metadata service of a cloud, without tokens.
std::string metadata_of(std::string_view request, std::string_view instance) {
  const auto answer = [](std::string_view status, const std::string& body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
  };
  if (!request.starts_with("GET /latest/dynamic/instance-identity/document "))
    return answer("404 x", "");
  return answer("200 OK", fmt::format(R"({{"instanceId":"{}","accountId":"111122223333",)"
                                      R"("region":"eu-west-1","instanceType":"t3.micro",)"
                                      R"("imageId":"ami-0123456789abcdef0"}})",
                                      instance));
}

class AgentLoop : public ::testing::Test {
 protected:
  // The host's packages, as dpkg leaves them.
  void install(std::string_view version) {
    const auto text = fmt::format(
        "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\n",
        version);
    ASSERT_TRUE(write_file_atomic(directory_ / "root/var/lib/dpkg/status", text));
  }
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    directory_.write("root/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    directory_.write("root/var/lib/dpkg/status", "");
    install("1");
    ASSERT_EQ(::pipe2(orders_.data(), O_CLOEXEC), 0);
  }
  void TearDown() override {
    for (const int end : orders_) ::close(end);
  }

  // Its server closes each connection.
  State enrolled() {
    auto state = State::open(directory_ / "state");
    EXPECT_TRUE(state) << state.error().what;
    enter(*state, server_.port());
    return *std::move(state);
  }

  void enter(const State& state, int port, std::string machine = "") {
    const auto authority = crypto::make_ca("tenken CA", now()).value();
    const auto key = crypto::make_key().value();
    const auto certificate =
        crypto::issue_client_certificate(authority, crypto::make_certificate_request(key).value(),
                                         "agent", 86'400, now())
            .value();
    ASSERT_TRUE(state.enter({.server = fmt::format("https://127.0.0.1:{}", port),
                             .proxy = {},
                             .agent_id = "agent",
                             .resource_id = "mi-1",
                             .command_key = "key",
                             .release_key = {},
                             .machine = std::move(machine)},
                            authority.certificate, certificate, key));
  }

  // dpkg's text of so many packages.
  static std::string packages(int count, std::string_view version = "1") {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += fmt::format(
          "Package: p{:03}\nStatus: install ok installed\nArchitecture: all\nVersion: {}\n\n", i,
          version);
    return text;
  }
  void put_status(std::string_view text) {
    ASSERT_TRUE(write_file_atomic(directory_ / "root/var/lib/dpkg/status", text));
  }

  // This host, in a cloud.
  CollectionOptions in_cloud(const DeadServer& cloud) const {
    directory_.write("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    return {.rootfs = {},
            .cloud = fmt::format("127.0.0.1:{}", cloud.port()),
            .sys = directory_ / "sys"};
  }
  // The last report named the instance, and another one waits.
  static void report_as(const State& state, const std::string& instance) {
    host::HostReport report;
    report.facts.cloud = {.provider = "aws", .instance_id = instance};
    ASSERT_TRUE(state.put_report({.sequence = 7, .lines = host::report_lines(report)}));
    report.facts.kernel = "6.1";
    ASSERT_TRUE(Reporter::open(state)->note(host::report_lines(report)));
  }
  static std::vector<std::string> waiting(const State& state) {
    std::vector<std::string> out;
    auto spool = Spool::open(state.path("spool")).value();
    while (const auto report = spool.oldest()) {
      out.push_back(report->body);
      spool.remove(report->sequence);
    }
    return out;
  }

  test::Scratch directory_;
  DeadServer server_;
  std::array<int, 2> orders_{};
};

// An agent at work on the root whose server does not answer: what it says it has to report.
class AgentAtWork {
 public:
  AgentAtWork(const State& state, CollectionOptions where, Timing timing, std::array<int, 2> orders)
      : orders_(orders), collection_(Collection::open(std::move(where)).value()) {
    options_ = {.version = "1", .timing = timing, .orders = orders[0]};
    options_.log = [this](std::string_view line) {
      const std::scoped_lock lock(mutex_);
      if (line.starts_with("report ")) reports_.emplace_back(line);
    };
    thread_ = std::thread([this, &state] { EXPECT_TRUE(run(*collection_, state, options_)); });
  }
  ~AgentAtWork() {
    order('t');
    thread_.join();
  }
  void order(char what) const { EXPECT_EQ(::write(orders_[1], &what, 1), 1); }
  std::vector<std::string> reports() const {
    const std::scoped_lock lock(mutex_);
    return reports_;
  }
  // Whether there are so many within the time.
  bool come(std::size_t count, int within_ms) const {
    for (int waited = 0; waited < within_ms && reports().size() < count; waited += 5)
      std::this_thread::sleep_for(milliseconds(5));
    return reports().size() == count;
  }

 private:
  std::array<int, 2> orders_;
  std::unique_ptr<Collection> collection_;
  AgentOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::string> reports_;
  std::thread thread_;
};

constexpr int soon_ms = 2'000;
constexpr int never_ms = 600'000;

TEST_F(AgentLoop, a_server_that_is_away_is_asked_ever_more_seldom_and_told_of_once) {
  const auto state = enrolled();
  const auto collection = Collection::open({.rootfs = directory_ / "root"});
  ASSERT_TRUE(collection) << collection.error().what;
  std::vector<std::string> said;
  AgentOptions options{.version = "1", .orders = orders_[0]};
  options.timing = {.settle_ms = 10, .sweep_ms = 50, .first_wait_ms = 25, .longest_wait_ms = 200};
  options.log = [&](std::string_view line) { said.emplace_back(line); };
  std::thread agent([&] { EXPECT_TRUE(run(**collection, state, options)); });
  std::this_thread::sleep_for(milliseconds(1'000));
  const int before = server_.tries();
  install("2");
  std::this_thread::sleep_for(milliseconds(2'000));
  const int tries = server_.tries() - before;
  ASSERT_EQ(::write(orders_[1], "t", 1), 1);
  agent.join();
  // By now it waits for 100 to 200 ms.
  EXPECT_GE(tries, 3);
  EXPECT_LE(tries, 25);
  const auto count = [&](std::string_view text) {
    return std::ranges::count_if(said, [&](const auto& line) { return line.contains(text); });
  };
  EXPECT_EQ(count("report "), 2) << "the host is watched all the same";
  EXPECT_EQ(said.size(), 4U) << fmt::format("{}", fmt::join(said, "\n"));
  EXPECT_EQ(names_in(state.path("spool")).value().size(), 2U);
}

TEST_F(AgentLoop, what_can_never_be_read_delays_nothing) {
  const std::pair<std::string_view, std::string_view> lasting[] = {
      {"var/lib/rpm/Packages.db", ""},
      {"var/lib/dpkg/status.d/empty", ""},
      {"var/lib/ubuntu-advantage/status.json", "nonsense"}};
  for (const auto& [file, text] : lasting) directory_.write(fmt::format("root/{}", file), text);
  put_status(packages(3) + "Package: broken\nStatus: install ok installed\n\n");
  const auto state = enrolled();
  const AgentAtWork agent(
      state, {.rootfs = directory_ / "root"},
      {.settle_ms = 10, .sweep_ms = 50, .doubt_ms = never_ms, .doubt_at_most_ms = never_ms},
      orders_);
  EXPECT_TRUE(agent.come(1, soon_ms));
  put_status(packages(4));
  EXPECT_TRUE(agent.come(2, soon_ms));
}

TEST_F(AgentLoop, a_root_without_any_package_database_is_reported_at_once) {
  ASSERT_EQ(::unlink((directory_ / "root/var/lib/dpkg/status").c_str()), 0);
  const auto state = enrolled();
  const AgentAtWork agent(state, {.rootfs = directory_ / "root"},
                          {.doubt_ms = never_ms, .doubt_at_most_ms = never_ms}, orders_);
  EXPECT_TRUE(agent.come(1, soon_ms));
}

TEST_F(AgentLoop, a_cut_database_is_waited_for_once) {
  const auto state = enrolled();
  put_status(packages(20));
  const AgentAtWork agent(state, {.rootfs = directory_ / "root"},
                          {.settle_ms = 10, .sweep_ms = 50, .doubt_ms = 700}, orders_);
  ASSERT_TRUE(agent.come(1, soon_ms));
  const auto text = packages(20);
  put_status(text.substr(0, text.size() - 30));
  std::this_thread::sleep_for(milliseconds(400));
  EXPECT_EQ(agent.reports().size(), 1U) << "it may be whole in a moment";
  put_status(text);
  std::this_thread::sleep_for(milliseconds(1'500));
  EXPECT_EQ(agent.reports().size(), 1U) << "nothing was cut after all";
  put_status(text.substr(0, text.size() - 30));
  EXPECT_TRUE(agent.come(2, 5'000)) << "it stays cut";
  // What is known already is not waited for a second time.
  const auto began = std::chrono::steady_clock::now();
  const auto other = packages(20, "2");
  put_status(other.substr(0, other.size() - 30));
  EXPECT_TRUE(agent.come(3, soon_ms));
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(600));
}

TEST(AgentPause, looks_that_take_long_come_less_often) {
  using std::chrono::minutes;
  EXPECT_EQ(pause_after(milliseconds(1), minutes(15)), minutes(15));
  EXPECT_EQ(pause_after(milliseconds(25), minutes(15)), minutes(30)) << "50 ms an hour";
  EXPECT_EQ(pause_after(milliseconds(900), minutes(15)), minutes(60)) << "within the hour";
}

TEST_F(AgentLoop, a_great_loss_of_packages_is_looked_at_twice) {
  const auto state = enrolled();
  put_status(packages(40));
  const AgentAtWork agent(state, {.rootfs = directory_ / "root"},
                          {.settle_ms = 10, .sweep_ms = 50, .doubt_ms = 700}, orders_);
  ASSERT_TRUE(agent.come(1, soon_ms));
  put_status(packages(20));
  std::this_thread::sleep_for(milliseconds(400));
  EXPECT_EQ(agent.reports().size(), 1U);
  put_status(packages(41));
  EXPECT_TRUE(agent.come(2, soon_ms));
  put_status(packages(20));
  EXPECT_TRUE(agent.come(3, 5'000)) << "the packages are gone";
  EXPECT_EQ(agent.reports(),
            (std::vector<std::string>{"report 1: 40 packages", "report 2: 41 packages",
                                      "report 3: 20 packages"}));
  put_status(packages(18));
  EXPECT_TRUE(agent.come(4, 600)) << "few are gone";
}

TEST_F(AgentLoop, asked_for_it_takes_the_inventory_that_nothing_told_of) {
  // The kernel tells of no directory that comes, and no look is due.
  const auto place = directory_ / "root/var/lib/dpkg";
  const auto aside = directory_ / "root/aside";
  ASSERT_EQ(::rename(place.c_str(), aside.c_str()), 0);
  const auto state = enrolled();
  const AgentAtWork agent(state, {.rootfs = directory_ / "root"},
                          {.settle_ms = 10, .sweep_ms = never_ms}, orders_);
  ASSERT_TRUE(agent.come(1, soon_ms));
  ASSERT_EQ(::rename(aside.c_str(), place.c_str()), 0);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(agent.reports().size(), 1U);
  agent.order('c');
  EXPECT_TRUE(agent.come(2, soon_ms));
}

TEST_F(AgentLoop, the_cloud_is_not_asked_while_a_report_waits) {
  const DeadServer cloud;
  const auto state = enrolled();
  const auto where = in_cloud(cloud);
  {
    const AgentAtWork agent(state, where, {.first_wait_ms = 20, .longest_wait_ms = 50}, orders_);
    EXPECT_TRUE(agent.come(1, 20'000));
    std::this_thread::sleep_for(milliseconds(300));
    EXPECT_GE(server_.tries(), 2);
    EXPECT_EQ(cloud.tries(), 0);
  }
  const auto collection = Collection::open(where).value();
  EXPECT_FALSE(collection->ask_cloud());
  EXPECT_EQ(cloud.tries(), 1);
}

TEST_F(AgentLoop, a_copy_of_an_instance_says_nothing_in_its_name) {
  const std::string original = "i-0aaaaaaaaaaaaaaa0";
  const std::string own = "i-0fedcba9876543210";
  const DeadServer cloud([&](std::string_view request) { return metadata_of(request, own); });
  const auto state = enrolled();
  report_as(state, original);
  {
    const AgentAtWork agent(state, in_cloud(cloud), {}, orders_);
    EXPECT_TRUE(agent.come(1, 20'000));
  }
  const auto reports = waiting(state);
  ASSERT_EQ(reports.size(), 1U) << "what waited was the other's";
  EXPECT_TRUE(reports[0].contains(own));
  EXPECT_FALSE(reports[0].contains(original));
  EXPECT_EQ(host::cloud_of(state.last_report().lines).instance_id, own);
}

TEST_F(AgentLoop, an_instance_whose_cloud_is_silent_is_what_it_was) {
  const DeadServer cloud;
  const auto state = enrolled();
  report_as(state, "i-0123456789abcdef0");
  {
    const AgentAtWork agent(state, in_cloud(cloud), {}, orders_);
    EXPECT_TRUE(agent.come(1, 20'000));
  }
  EXPECT_EQ(cloud.tries(), 1);
  EXPECT_EQ(waiting(state).size(), 2U);
  EXPECT_EQ(host::cloud_of(state.last_report().lines).instance_id, "i-0123456789abcdef0");
}

TEST_F(AgentLoop, a_state_of_another_machine_says_so_in_its_status) {
  directory_.write("root/etc/machine-id", std::string(32, '1') + "\n");
  const auto state = enrolled();
  enter(state, server_.port(), std::string(64, '2'));
  const auto collection = Collection::open({.rootfs = directory_ / "root"}).value();
  const auto ended = run(*collection, state, {.version = "1"});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::invalid);
  const auto status = read_file(state.path("status"), 4096).value_or("none");
  EXPECT_TRUE(status.contains("a host with another machine id enrolled with this state")) << status;
}

TEST_F(AgentLoop, what_the_last_run_did_holds_for_an_hour_where_nothing_changed) {
  const auto state = enrolled();
  const auto collection = Collection::open({.rootfs = directory_ / "root"}).value();
  collection->watch().keep();
  const LastRun last(state, *collection, "1", 3'600'000);
  EXPECT_FALSE(last.has_looked("digest"));
  last.note_look("digest");
  last.note_question();
  EXPECT_TRUE(last.has_looked("digest"));
  EXPECT_TRUE(last.has_asked_cloud());
  EXPECT_FALSE(last.has_looked("another"));
  EXPECT_FALSE(LastRun(state, *collection, "2", 3'600'000).has_looked("digest"));
  EXPECT_FALSE(LastRun(state, *collection, "1", 0).has_asked_cloud());
  // On another host, or a copy of this one, the files are others.
  install("2");
  collection->watch().keep();
  EXPECT_FALSE(last.has_looked("digest"));
  EXPECT_FALSE(last.has_asked_cloud());
  last.note_look("digest");
  EXPECT_TRUE(last.has_looked("digest"));
  EXPECT_FALSE(last.has_asked_cloud()) << "the other host did";
  install("3");
  collection->watch().keep();
  last.note_question();
  EXPECT_TRUE(last.has_asked_cloud());
  EXPECT_FALSE(last.has_looked("digest")) << "the other host did";
}

TEST(Collection, what_did_not_change_is_not_read_again) {
  const test::Scratch root;
  root.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  root.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n");
  const auto collection = Collection::open({.rootfs = root.path()}).value();
  const auto first = collection->observe().value();
  EXPECT_TRUE(first.fresh);
  EXPECT_EQ(first.packages, 1U);
  ASSERT_EQ(first.doubts.size(), 1U);
  EXPECT_TRUE(std::ranges::binary_search(first.lines, first.doubts[0]));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(collection->observe()->fresh);
  root.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 2\n\n");
  const auto second = collection->observe().value();
  EXPECT_TRUE(second.fresh);
  EXPECT_TRUE(second.doubts.empty());
}

}  // namespace
}  // namespace tenken::agent
