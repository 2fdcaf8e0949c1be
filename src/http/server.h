// HTTP/1.1 server with TLS. The transport (Asio coroutines) stays behind this header: a handler is
// a plain function that is given a whole request and answers a whole response, on one of the
// server's worker threads, where it may block.
//
// Limits: every bound in Limits holds before memory is spent; a request that breaks one is
// answered 400, 408, 413, 414, 431 or closed, and the rest of the server does not notice. What the
// server refuses by itself has the shape that Options::refusal gives it.
// Thread rule: handlers run on many threads at once. All signals are blocked in the server's
// threads, so that they reach the program's own; a handler that starts a child unblocks them there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tenken::http {

// Names as they came; a look-up ignores case. Repeated names keep their order.
struct Headers {
  std::vector<std::pair<std::string, std::string>> all;
  // The first value; empty where there is none (has() tells the difference).
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  void set(std::string_view name, std::string_view value);
};

struct Request {
  std::string method;
  std::string target;  // as on the request line, still encoded: "/tags/arn%3Aaws…?tagKeys=a"
  std::string_view path() const;   // of the target, still encoded
  std::string_view query() const;  // without "?", still encoded
  Headers headers;
  std::string body;                // transfer coding removed; content coding as it came
  std::string peer;                // "127.0.0.1:41234"
  std::string id;                  // request id, made by the server: x-amzn-RequestId
  std::string client_certificate;  // PEM of a verified client certificate; empty: none
  bool held = false;               // the handler had it before and answered with a Hold
};

// What the handler found out about a request: for `finished`, never sent.
struct Note {
  std::string operation;
  std::string account;
  std::string access_key_id;
  std::string fault;  // what broke inside, for the log
};

// Not yet: the request waits, on no thread, until somebody wakes its key or the time is over, and
// is then handed to the handler once more, which answers it. (A long poll.)
struct Hold {
  std::string key;
  int milliseconds = 0;
};

struct Response {
  std::string_view content() const { return shared_body ? *shared_body : std::string_view(body); }

  int status = 200;
  Headers headers;
  std::string body;
  // In the place of body: bytes that many answers have at once. Whoever keeps them bounds them, not
  // the budget of answers.
  std::shared_ptr<const std::string> shared_body = {};
  Note note = {};
  std::optional<Hold> hold = {};  // then nothing else counts; of a request that was held: ignored
};

using Handler = std::function<Response(const Request&)>;
// Answers the largest body accepted for this request head (body is empty yet); called before the
// body is read, so that strangers cannot make the server hold much. Runs on an I/O thread: it must
// not block.
using BodyLimit = std::function<std::size_t(const Request& head)>;

// The server's own answer to a request that no handler sees: the status, and one sentence why. Runs
// on an I/O thread: it must not block.
using RefusalShape = std::function<Response(int status, std::string_view reason)>;

struct Limits {
  std::size_t head_bytes = 64 * 1024;
  std::size_t headers = 100;
  std::size_t connections = 10'000;  // beyond, closed at once
  int head_ms = 10'000;              // from the first byte to the end of the head: slow-loris
  int body_idle_ms = 30'000;         // without any byte of the body: an agent has 20 s
  int body_total_ms = 120'000;
  int keep_alive_ms = 60'000;  // idle between requests
  int write_ms = 60'000;       // a client that does not read its answer
  // One that reads a little now and then: an answer has write_ms and its size by this in all.
  std::size_t slowest_read_bytes_s = std::size_t{8} << 10;
  int handshake_ms = 10'000;
  std::size_t queued_requests = 1'000;  // beyond: 503 with Retry-After
  // Bodies of all requests, and of the answers not yet read by their clients: beyond, 503.
  std::size_t buffered_bytes = std::size_t{512} << 20;
};

// Paths.
struct TlsFiles {
  std::string certificate;  // PEM chain; empty: no TLS
  std::string key;
  std::string client_ca;  // PEM; client certificates are requested but optional; empty: not asked
};

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
  TlsFiles tls;
  Limits limits;
  int io_threads = 0;      // 0: as many as processors
  int worker_threads = 0;  // 0: four per processor
  Handler handler;
  BodyLimit body_limit;  // empty: 1 MiB
  RefusalShape refusal;  // empty: the sentence as text/plain
  // One call per finished request: for access logs and metrics. The time is that from the request's
  // last byte to the answer's readiness. Runs on the worker after the handler; for a request that
  // the server itself answers (refused, or no place in the queue), on an I/O thread.
  std::function<void(const Request&, const Response&, std::int64_t microseconds)> finished;
};

class Server {
 public:
  // Listens at once; requests are answered from here on. Errors: unavailable (address in use),
  // denied, invalid (certificate and key that do not belong together, unreadable).
  static Result<std::unique_ptr<Server>> start(Options options);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Reads certificate and key anew, for connections from now on; the old ones stay on an error.
  // Nothing happens without TLS.
  virtual Result<> reload_tls() = 0;
  // Requests that are held for the key, or that will be after a handler that runs now, go on.
  virtual void wake(std::string_view key) = 0;
  // No new connections; requests under way are finished for at most grace_ms, then cut; those that
  // are held are cut at once. A handler that is still running then loses its connection, and the
  // destructor waits for it.
  virtual void stop(int grace_ms) = 0;
  virtual std::size_t connections() const = 0;
};

}  // namespace tenken::http
