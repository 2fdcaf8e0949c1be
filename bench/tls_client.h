// The client side of the load programs: many TLS connections to one server, driven by one thread
// with epoll, and what is told of the server's process.
//
// A connection goes as far as it can and says so; requests may be written before the answers to
// those before have come. What cannot be, ends the program with a message.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "base/file.h"
#include "base/result.h"
#include "base/text.h"
#include "crypto/openssl.h"

namespace tenken {

using Clock = std::chrono::steady_clock;

[[noreturn]] inline void fail(std::string_view what) {
  fmt::print(stderr, "{}: {}\n", program_invocation_short_name, what);
  std::exit(1);
}

template <typename T>
T need(Result<T> result) {
  if (!result) fail(result.error().what);
  return *std::move(result);
}

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline std::string proc_file(const std::string& pid, std::string_view name) {
  const Fd file(::open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
  return need(read_stream(file.get(), name, 1 << 20));
}

// user + system of a process so far.
inline double processor_seconds(const std::string& pid) {
  const auto text = proc_file(pid, "stat");
  const auto fields = split(std::string_view(text).substr(text.rfind(')') + 2), ' ');
  return static_cast<double>(parse_uint(fields.at(11)).value() +
                             parse_uint(fields.at(12)).value()) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// The value at so many percent, in milliseconds; the values are seconds. 0 where there is none.
inline double milliseconds_at(std::vector<double>& sorted, std::size_t percent) {
  return sorted.empty() ? 0 : 1e3 * sorted[(sorted.size() - 1) * percent / 100];
}

// "https://127.0.0.1:8443", and who is trusted there.
class Endpoint {
 public:
  Endpoint(std::string_view url, const char* ca_file) : context_(SSL_CTX_new(TLS_client_method())) {
    if (!url.starts_with("https://")) fail("https://ADDRESS:PORT is needed");
    authority_ = url.substr(8);
    const auto [host, port] = split_once(authority_, ':');
    host_ = host;
    address_.sin_family = AF_INET;
    address_.sin_port =
        htons(static_cast<std::uint16_t>(parse_uint(port.value_or("")).value_or(0)));
    if (::inet_pton(AF_INET, host_.c_str(), &address_.sin_addr) != 1) fail("no IPv4 address");
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                         SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_file(context_.get(), ca_file) != 1) fail("no such CA file");
  }

  const std::string& authority() const { return authority_; }
  const std::string& host() const { return host_; }
  const sockaddr_in& address() const { return address_; }
  SSL_CTX* context() const { return context_.get(); }

  // The head of a signed request.
  std::string signed_head(const aws::Credentials& credentials, std::string_view method,
                          const std::string& target, std::string_view body = {},
                          std::vector<aws::Header> headers = {}) const {
    headers.emplace_back("host", authority_);
    auto added =
        aws::sign({.method = method, .target = target, .headers = headers}, aws::payload_hash(body),
                  credentials, "us-east-1", "inspector2", std::time(nullptr));
    std::ranges::move(added, std::back_inserter(headers));
    auto out = fmt::format("{} {} HTTP/1.1\r\ncontent-length: {}\r\n", method, target, body.size());
    for (const auto& [name, value] : headers) out += fmt::format("{}: {}\r\n", name, value);
    return out + "\r\n";
  }

 private:
  std::string authority_;
  std::string host_;
  sockaddr_in address_{};
  std::unique_ptr<SSL_CTX, crypto::Freed<SSL_CTX_free>> context_;
};

// What a client shows of itself, as PEM; empty: nothing.
struct ClientIdentity {
  std::string certificate;
  std::string key;
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class Connection {
 public:
  Connection(const Endpoint& server, const ClientIdentity& who = {})
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        tls_(SSL_new(server.context())) {
    if (!socket_.valid()) fail("no socket: too many open files?");
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto& address = server.address();
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0 &&
        errno != EINPROGRESS)
      lost_ = true;
    SSL_set_fd(tls_.get(), socket_.get());
    SSL_set_connect_state(tls_.get());
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), server.host().c_str());
    if (!who.certificate.empty()) show(who);
  }

  int socket() const { return socket_.get(); }
  // The server has closed it, or it never came about. Nothing more can be had of it.
  bool lost() const { return lost_; }
  bool open() const { return SSL_is_init_finished(tls_.get()) == 1; }

  void ask(std::string_view request) { out_.append(request); }

  // Goes as far as it can: the next answer. Nothing: the socket must be waited for, or the
  // connection is lost.
  std::optional<Answer> go_on() {
    if (lost_ || (!open() && !went(SSL_do_handshake(tls_.get())))) return std::nullopt;
    while (!out_.empty()) {
      std::size_t bytes = 0;
      if (!went(SSL_write_ex(tls_.get(), out_.data(), out_.size(), &bytes))) break;
      out_.erase(0, bytes);
      if (out_.empty()) out_.shrink_to_fit();
    }
    while (!lost_) {
      if (auto answer = take_answer()) return answer;
      char buffer[16'384];
      std::size_t bytes = 0;
      if (!went(SSL_read_ex(tls_.get(), buffer, sizeof buffer, &bytes))) break;
      in_.append(buffer, bytes);
    }
    return std::nullopt;
  }

  // Wait until it is open, and for the next answer.
  void await_open() {
    while (!open()) {
      std::ignore = go_on();
      await_socket();
    }
  }
  Answer answer() {
    while (true) {
      if (auto out = go_on()) return *std::move(out);
      await_socket();
    }
  }

 private:
  void await_socket() const {
    if (lost_) fail("the server closed a connection");
    const bool sends = out_.empty() ? SSL_want_write(tls_.get()) : true;
    pollfd waiting{.fd = socket(), .events = POLLIN, .revents = 0};
    if (sends) waiting.events |= POLLOUT;
    ::poll(&waiting, 1, 100);
  }

  // Whether the session did something; else the socket must be waited for, or all is over.
  bool went(int result) {
    if (result == 1) return true;
    const int error = SSL_get_error(tls_.get(), result);
    ERR_clear_error();
    lost_ = lost_ || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE);
    return false;
  }

  void show(const ClientIdentity& who) {
    const auto bio = [](const std::string& text) {
      return std::unique_ptr<BIO, crypto::Freed<BIO_free>>(
          BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    };
    const std::unique_ptr<X509, crypto::Freed<X509_free>> certificate(
        PEM_read_bio_X509(bio(who.certificate).get(), nullptr, nullptr, nullptr));
    const std::unique_ptr<EVP_PKEY, crypto::Freed<EVP_PKEY_free>> key(
        PEM_read_bio_PrivateKey(bio(who.key).get(), nullptr, nullptr, nullptr));
    if (SSL_use_certificate(tls_.get(), certificate.get()) != 1 ||
        SSL_use_PrivateKey(tls_.get(), key.get()) != 1)
      fail("a certificate that is none");
  }

  std::optional<Answer> take_answer() {
    constexpr std::string_view length_name = "\r\nContent-Length: ";
    const auto end = in_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    const auto at = in_.find(length_name) + length_name.size();
    const auto length = parse_uint(std::string_view(in_).substr(at, in_.find('\r', at) - at));
    if (!length) fail("an answer without a length");
    if (in_.size() < end + 4 + *length) return std::nullopt;
    Answer out{.status = static_cast<int>(parse_uint(in_.substr(9, 3)).value_or(0)),
               .head = in_.substr(0, end),
               .body = in_.substr(end + 4, *length)};
    in_.erase(0, end + 4 + *length);
    if (in_.empty()) in_.shrink_to_fit();
    return out;
  }

  Fd socket_;
  std::unique_ptr<SSL, crypto::Freed<SSL_free>> tls_;
  std::string out_;
  std::string in_;
  bool lost_ = false;
};

}  // namespace tenken
