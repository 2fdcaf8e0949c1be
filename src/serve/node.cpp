#include "serve/node.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "access/key_ring.h"
#include "access/keys.h"
#include "access/master_key.h"
#include "access/schema.h"
#include "api/front_door.h"
#include "base/text.h"
#include "crypto/random.h"
#include "http/server.h"
#include "pipeline/database_location.h"
#include "pipeline/evaluate.h"
#include "pipeline/ingest.h"
#include "serve/generations.h"
#include "serve/tls_files.h"
#include "store/schema.h"

namespace tenken::serve {
namespace {

constexpr std::size_t most_connections = 32;  // to the store
constexpr auto look_interval = std::chrono::seconds(1);
constexpr auto retry_interval = std::chrono::seconds(2);

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_uint(text.substr(colon + 1));
  if (!port || *port > 65'535)
    return invalid(fmt::format("--listen {}: ADDRESS:PORT is needed", text));
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// A thread that sleeps until it is woken or its time has come.
class Sleeper {
 public:
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    arrived_.notify_all();
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    arrived_.notify_all();
  }
  // False: the node stops.
  bool sleep(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, at_most, [this] { return woken_ || stopping_; });
    woken_ = false;
    return !stopping_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  bool woken_ = false;
  bool stopping_ = false;
};

class RunningNode : public Node {
 public:
  explicit RunningNode(NodeOptions options) : options_(std::move(options)) {}

  ~RunningNode() override { stop(0); }

  Result<> open() {
    TRY(address_, parse_address(options_.listen));
    if (options_.plaintext && !is_loopback(address_.host))
      return invalid("--plaintext is for loopback addresses only: others need TLS");
    TRY_VOID(pipeline::make_directories(options_.data_directory));
    const auto key_file = options_.secret_key_file.empty() ? options_.data_directory + "/secret.key"
                                                           : options_.secret_key_file;
    TRY(auto master, access::MasterKey::open_or_create(key_file));
    pool_.emplace(sql::Location{.sqlite_file = options_.data_directory + "/tenken.sqlite",
                                .postgresql_uri = options_.database_uri},
                  most_connections);
    TRY_VOID(open_store(master));
    keys_.emplace(*pool_, master);
    generations_.emplace(pipeline::database_path(options_.advisories));
    ingest_.emplace(*pool_, [this] { sleeper_.wake(); });
    door_.emplace(
        api::Services{.pool = &*pool_,
                      .ingest = &*ingest_,
                      .generation = [this] { return generations_->current(); },
                      .wake = [this] { sleeper_.wake(); },
                      .clock = [] { return now(); },
                      .region = options_.region,
                      .token_key = master.derive(access::MasterKey::Purpose::page_tokens)},
        *keys_, [this](std::string_view id, const Error& error) {
          log(fmt::format("request {}: {}", id, error.what));
        });
    TRY_VOID(listen());
    worker_ = std::thread([this] { work(); });
    return {};
  }

  std::string url() const override {
    const auto host = address_.host.find(':') == std::string::npos
                          ? address_.host
                          : fmt::format("[{}]", address_.host);
    return fmt::format("{}://{}:{}", options_.plaintext ? "http" : "https", host, server_->port());
  }

  Result<> reload() override { return server_->reload_tls(); }

  void stop(int grace_ms) override {
    if (server_ != nullptr) server_->stop(grace_ms);
    sleeper_.stop();
    if (worker_.joinable()) worker_.join();
  }

 private:
  Result<> open_store(const access::MasterKey& master) {
    TRY(auto connection, pool_->lease());
    TRY_VOID(access::migrate(*connection));
    TRY_VOID(store::migrate(*connection));
    return access::check_master_key(*connection, master);
  }

  Result<> listen() {
    http::Options options;
    options.address = address_.host;
    options.port = address_.port;
    options.handler = [this](const http::Request& request) { return answer(request); };
    options.body_limit = api::FrontDoor::body_limit;
    if (!options_.plaintext) {
      if (options_.tls_certificate.empty()) {
        auto names = names_of_host(address_.host);
        names.insert(names.end(), options_.tls_names.begin(), options_.tls_names.end());
        TRY(options.tls, own_certificate(options_.data_directory, names, now()));
      } else {
        options.tls = {.certificate = options_.tls_certificate, .key = options_.tls_key};
      }
    }
    TRY(server_, http::Server::start(std::move(options)));
    return {};
  }

  http::Response answer(const http::Request& request) {
    if (request.path() == "/healthz") return text(200, "ok\n");
    if (request.path() == "/readyz")
      return generations_->current() != nullptr ? text(200, "ready\n")
                                                : text(503, "no advisory database yet\n");
    return door_->answer(request);
  }

  static http::Response text(int status, std::string body) {
    http::Response out;
    out.status = status;
    out.headers.all.emplace_back("Content-Type", "text/plain; charset=utf-8");
    out.body = std::move(body);
    return out;
  }

  // Everything that no request waits for.
  void work() {
    pipeline::Evaluator evaluator(
        {.pool = &*pool_,
         .node = fmt::format("{}-{}", ::getpid(), crypto::random_text(8, "abcdefghijklmnop")),
         .current = [this] { return generations_->current(); },
         .find = [this](const std::string& id) { return generations_->find(id); },
         .clock = [] { return now(); }});
    std::chrono::milliseconds pause = look_interval;
    do {
      const auto done = work_once(evaluator);
      if (!done) log(fmt::format("background: {}", done.error().what));
      pause = !done ? retry_interval : *done > 0 ? std::chrono::seconds(0) : look_interval;
    } while (sleeper_.sleep(pause));
  }

  Result<std::size_t> work_once(pipeline::Evaluator& evaluator) {
    const auto fresh = generations_->look();
    if (!fresh && fresh.error().what != last_look_error_) log(fresh.error().what);
    last_look_error_ = fresh ? std::string() : fresh.error().what;
    if (fresh && *fresh)
      log(fmt::format("advisories: generation {}", generations_->current()->generation()));
    TRY_VOID(evaluator.notice_generation());
    return evaluator.work();
  }

  void log(std::string_view line) {
    if (options_.log) options_.log(line);
  }

  NodeOptions options_;
  Address address_;
  std::optional<sql::Pool> pool_;
  std::optional<access::KeyRing> keys_;
  std::optional<Generations> generations_;
  Sleeper sleeper_;
  std::optional<pipeline::Ingest> ingest_;
  std::optional<api::FrontDoor> door_;
  std::unique_ptr<http::Server> server_;
  std::string last_look_error_;
  std::thread worker_;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::start(NodeOptions options) {
  auto node = std::make_unique<RunningNode>(std::move(options));
  TRY_VOID(node->open());
  return node;
}

}  // namespace tenken::serve
