// The load of a fleet on a running server, over TLS on connections that stay, from one thread:
//
//   ingest     whole inventories as `tenken scan --server` sends them, then the wait until all
//   hosts
//              are evaluated
//   unchanged  the same inventories again, as `tenken scan --server` asks: by their digest
//   small      GET /v1/database
//
// Requests are made and signed before the clock starts. Beside each mode stands its floor: as many
// requests with the same bodies to /healthz, which is TLS and HTTP and nothing else. Client and
// server share the machine, so that the server's processor time per request says more than the
// rate.
//
// Usage: bench_load URL CA_FILE SERVER_PID HOSTS REQUESTS CONNECTIONS MODE…
// Credentials come from the environment. Prints a JSON object a line.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "fleet_hosts.h"
#include "inventory/document.h"

namespace tenken {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::string_view region = "us-east-1";
constexpr auto look_interval = std::chrono::milliseconds(20);

[[noreturn]] void fail(std::string_view what) {
  fmt::print(stderr, "bench_load: {}\n", what);
  std::exit(1);
}

template <typename T>
T need(Result<T> result) {
  if (!result) fail(result.error().what);
  return *std::move(result);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// user + system of a process so far.
double processor_seconds(const std::string& pid) {
  const Fd file(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  const auto text = need(read_stream(file.get(), "stat", 4096));
  const auto fields = split(std::string_view(text).substr(text.rfind(')') + 2), ' ');
  return static_cast<double>(parse_uint(fields.at(11)).value() +
                             parse_uint(fields.at(12)).value()) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Request {
  std::string head;
  std::string_view body;
};

struct Answer {
  int status = 0;
  std::string body;
};

// One TLS connection; one request at a time.
class Connection {
 public:
  Connection(SSL_CTX* context, const sockaddr_in& address, const char* host)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), tls_(SSL_new(context)) {
    const int on = 1;
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      fail("no connection");
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL_set_fd(tls_.get(), socket_.get());
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), host);
    if (SSL_connect(tls_.get()) != 1) fail("the TLS handshake failed");
    ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  }

  int socket() const { return socket_.get(); }
  Clock::time_point began() const { return began_; }

  void begin(const Request& request) {
    began_ = Clock::now();
    out_.assign(request.head).append(request.body);
    sent_ = 0;
    in_.clear();
    under_way_ = true;
  }

  // Goes as far as it can; nothing: the socket must be waited for, or nothing is under way.
  std::optional<Answer> go_on() {
    if (!under_way_) return std::nullopt;
    while (sent_ < out_.size()) {
      std::size_t bytes = 0;
      const int result = SSL_write_ex(tls_.get(), out_.data() + sent_, out_.size() - sent_, &bytes);
      if (result != 1) return must_wait(result);
      sent_ += bytes;
    }
    for (;;) {
      if (auto answer = whole_answer()) {
        under_way_ = false;
        return answer;
      }
      char buffer[16'384];
      std::size_t bytes = 0;
      const int result = SSL_read_ex(tls_.get(), buffer, sizeof buffer, &bytes);
      if (result != 1) return must_wait(result);
      in_.append(buffer, bytes);
    }
  }

 private:
  std::nullopt_t must_wait(int result) {
    const int error = SSL_get_error(tls_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      fail("the server closed a connection");
    return std::nullopt;
  }

  std::optional<Answer> whole_answer() const {
    constexpr std::string_view length_name = "\r\nContent-Length: ";
    const auto end = in_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    const auto at = in_.find(length_name) + length_name.size();
    const auto length = parse_uint(std::string_view(in_).substr(at, in_.find('\r', at) - at));
    if (!length) fail("an answer without a length");
    if (in_.size() < end + 4 + *length) return std::nullopt;
    return Answer{.status = static_cast<int>(parse_uint(in_.substr(9, 3)).value_or(0)),
                  .body = in_.substr(end + 4)};
  }

  struct FreeTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  Fd socket_;
  std::unique_ptr<SSL, FreeTls> tls_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string in_;
  bool under_way_ = false;
  Clock::time_point began_;
};

class Load {
 public:
  Load(std::string authority, const char* ca_file, std::string server_pid, std::size_t connections)
      : authority_(std::move(authority)),
        server_pid_(std::move(server_pid)),
        credentials_(need(aws::find_credentials())),
        context_(SSL_CTX_new(TLS_client_method())),
        events_(::epoll_create1(EPOLL_CLOEXEC)) {
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_file(context_.get(), ca_file) != 1) fail("no such CA file");
    const auto [host, port] = split_once(authority_, ':');
    const std::string host_text(host);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(parse_uint(port.value_or("")).value_or(0)));
    if (::inet_pton(AF_INET, host_text.c_str(), &address.sin_addr) != 1) fail("no IPv4 address");
    for (std::size_t i = 0; i < connections; ++i) {
      connections_.push_back(
          std::make_unique<Connection>(context_.get(), address, host_text.c_str()));
      epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET,
                        .data = {.ptr = connections_.back().get()}};
      ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, connections_.back()->socket(), &event);
    }
  }

  Request request(std::string_view method, const std::string& target, std::string_view body) const {
    std::vector<aws::Header> headers{{"host", authority_},
                                     {"content-type", std::string(inventory::document_type)}};
    auto added =
        aws::sign({.method = method, .target = target, .headers = headers}, aws::payload_hash(body),
                  credentials_, region, "inspector2", std::time(nullptr));
    std::ranges::move(added, std::back_inserter(headers));
    auto head =
        fmt::format("{} {} HTTP/1.1\r\ncontent-length: {}\r\n", method, target, body.size());
    for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
    return {.head = head + "\r\n", .body = body};
  }

  // Sends `count` requests, the given ones in turn, and prints what they cost.
  void measure(std::string_view name, const std::vector<Request>& requests, std::size_t count) {
    std::vector<Request> floor;
    for (const auto& one : requests)
      floor.push_back({.head = fmt::format("PUT /healthz HTTP/1.1\r\nhost: {}\r\n"
                                           "content-length: {}\r\n\r\n",
                                           authority_, one.body.size()),
                       .body = one.body});
    run(fmt::format("{}, floor", name), floor, count);
    run(name, requests, count);
  }

  void await_evaluation(Clock::time_point start) {
    const auto server_before = processor_seconds(server_pid_);
    const auto jobs = request("GET", "/v1/jobs", {});
    for (json::Parser parser;;) {
      const auto answer = ask(jobs);
      std::int64_t left = 0;
      const auto document = need(parser.parse(answer.body));
      document["jobs"].for_each([&](json::Value job) {
        left += job["waiting"].integer().value_or(0) + job["running"].integer().value_or(0);
      });
      if (left == 0) break;
      const timespec pause{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(look_interval).count()};
      ::nanosleep(&pause, nullptr);
    }
    fmt::print("{{\"name\": \"evaluated\", \"seconds\": {:.3f}, \"server_seconds\": {:.2f}}}\n",
               seconds_since(start), processor_seconds(server_pid_) - server_before);
    std::fflush(stdout);
  }

 private:
  Answer ask(const Request& request) {
    auto& connection = *connections_.front();
    connection.begin(request);
    for (;;) {
      if (auto answer = connection.go_on()) return *std::move(answer);
      epoll_event event;
      ::epoll_wait(events_.get(), &event, 1, -1);
    }
  }

  void run(std::string_view name, const std::vector<Request>& requests, std::size_t count) {
    std::vector<double> latencies;
    latencies.reserve(count);
    std::size_t begun = 0;
    const auto go_on = [&](Connection& connection) {
      while (const auto answer = connection.go_on()) {
        if (answer->status != 200) fail(fmt::format("{}: {}", answer->status, answer->body));
        latencies.push_back(seconds_since(connection.began()));
        if (begun == count) return;
        connection.begin(requests[begun++ % requests.size()]);
      }
    };
    const auto server_before = processor_seconds(server_pid_);
    const auto client_before = std::clock();
    const auto start = Clock::now();
    for (const auto& connection : connections_) {
      if (begun == count) break;
      connection->begin(requests[begun++ % requests.size()]);
      go_on(*connection);
    }
    while (latencies.size() < count) {
      epoll_event events[64];
      const int ready = ::epoll_wait(events_.get(), events, std::ssize(events), -1);
      for (int i = 0; i < ready; ++i) go_on(*static_cast<Connection*>(events[i].data.ptr));
    }
    print(name, std::move(latencies), seconds_since(start),
          processor_seconds(server_pid_) - server_before,
          static_cast<double>(std::clock() - client_before) / CLOCKS_PER_SEC);
  }

  static void print(std::string_view name, std::vector<double> latencies, double seconds,
                    double server, double client) {
    std::ranges::sort(latencies);
    const auto count = static_cast<double>(latencies.size());
    const auto at = [&](std::size_t percent) {
      return 1e3 * latencies[(latencies.size() - 1) * percent / 100];
    };
    fmt::print(
        "{{\"name\": \"{}\", \"requests\": {}, \"per_second\": {:.0f}, \"p50_ms\": {:.2f}, "
        "\"p99_ms\": {:.2f}, \"server_us\": {:.1f}, \"client_us\": {:.1f}}}\n",
        name, latencies.size(), count / seconds, at(50), at(99), 1e6 * server / count,
        1e6 * client / count);
    std::fflush(stdout);
  }

  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::string authority_;
  std::string server_pid_;
  aws::Credentials credentials_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  Fd events_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

std::string target_of(std::size_t number) {
  return fmt::format("/v1/resources/i-{:08}/inventory?type=host", number);
}

void ingest(Load& load, const std::vector<std::string>& documents) {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < documents.size(); ++i)
    requests.push_back(load.request("PUT", target_of(i), documents[i]));
  const auto start = Clock::now();
  load.measure("ingest", requests, requests.size());
  load.await_evaluation(start);
}

void unchanged(Load& load, const std::vector<std::string>& documents, std::size_t count) {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < documents.size(); ++i)
    requests.push_back(load.request(
        "PUT", fmt::format("{}&digest={}", target_of(i), aws::payload_hash(documents[i])), {}));
  load.measure("unchanged", requests, count);
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 8)
    fail("usage: bench_load URL CA_FILE SERVER_PID HOSTS REQUESTS CONNECTIONS MODE…");
  const std::string_view url = arguments[1];
  const auto number = [&](std::size_t at) {
    const auto value = parse_uint(arguments[at]);
    if (!value || *value == 0) fail(fmt::format("{}: a number is needed", arguments[at]));
    return static_cast<std::size_t>(*value);
  };
  if (!url.starts_with("https://")) fail("https://ADDRESS:PORT is needed");
  const auto hosts = number(4);
  Load load(std::string(url.substr(8)), arguments[2], arguments[3], number(6));
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < hosts; ++i)
    documents.push_back(inventory::write_document(host(static_cast<int>(i))));
  for (const std::string_view mode : arguments.subspan(7)) {
    if (mode == "ingest")
      ingest(load, documents);
    else if (mode == "unchanged")
      unchanged(load, documents, number(5));
    else if (mode == "small")
      load.measure("small", {load.request("GET", "/v1/database", {})}, number(5));
    else
      fail(fmt::format("{}: no such mode", mode));
  }
  return 0;
}

}  // namespace
}  // namespace tenken

int main(int argc, char** argv) {
  return tenken::run({argv, static_cast<std::size_t>(argc)});
}
