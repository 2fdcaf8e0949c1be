// Sender: HTTPS to the one server of an agent, over one connection that stays open. Asking and
// reading are apart, so that a long poll can be open while the agent watches its host; the next
// request may be written before the answer to the one before has come, and the server then answers
// the poll at once.
//
// The server is trusted by the CA that the agent was installed with, and by no other; the name in
// its certificate must be the URL's. Times in certificates are not looked at: the agent's clock may
// be wrong by days, and the server judges by its own.
//
// Sources: RFC 9112 (HTTP/1.1), RFC 9110 section 9.3.6 (CONNECT), RFC 7617 (a proxy's password).
// Errors: unavailable (network, proxy, the server closed), denied (the server's certificate),
// invalid (URL, an answer that is no HTTP), limit (an answer larger than allowed).
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tenken::agent {

// "https://host:port", without path.
struct ServerUrl {
  std::string host;
  std::uint16_t port = 443;
};
Result<ServerUrl> parse_server_url(std::string_view text);

// "http://[user:password@]host:port".
struct ProxyUrl {
  std::string host;
  std::uint16_t port = 3128;
  std::string credentials;  // "user:password", decoded; empty: none
};
Result<ProxyUrl> parse_proxy_url(std::string_view text);

// The proxy for the server by the usual variables (https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY).
// Empty: none.
std::string proxy_of_environment(const ServerUrl& server);

struct SenderOptions {
  ServerUrl server;
  std::optional<ProxyUrl> proxy;
  std::string ca;  // path of a PEM file
  // Path of a PEM file with private key and certificate; empty: a stranger (enrolment).
  std::string identity;
  int connect_ms = 20'000;  // also how long the server may take nothing of a request
  int send_ms = 120'000;    // that a request has in all, over however thin a line
  // Asked twice a second while the network is waited for: true ends the waiting as if its time was
  // over.
  std::function<bool()> stopped = {};
};

struct Outgoing {
  std::string_view method = "POST";
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Incoming {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;
};

class Sender {
 public:
  explicit Sender(SenderOptions options);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Connects where there is no connection, and writes the request.
  Result<> ask(const Outgoing& request);
  // The answer to the oldest request that has none yet; nullopt: not whole after so many
  // milliseconds. Any error ends the connection, and with it what was asked.
  Result<std::optional<Incoming>> answer(int wait_ms);
  // Both, within so many milliseconds.
  Result<Incoming> exchange(const Outgoing& request, int wait_ms);

  // The answer to one request, of which the body of a 200 goes to `take` as it comes and is not
  // kept. Only where nothing is unanswered. Errors also: those of `take`, which end the connection.
  using Take = std::function<Result<>(std::string_view piece)>;
  Result<Incoming> fetch(const Outgoing& request, int wait_ms, const Take& take);

  std::size_t unanswered() const { return unanswered_; }
  bool is_stopped() const;
  // To be watched for reading; -1: no connection.
  int socket() const;
  void close();

 private:
  class Connection;
  Result<> connect();
  Result<std::optional<Incoming>> take_answer();
  Result<Incoming> take_pieces(int wait_ms, const Take& take);

  SenderOptions options_;
  std::unique_ptr<Connection> connection_;
  std::string received_;
  std::size_t unanswered_ = 0;
};

}  // namespace tenken::agent
