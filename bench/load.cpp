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
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sys/epoll.h>

#include "base/json.h"
#include "fleet_hosts.h"
#include "inventory/document.h"
#include "tls_client.h"

namespace tenken {
namespace {

constexpr auto look_interval = std::chrono::milliseconds(20);

struct Request {
  std::string head;
  std::string_view body;
};

// One request at a time.
struct Client {
  explicit Client(const Endpoint& server) : connection(server) {}
  void begin(const Request& request) {
    began = Clock::now();
    connection.ask(request.head);
    connection.ask(request.body);
  }
  Connection connection;
  Clock::time_point began;
};

class Load {
 public:
  Load(const char* url, const char* ca_file, std::string server_pid, std::size_t connections)
      : server_(url, ca_file),
        server_pid_(std::move(server_pid)),
        credentials_(need(aws::find_credentials())),
        events_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < connections; ++i) {
      auto& client = *clients_.emplace_back(std::make_unique<Client>(server_));
      client.connection.await_open();
      epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &client}};
      ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, client.connection.socket(), &event);
    }
  }

  Request request(std::string_view method, const std::string& target, std::string_view body) const {
    return {.head = server_.signed_head(credentials_, method, target, body,
                                        {{"content-type", std::string(inventory::document_type)}}),
            .body = body};
  }

  // Sends `count` requests, the given ones in turn, and prints what they cost.
  void measure(std::string_view name, const std::vector<Request>& requests, std::size_t count) {
    std::vector<Request> floor;
    for (const auto& one : requests)
      floor.push_back({.head = fmt::format("GET /healthz HTTP/1.1\r\nhost: {}\r\n"
                                           "content-length: {}\r\n\r\n",
                                           server_.authority(), one.body.size()),
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
    auto& client = *clients_.front();
    client.begin(request);
    return client.connection.answer();
  }

  void run(std::string_view name, const std::vector<Request>& requests, std::size_t count) {
    std::vector<double> latencies;
    latencies.reserve(count);
    std::size_t begun = 0;
    const auto go_on = [&](Client& client) {
      while (const auto answer = client.connection.go_on()) {
        if (answer->status != 200) fail(fmt::format("{}: {}", answer->status, answer->body));
        latencies.push_back(seconds_since(client.began));
        if (begun == count) return;
        client.begin(requests[begun++ % requests.size()]);
      }
      if (client.connection.lost()) fail("the server closed a connection");
    };
    const auto server_before = processor_seconds(server_pid_);
    const auto client_before = std::clock();
    const auto start = Clock::now();
    for (const auto& client : clients_) {
      if (begun == count) break;
      client->begin(requests[begun++ % requests.size()]);
      go_on(*client);
    }
    while (latencies.size() < count) {
      epoll_event events[64];
      const int ready = ::epoll_wait(events_.get(), events, std::ssize(events), -1);
      for (int i = 0; i < ready; ++i) go_on(*static_cast<Client*>(events[i].data.ptr));
    }
    print(name, std::move(latencies), seconds_since(start),
          processor_seconds(server_pid_) - server_before,
          static_cast<double>(std::clock() - client_before) / CLOCKS_PER_SEC);
  }

  static void print(std::string_view name, std::vector<double> latencies, double seconds,
                    double server, double client) {
    std::ranges::sort(latencies);
    const auto count = static_cast<double>(latencies.size());
    fmt::print(
        "{{\"name\": \"{}\", \"requests\": {}, \"per_second\": {:.0f}, \"p50_ms\": {:.2f}, "
        "\"p99_ms\": {:.2f}, \"server_us\": {:.1f}, \"client_us\": {:.1f}}}\n",
        name, latencies.size(), count / seconds, milliseconds_at(latencies, 50),
        milliseconds_at(latencies, 99), 1e6 * server / count, 1e6 * client / count);
    std::fflush(stdout);
  }

  Endpoint server_;
  std::string server_pid_;
  aws::Credentials credentials_;
  Fd events_;
  std::vector<std::unique_ptr<Client>> clients_;
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
  const auto number = [&](std::size_t at) {
    const auto value = parse_uint(arguments[at]);
    if (!value || *value == 0) fail(fmt::format("{}: a number is needed", arguments[at]));
    return static_cast<std::size_t>(*value);
  };
  if (const auto loaded = crypto::load_openssl(); !loaded) fail(loaded.error().what);
  const auto hosts = number(4);
  Load load(arguments[1], arguments[2], arguments[3], number(6));
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < hosts; ++i)
    documents.push_back(inventory::write_document(fleet_host(static_cast<int>(i))));
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
