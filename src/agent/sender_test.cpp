// A request over a thin line: a server that takes little at a time, or nothing.
#include "agent/sender.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

using std::chrono::milliseconds;

constexpr int records = 64;  // that are taken after a pause: 256 KiB

// Answers one request, of which it takes a piece after each pause. Until its end.
class SlowServer {
 public:
  SlowServer(const test::Scratch& directory, std::size_t body_bytes, milliseconds pause)
      : body_bytes_(body_bytes),
        pause_(pause),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_TRUE(crypto::load_openssl());
    const auto authority = crypto::make_ca("tenken CA", now()).value();
    const std::vector<std::string> names{"127.0.0.1"};
    const auto identity = crypto::issue_server_certificate(authority, names, now()).value();
    directory.write("ca.pem", authority.certificate);
    directory.write("server.pem", identity.key + identity.certificate);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    const auto file = directory / "server.pem";
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_.get(), file.c_str()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_.get(), file.c_str(), SSL_FILETYPE_PEM), 1);
    listen();
    thread_ = std::thread([this] { work(); });
  }
  ~SlowServer() {
    ended_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }
  bool is_connected() const { return connected_; }

 private:
  void listen() {
    const int little = 128 << 10;  // what the system takes for it beforehand
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    ::getsockname(listener_.get(), generic, &size);
    port_ = ntohs(address.sin_port);
  }

  void pause() const {
    const auto until = std::chrono::steady_clock::now() + pause_;
    while (!ended_ && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(milliseconds(5));
  }

  void work() {
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    const std::unique_ptr<SSL, crypto::Freed<SSL_free>> session(SSL_new(context_.get()));
    SSL_set_fd(session.get(), client.get());
    if (SSL_accept(session.get()) != 1) return;
    connected_ = true;
    std::vector<char> piece(16'384);
    std::size_t taken = 0;
    while (taken < body_bytes_ && !ended_) {
      pause();
      for (int i = 0; i < records && taken < body_bytes_ && !ended_; ++i) {
        std::size_t got = 0;
        if (SSL_read_ex(session.get(), piece.data(), piece.size(), &got) != 1) return;
        taken += got;
      }
    }
    constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";
    std::size_t sent = 0;
    if (!ended_) SSL_write_ex(session.get(), answer.data(), answer.size(), &sent);
    while (!ended_) pause();
  }

  std::size_t body_bytes_;
  milliseconds pause_;
  std::unique_ptr<SSL_CTX, crypto::Freed<SSL_CTX_free>> context_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> connected_ = false;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class ThinLine : public ::testing::Test {
 protected:
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }  // as the program does
  SenderOptions to(const SlowServer& server, int connect_ms, int send_ms) const {
    return {.server = {.host = "127.0.0.1", .port = server.port()},
            .proxy = {},
            .ca = directory_ / "ca.pem",
            .identity = {},
            .connect_ms = connect_ms,
            .send_ms = send_ms};
  }
  static Outgoing report(std::size_t bytes) {
    return {.path = "/", .headers = {}, .body = std::string(bytes, 'x')};
  }

  test::Scratch directory_;
};

constexpr std::size_t body = std::size_t{12} << 20;  // more than a system holds of a connection
constexpr int minutes = 600'000;

// 48 pauses: in all, longer than the server may take nothing.
TEST_F(ThinLine, a_report_may_take_longer_than_a_standstill) {
  const SlowServer server(directory_, body, milliseconds(80));
  Sender sender(to(server, 1'500, minutes));
  const auto answer = sender.exchange(report(body), minutes);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "done");
}

TEST_F(ThinLine, a_server_that_takes_nothing_is_given_up) {
  const SlowServer server(directory_, body, milliseconds(minutes));
  Sender sender(to(server, 500, minutes));
  const auto asked = sender.ask(report(body));
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().what, "sending: the server took too long");
}

TEST_F(ThinLine, a_request_has_no_more_than_its_time) {
  const SlowServer server(directory_, std::size_t{1} << 40, milliseconds(50));
  Sender sender(to(server, minutes, 500));
  const auto asked = sender.ask(report(body));
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().what, "sending: the server took too long");
}

TEST_F(ThinLine, one_that_is_told_to_end_waits_for_nothing) {
  const SlowServer server(directory_, body, milliseconds(minutes));
  auto how = to(server, minutes, minutes);
  how.stopped = [&] { return server.is_connected(); };
  Sender sender(std::move(how));
  EXPECT_FALSE(sender.ask(report(body)));
}

}  // namespace
}  // namespace tenken::agent
