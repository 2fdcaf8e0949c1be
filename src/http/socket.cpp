#include "http/socket.h"

#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "http/stream.h"

namespace tenken::http {
namespace {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<Endpoint> endpoint_of(const std::string& address, std::uint16_t port) {
  Endpoint out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size = sizeof *v4;
    return out;
  }
  if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size = sizeof *v6;
    return out;
  }
  return std::nullopt;
}

std::string shown(const Endpoint& endpoint) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (endpoint.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&endpoint.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&endpoint.storage);
  inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(v6->sin6_port));
}

void set_flag(int socket, int level, int option) {
  const int on = 1;
  setsockopt(socket, level, option, &on, sizeof on);
}

Error listen_error(int error, const std::string& address, std::uint16_t port) {
  const auto what = fmt::format("listening on {} port {}", address, port);
  if (error == EADDRINUSE)
    return unavailable(what + ": another program has this port; take another with --listen");
  auto out = from_errno(error, what);
  if (error == EMFILE || error == ENFILE) out.code = Errc::unavailable;
  return out;
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(int socket) : socket_(socket) {}
  Step handshake() override { return {Step::Kind::done, 1}; }
  Step read(std::span<char> into) override {
    return step(recv(socket_, into.data(), into.size(), MSG_DONTWAIT), Step::Kind::wants_read);
  }
  bool has_unread() const override { return false; }
  Step write(std::string_view bytes) override {
    return step(send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                Step::Kind::wants_write);
  }
  void end_writing() override { shutdown(socket_, SHUT_WR); }
  std::string client_certificate() const override { return {}; }

 private:
  static Step step(ssize_t result, Step::Kind otherwise) {
    if (result > 0) return {Step::Kind::done, static_cast<std::size_t>(result)};
    if (result == 0) return {Step::Kind::closed, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {otherwise, 0};
    return {Step::Kind::failed, 0};
  }

  int socket_;
};

}  // namespace

Result<Fd> listen_on(const std::string& address, std::uint16_t port) {
  auto endpoint = endpoint_of(address, port);
  if (!endpoint) return invalid(fmt::format("\"{}\" is no IP address", printable(address)));
  Fd out(socket(endpoint->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.valid()) return listen_error(errno, address, port);
  // A restarted server takes its port at once. Not SO_REUSEPORT: a second server on the same port
  // would then be no error.
  set_flag(out.get(), SOL_SOCKET, SO_REUSEADDR);
  if (bind(out.get(), endpoint->generic(), endpoint->size) != 0 ||
      listen(out.get(), SOMAXCONN) != 0)
    return listen_error(errno, address, port);
  return out;
}

std::uint16_t local_port(int socket) {
  Endpoint endpoint;
  getsockname(socket, endpoint.generic(), &endpoint.size);
  if (endpoint.storage.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in*>(&endpoint.storage)->sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&endpoint.storage)->sin6_port);
}

Accepted accept_one(int listener) {
  Endpoint endpoint;
  Fd socket(accept4(listener, endpoint.generic(), &endpoint.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.valid()) {
    const int error = errno;
    return {.none_waits = error == EAGAIN || error == EWOULDBLOCK,
            .out_of_resources =
                error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM};
  }
  set_flag(socket.get(), IPPROTO_TCP, TCP_NODELAY);
  return {.socket = std::move(socket), .peer = shown(endpoint)};
}

std::optional<char> first_byte(int socket) {
  char byte = 0;
  if (recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1) return std::nullopt;
  return byte;
}

std::unique_ptr<Stream> plain_stream(int socket) {
  return std::make_unique<PlainStream>(socket);
}

}  // namespace tenken::http
