// A blocking HTTP client for tests of the server: raw bytes out, raw bytes in, plain or TLS.
#pragma once

#include <csignal>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

namespace tenken::http::test {

struct ClientTls {
  std::string ca;           // path of a PEM file; empty: anything goes
  std::string certificate;  // path; empty: none
  std::string key;
  SSL_SESSION* resume = nullptr;
  std::string alpn;  // in wire form
  int highest_version = 0;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  Client(std::uint16_t port, const ClientTls& tls) : Client(port) { handshake(tls); }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    close(socket_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  SSL* ssl() { return ssl_; }
  int socket() const { return socket_; }

  // False where the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ssl_ != nullptr
                            ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                            : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // One response, with its body, as it came; "" where there is none.
  std::string response(bool with_body = true) {
    std::size_t head = 0;
    while ((head = pending_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return std::exchange(pending_, {});
    head += 4;
    std::size_t body = 0;
    const auto at = pending_.find("Content-Length: ");
    if (with_body && at < head)
      body = parse_uint(pending_.substr(at + 16, pending_.find('\r', at) - at - 16)).value_or(0);
    while (pending_.size() < head + body)
      if (!more()) break;
    auto out = pending_.substr(0, head + body);
    pending_.erase(0, head + body);
    return out;
  }
  std::string ask(std::string_view request) {
    send(request);
    return response();
  }
  // What comes until the server closes.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(pending_, {});
  }
  bool closed_within(int milliseconds) {
    pollfd wanted{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&wanted, 1, milliseconds) != 1) return false;
    char byte = 0;
    return recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  }

 private:
  bool more() {
    char buffer[16384];
    const auto got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                     : recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  void handshake(const ClientTls& tls) {
    // OpenSSL writes without MSG_NOSIGNAL; this thread alone is spared the signal.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    context_ = SSL_CTX_new(TLS_client_method());
    if (tls.highest_version != 0) SSL_CTX_set_max_proto_version(context_, tls.highest_version);
    if (!tls.ca.empty()) {
      SSL_CTX_load_verify_file(context_, tls.ca.c_str());
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    }
    if (!tls.certificate.empty()) {
      SSL_CTX_use_certificate_file(context_, tls.certificate.c_str(), SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context_, tls.key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_ = SSL_new(context_);
    if (!tls.alpn.empty())
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(tls.alpn.data()),
                          static_cast<unsigned>(tls.alpn.size()));
    if (!tls.ca.empty()) SSL_set1_host(ssl_, "localhost");
    if (tls.resume != nullptr) SSL_set_session(ssl_, tls.resume);
    SSL_set_fd(ssl_, socket_);
    connected_ = connected_ && SSL_connect(ssl_) == 1;
  }

  int socket_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  std::string pending_;
};

inline int status_of(std::string_view response) {
  return response.size() < 12 ? 0 : static_cast<int>(parse_uint(response.substr(9, 3)).value_or(0));
}

inline std::string body_of(std::string_view response) {
  const auto at = response.find("\r\n\r\n");
  return at == response.npos ? std::string() : std::string(response.substr(at + 4));
}

inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

}  // namespace tenken::http::test
