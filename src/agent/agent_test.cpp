// The agent's loop against a server that does not answer: how often it is asked, and what is said.
#include "agent/agent.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/files.h"
#include "base/file.h"
#include "crypto/x509.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

using std::chrono::milliseconds;

// Closes each connection, and counts them.
class DeadServer {
 public:
  DeadServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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
    }
  }

  Fd listener_;
  int port_ = 0;
  std::atomic<int> tries_ = 0;
  std::thread thread_;
};

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

  void enter(const State& state, int port) {
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
                             .release_key = {}},
                            authority.certificate, certificate, key));
  }

  test::Scratch directory_;
  std::array<int, 2> orders_{};
};

TEST_F(AgentLoop, a_server_that_is_away_is_asked_ever_more_seldom_and_told_of_once) {
  DeadServer server;
  const auto state = State::open(directory_ / "state");
  ASSERT_TRUE(state) << state.error().what;
  enter(*state, server.port());
  const auto collection = Collection::open({.rootfs = directory_ / "root"});
  ASSERT_TRUE(collection) << collection.error().what;
  std::vector<std::string> said;
  AgentOptions options{.version = "1", .orders = orders_[0]};
  options.timing = {.settle_ms = 10, .sweep_ms = 50, .first_wait_ms = 25, .longest_wait_ms = 200};
  options.log = [&](std::string_view line) { said.emplace_back(line); };
  std::thread agent([&] { EXPECT_TRUE(run(**collection, *state, options)); });
  std::this_thread::sleep_for(milliseconds(1'000));
  const int before = server.tries();
  install("2");
  std::this_thread::sleep_for(milliseconds(2'000));
  const int tries = server.tries() - before;
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
  EXPECT_EQ(names_in(state->path("spool")).value().size(), 2U);
}

}  // namespace
}  // namespace tenken::agent
