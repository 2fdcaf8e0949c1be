#include "agent/sender.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/socket.h>

#include "agent/resolution.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/openssl.h"
#include "host/http_answer.h"

namespace tenken::agent {
namespace {

using Clock = std::chrono::steady_clock;
using crypto::Freed;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;

constexpr std::size_t longest_head = std::size_t{64} << 10;
constexpr int look_every_ms = 500;
constexpr std::size_t longest_body = std::size_t{64} << 20;  // a release of the agent
// That a thin line takes it shows each so many bytes.
constexpr std::size_t piece_bytes = 4096;
constexpr int unsent_bytes = 16'384;  // that the system holds

// What is left of a time, in milliseconds: nothing once it is stopped.
class Deadline {
 public:
  Deadline(std::int64_t milliseconds, const SenderOptions& options)
      : end_(Clock::now() + std::chrono::milliseconds(milliseconds)), options_(options) {}
  int left_ms() const {
    if (options_.stopped && options_.stopped()) return 0;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  }

 private:
  Clock::time_point end_;
  const SenderOptions& options_;
};

bool ready(int fd, short events, const Deadline& deadline) {
  while (true) {
    const int left = deadline.left_ms();
    pollfd wanted{.fd = fd, .events = events, .revents = 0};
    if (::poll(&wanted, 1, std::min(left, look_every_ms)) > 0) return true;
    if (left == 0) return false;
  }
}

Result<Addresses> addresses_of(const std::string& host, std::uint16_t port,
                               const Deadline& deadline) {
  Resolution resolution(host, port);
  if (!ready(resolution.descriptor(), POLLIN, deadline))
    return unavailable(host + ": its address is not found in time");
  return resolution.addresses();
}

Result<Fd> connect_to(const std::string& host, std::uint16_t port, const Deadline& deadline) {
  TRY(const auto addresses, addresses_of(host, port, deadline));
  int last = 0;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    Fd socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) continue;
    const int at_once = ::connect(socket.get(), one->ai_addr, one->ai_addrlen);
    if (at_once != 0 && errno != EINPROGRESS) {
      last = errno;
      continue;
    }
    socklen_t size = sizeof last;
    last = ETIMEDOUT;
    if (ready(socket.get(), POLLOUT, deadline))
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &last, &size);
    if (last != 0) continue;
    const int yes = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes);
    return socket;
  }
  return unavailable(fmt::format("{}:{}: {}", host, port, from_errno(last, "connecting").what));
}

std::string in_url(const std::string& host, std::uint16_t port) {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// The CONNECT of a proxy, before TLS.
Result<> tunnel(int socket, const ServerUrl& server, const ProxyUrl& proxy,
                const Deadline& deadline) {
  const auto target = in_url(server.host, server.port);
  auto request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  if (!proxy.credentials.empty())
    request +=
        fmt::format("Proxy-Authorization: Basic {}\r\n", crypto::to_base64(proxy.credentials));
  request += "\r\n";
  for (std::string_view left = request; !left.empty();) {
    if (!ready(socket, POLLOUT, deadline)) return unavailable("the proxy takes nothing");
    const auto sent = ::send(socket, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return from_errno(errno, "the proxy");
    if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
  }
  // Byte by byte: what follows the head belongs to TLS.
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte = 0;
    if (head.size() > longest_head || !ready(socket, POLLIN, deadline))
      return unavailable("the proxy does not answer");
    const auto got = ::recv(socket, &byte, 1, 0);
    if (got == 0) return unavailable("the proxy closed the connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) return from_errno(errno, "the proxy");
    if (got == 1) head += byte;
  }
  if (head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.0 200")) return {};
  return unavailable(
      fmt::format("the proxy answers: {}", printable(head.substr(0, head.find('\r')))));
}

// However the server went: the same fault has one text.
bool is_end(int error, int number) {
  if (error == SSL_ERROR_SYSCALL) return number == 0 || number == ECONNRESET || number == EPIPE;
  const bool cut = error == SSL_ERROR_SSL &&
                   ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  return cut || error == SSL_ERROR_ZERO_RETURN;
}

Error broken_by(int number, std::string_view what) {
  ERR_clear_error();
  return unavailable(fmt::format("{}: {}", what, std::strerror(number)));
}

Error tls_error(SSL* session, std::string_view what) {
  const auto verified = SSL_get_verify_result(session);
  if (verified != X509_V_OK) {
    ERR_clear_error();
    return {Errc::denied, fmt::format("the server's certificate is not to be trusted: {}",
                                      X509_verify_cert_error_string(verified))};
  }
  return crypto::openssl_error(Errc::unavailable, what);
}

Result<Context> make_context(const SenderOptions& options) {
  TRY_VOID(crypto::load_openssl());
  Context out(SSL_CTX_new(TLS_client_method()));
  if (!out) return crypto::openssl_error(Errc::internal, "TLS");
  SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(out.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_file(out.get(), options.ca.c_str()) != 1)
    return crypto::openssl_error(
        Errc::invalid, options.ca + ": damaged or missing: certificates that tell the server are "
                                    "needed here; an agent gets them where it enrols again");
  if (options.identity.empty()) return out;
  SSL_CTX_set_default_passwd_cb(out.get(), crypto::no_pass_phrase);
  if (SSL_CTX_use_certificate_chain_file(out.get(), options.identity.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(out.get(), options.identity.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(out.get()) != 1)
    return crypto::openssl_error(
        Errc::invalid, options.identity + ": damaged or missing: the agent's key and certificate "
                                          "are needed here; enrol again with a new token");
  return out;
}

Result<std::pair<std::string, std::uint16_t>> host_and_port(std::string_view text,
                                                            std::uint16_t port) {
  if (text.ends_with('/')) text.remove_suffix(1);
  std::string host;
  std::string_view rest = text;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return invalid("[ without ]");
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
  }
  if (!rest.empty()) {
    const auto number = rest.starts_with(':') ? parse_uint(rest.substr(1)) : std::nullopt;
    if (!number || *number == 0 || *number > 65'535) return invalid("the port is no number");
    port = static_cast<std::uint16_t>(*number);
  }
  if (host.empty() || host.find_first_of("/?#@ ") != std::string::npos)
    return invalid("no host stands in it");
  return std::pair(std::move(host), port);
}

std::string_view variable(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);
  if (value == nullptr || *value == '\0') value = std::getenv(upper);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (!text.starts_with(scheme))
    return invalid(fmt::format("{}: https://HOST:PORT is needed", printable(text)));
  auto read = host_and_port(text.substr(scheme.size()), 443);
  if (!read) return std::move(read).error().within(printable(text));
  return ServerUrl{std::move(read->first), read->second};
}

Result<ProxyUrl> parse_proxy_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  auto rest = text;
  if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  const bool other_scheme = rest.contains("://");
  ProxyUrl out;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    out.credentials = percent_decode(rest.substr(0, at)).value_or(std::string(rest.substr(0, at)));
    rest.remove_prefix(at + 1);
  }
  auto read = host_and_port(rest, out.port);
  // The text may hold a password: it is not said again.
  if (!read || other_scheme)
    return invalid("the proxy: http://[USER:PASSWORD@]HOST:PORT is needed");
  out.host = std::move(read->first);
  out.port = read->second;
  return out;
}

std::string proxy_of_environment(const ServerUrl& server) {
  for (auto one : split(variable("no_proxy", "NO_PROXY"), ',')) {
    one = trim(one);
    if (one == "*") return {};
    if (one.starts_with('.')) one.remove_prefix(1);
    if (one.empty() || !server.host.ends_with(one)) continue;
    if (one.size() == server.host.size() || server.host[server.host.size() - one.size() - 1] == '.')
      return {};
  }
  return std::string(variable("https_proxy", "HTTPS_PROXY"));
}

class Sender::Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const SenderOptions& options) {
    const Deadline deadline(options.connect_ms, options);
    auto out = std::make_unique<Connection>();
    TRY(out->context_, make_context(options));
    const auto& first_host = options.proxy ? options.proxy->host : options.server.host;
    const auto first_port = options.proxy ? options.proxy->port : options.server.port;
    TRY(out->socket_, connect_to(first_host, first_port, deadline));
    if (options.proxy)
      TRY_VOID(tunnel(out->socket_.get(), options.server, *options.proxy, deadline));
    TRY_VOID(out->handshake(options.server.host, deadline));
    return out;
  }

  ~Connection() {
    if (session_ && !broken_) SSL_shutdown(session_.get());
    ERR_clear_error();
  }

  int socket() const { return socket_.get(); }

  // However long it takes in all, up to send_ms, while some of it is taken each connect_ms.
  Result<> write(std::string_view bytes, const SenderOptions& options) {
    const Deadline whole(options.send_ms, options);
    while (!bytes.empty()) {
      const Deadline piece(std::min(whole.left_ms(), options.connect_ms), options);
      TRY_VOID(write_piece(bytes.substr(0, piece_bytes), piece));
      bytes.remove_prefix(std::min(bytes.size(), piece_bytes));
    }
    return {};
  }

  // Some bytes, or none where nothing has come in time.
  Result<std::size_t> read(std::string& into, const Deadline& deadline) {
    std::array<char, 16'384> buffer;
    while (true) {
      std::size_t got = 0;
      ERR_clear_error();
      const int done = SSL_read_ex(session_.get(), buffer.data(), buffer.size(), &got);
      if (done == 1) {
        into.append(buffer.data(), got);
        return got;
      }
      if (deadline.left_ms() == 0 && SSL_get_error(session_.get(), done) == SSL_ERROR_WANT_READ)
        return std::size_t{0};
      TRY_VOID(wait(done, deadline, "receiving", true));
    }
  }

 private:
  Result<> handshake(const std::string& host, const Deadline& deadline) {
    session_.reset(SSL_new(context_.get()));
    if (!session_ || SSL_set_fd(session_.get(), socket_.get()) != 1)
      return crypto::openssl_error(Errc::internal, "TLS");
    X509_VERIFY_PARAM* rules = SSL_get0_param(session_.get());
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME);
    const bool named = is_address(host)
                           ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1
                           : SSL_set1_host(session_.get(), host.c_str()) == 1 &&
                                 SSL_set_tlsext_host_name(session_.get(), host.c_str()) == 1;
    if (!named) return crypto::openssl_error(Errc::invalid, host);
    while (true) {
      ERR_clear_error();
      const int done = SSL_connect(session_.get());
      if (done == 1) return {};
      TRY_VOID(wait(done, deadline, "TLS"));
    }
  }

  Result<> write_piece(std::string_view bytes, const Deadline& deadline) {
    while (true) {
      std::size_t written = 0;  // all of it, in the end
      ERR_clear_error();
      const int done = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
      if (done == 1) return {};
      TRY_VOID(wait(done, deadline, "sending"));
    }
  }

  // Until the session can go on. may_time_out: then running out of time is no error.
  Result<> wait(int done, const Deadline& deadline, std::string_view what,
                bool may_time_out = false) {
    const int error = SSL_get_error(session_.get(), done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const int number = errno;
      broken_ = error != SSL_ERROR_ZERO_RETURN;
      if (is_end(error, number)) return unavailable("the server closed the connection");
      if (error == SSL_ERROR_SYSCALL) return broken_by(number, what);
      return tls_error(session_.get(), what);
    }
    const short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (!ready(socket_.get(), events, deadline) && !may_time_out) {
      broken_ = true;
      return unavailable(fmt::format("{}: the server took too long", what));
    }
    return {};
  }

  Context context_;
  Fd socket_;
  Session session_;
  bool broken_ = false;  // after which nothing may be asked of the session
};

Sender::Sender(SenderOptions options) : options_(std::move(options)) {}
Sender::~Sender() = default;

bool Sender::is_stopped() const {
  return options_.stopped && options_.stopped();
}

int Sender::socket() const {
  return connection_ ? connection_->socket() : -1;
}

void Sender::close() {
  connection_.reset();
  received_.clear();
  received_.shrink_to_fit();
  unanswered_ = 0;
}

Result<> Sender::connect() {
  if (connection_) return {};
  TRY(connection_, Connection::open(options_));
  return {};
}

Result<> Sender::ask(const Outgoing& request) {
  TRY_VOID(connect());
  auto text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", request.method,
                          request.path, in_url(options_.server.host, options_.server.port),
                          request.body.size());
  for (const auto& [name, value] : request.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += "\r\n";
  text += request.body;
  const auto written = connection_->write(text, options_);
  if (!written) {
    close();
    return written;
  }
  ++unanswered_;
  return {};
}

Result<std::optional<Incoming>> Sender::take_answer() {
  while (true) {
    TRY(const auto answer, host::parse_http_answer(received_));
    if (answer.status == 0 && received_.size() > longest_head)
      return limit_exceeded("the answer's head is too long");
    if (answer.length > longest_body) return limit_exceeded("the answer is too long");
    const bool has_body = answer.status >= 200 && answer.status != 204;
    if (answer.status != 0 && answer.endless && has_body)
      return invalid("the answer does not say how long it is");
    if (answer.status == 0 || (has_body && !answer.complete)) return std::optional<Incoming>();
    Incoming out{.status = static_cast<int>(answer.status),
                 .head = std::string(answer.head),
                 .body = has_body ? std::string(answer.body) : std::string()};
    received_.erase(0, out.head.size() + 4 + out.body.size());
    if (out.status >= 200) return std::optional(std::move(out));  // else "100 Continue"
  }
}

Result<std::optional<Incoming>> Sender::answer(int wait_ms) {
  if (!connection_ || unanswered_ == 0) return unavailable("nothing was asked");
  const Deadline deadline(wait_ms, options_);
  while (true) {
    auto whole = take_answer();
    if (whole && *whole) {
      --unanswered_;
      const bool last = host::header_of((*whole)->head, "Connection") == "close";
      if (last) close();
      return whole;
    }
    Result<std::size_t> got = whole ? connection_->read(received_, deadline) : std::size_t{0};
    if (!whole || !got) {
      close();
      return !whole ? std::move(whole).error() : std::move(got).error();
    }
    if (*got == 0) return std::optional<Incoming>();
  }
}

Result<Incoming> Sender::exchange(const Outgoing& request, int wait_ms) {
  TRY_VOID(ask(request));
  TRY(auto got, answer(wait_ms));
  if (got) return *std::move(got);
  close();
  return unavailable("the server does not answer");
}

Result<Incoming> Sender::fetch(const Outgoing& request, int wait_ms, const Take& take) {
  CHECK(unanswered_ == 0);
  TRY_VOID(ask(request));
  auto taken = take_pieces(wait_ms, take);
  if (!taken) close();
  return taken;
}

Result<Incoming> Sender::take_pieces(int wait_ms, const Take& take) {
  const Deadline deadline(wait_ms, options_);
  const auto more = [&]() -> Result<> {
    TRY(const auto got, connection_->read(received_, deadline));
    return got == 0 ? Result<>(unavailable("the server took too long")) : Result<>();
  };
  Incoming out;
  std::uint64_t left = 0;
  while (out.status == 0) {
    TRY(const auto answer, host::parse_http_answer(received_));
    if (answer.status == 0 && received_.size() > longest_head)
      return limit_exceeded("the answer's head is too long");
    if (answer.status == 0) {
      TRY_VOID(more());
    } else if (answer.status != 200 || answer.endless) {
      TRY(auto whole, this->answer(deadline.left_ms()));
      if (!whole) return unavailable("the server took too long");
      return *std::move(whole);
    } else {
      out.status = 200;
      out.head = answer.head;
      left = answer.length;
    }
  }
  received_.erase(0, out.head.size() + 4);
  while (left > 0) {
    if (received_.empty()) TRY_VOID(more());
    const auto piece = std::string_view(received_).substr(
        0, static_cast<std::size_t>(std::min<std::uint64_t>(left, received_.size())));
    TRY_VOID(take(piece));
    left -= piece.size();
    received_.erase(0, piece.size());
  }
  --unanswered_;
  if (host::header_of(out.head, "Connection") == "close") close();
  return out;
}

}  // namespace tenken::agent
