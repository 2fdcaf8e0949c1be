#include "serve/node.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "access/authority.h"
#include "access/key_ring.h"
#include "access/keys.h"
#include "access/master_key.h"
#include "access/schema.h"
#include "api/agents/door.h"
#include "api/errors.h"
#include "api/front_door.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/x509.h"
#include "http/server.h"
#include "pipeline/database_location.h"
#include "pipeline/evaluate.h"
#include "pipeline/ingest.h"
#include "serve/agent_watch.h"
#include "serve/backup.h"
#include "serve/collector.h"
#include "serve/feed_schedule.h"
#include "serve/generations.h"
#include "serve/host.h"
#include "serve/metrics.h"
#include "serve/metrics_page.h"
#include "serve/sleeper.h"
#include "serve/store_lock.h"
#include "serve/tls_files.h"
#include "store/feed_states.h"
#include "store/jobs.h"
#include "store/schema.h"

namespace tenken::serve {
namespace {

constexpr std::size_t most_connections = 32;  // to the store
constexpr std::size_t most_clients = 20'000;  // an agent holds a connection all the time
// So many wait to be written where single hosts report; more, where a fleet does.
constexpr std::size_t few_inventories = 16;
// As long as an agent waits: after a restart all of them come at once.
constexpr int longest_handshake_ms = 20'000;
constexpr auto look_interval = std::chrono::seconds(1);
constexpr auto retry_interval = std::chrono::seconds(2);
constexpr auto quiet_before_shrinking = std::chrono::seconds(5);
constexpr auto longest_without_shrinking = std::chrono::seconds(60);
constexpr std::size_t token_limit = 4'096;
constexpr std::size_t certificate_limit = 1 << 20;
constexpr int metrics_wait_ms = 500;
constexpr std::string_view no_generation =
    "there is no advisory database yet: inventories are kept, and none is evaluated";
constexpr std::string_view damaged_generation =
    "the advisory database cannot be used, and there is none before it (the server's log says "
    "why): inventories are kept, and none is evaluated";

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
  if (host == "localhost") host = "127.0.0.1";
  return Address{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool is_loopback(std::string_view address) {
  return address == "::1" || address.starts_with("127.");
}

bool is_loopback_peer(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]") || peer.starts_with("[::ffff:127.");
}

bool is_directory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

// Pages for machines that watch; who asks for them each second fills no log.
constexpr std::array<std::string_view, 3> watch_pages{"/healthz", "/readyz", "/metrics"};

http::Response text(int status, std::string body) {
  http::Response out;
  out.status = status;
  out.headers.all.emplace_back("Content-Type", "text/plain; charset=utf-8");
  out.body = std::move(body);
  return out;
}

http::Response refused_method() {
  auto out = api::to_response(api::method_not_allowed());
  out.headers.all.emplace_back("Allow", "GET, HEAD");
  return out;
}

class RunningNode : public Node {
 public:
  explicit RunningNode(NodeOptions options) : options_(std::move(options)) {}

  ~RunningNode() override { stop(0); }

  Result<> open() {
    TRY(address_, parse_address(options_.listen));
    TRY_VOID(check_options());
    TRY_VOID(pipeline::make_directories(options_.data_directory));
    if (options_.database_uri.empty()) {
      TRY(lock_, StoreLock::take(options_.data_directory));
      TRY_VOID(check_restored(options_.data_directory));
    }
    pool_.emplace(sql::Location{.sqlite_file = store_file(options_.data_directory),
                                .postgresql_uri = options_.database_uri},
                  most_connections);
    TRY_VOID(open_store().within("the store cannot be opened"));
    TRY(const auto master, take_master_key());
    keys_.emplace(*pool_, master);
    ingest_.emplace(*pool_, [this] { sleeper_.wake(); });
    TRY_VOID(open_advisories());
    door_.emplace(api::Services{.pool = &*pool_,
                                .ingest = &*ingest_,
                                .generation = [this] { return generations_->current(); },
                                .generation_problem = [this] { return generation_problem(); },
                                .wake = [this] { sleeper_.wake(); },
                                .clock = [] { return now(); },
                                .region = options_.region,
                                .token_key = master.derive(access::MasterKey::Purpose::page_tokens),
                                .exports = exports_},
                  *keys_, [this](std::string_view id, const Error& error) { failed(id, error); });
    housekeeper_ = Housekeeper::start({.pool = &*pool_,
                                       .keys = &*keys_,
                                       .ingest = &*ingest_,
                                       .log = options_.log,
                                       .clock = [] { return now(); },
                                       .program = options_.program,
                                       .data_directory = options_.data_directory,
                                       .min_free_bytes = options_.min_free_bytes,
                                       .backup = options_.backup,
                                       .retention = options_.retention,
                                       .keep_audit = options_.keep_audit});
    TRY_VOID(listen(master));
    start_schedule();
    worker_ = std::thread([this] { work(); });
    exporter_ = Exporter::start({.pool = &*pool_,
                                 .log = options_.log,
                                 .node = name_,
                                 .region = options_.region,
                                 .data_directory = options_.data_directory,
                                 .rules = options_.exports});
    agent_watch_ = AgentWatch::start({.door = &*agent_door_,
                                      .wake = [this](std::string_view key) { server_->wake(key); },
                                      .log = options_.log});
    collector_ = Collector::start({.pool = &*pool_,
                                   .ingest = &*ingest_,
                                   .log = options_.log,
                                   .clock = [] { return now(); },
                                   .node = name_,
                                   .program = options_.program,
                                   .data_directory = options_.data_directory,
                                   .region = options_.region});
    log(Level::info, "listening", {{"url", url()}});
    return {};
  }

  std::string url() const override {
    const auto host = shown_host_.contains(':') ? fmt::format("[{}]", shown_host_) : shown_host_;
    return fmt::format("{}://{}:{}", options_.plaintext ? "http" : "https", host, server_->port());
  }

  void reload() override {
    const auto reopened = options_.log->reopen();
    const auto reloaded = server_->reload_tls();
    for (const auto* done : {&reopened, &reloaded}) {
      if (!*done) log(Level::error, "reload", {{"error", done->error().what}});
    }
    if (reopened && reloaded) log(Level::info, "certificate and log file opened anew");
  }

  void stop(int grace_ms) override {
    if (stopped_) return;
    stopped_ = true;
    if (server_ != nullptr) log(Level::info, "stopping");
    sleeper_.stop();
    if (server_ != nullptr) server_->stop(grace_ms);
    if (schedule_ != nullptr) schedule_->stop();
    if (collector_ != nullptr) collector_->stop();
    if (exporter_ != nullptr) exporter_->stop();
    if (agent_watch_ != nullptr) agent_watch_->stop();
    if (housekeeper_ != nullptr) housekeeper_->stop();
    if (!worker_.joinable()) return;
    worker_.join();
    // What was leased and not begun is free for the next at once.
    if (auto connection = pool_->lease()) {
      const auto released = store::release_leases(**connection, name_);
      if (!released) log(Level::warning, "leases", {{"error", released.error().what}});
    }
    if (const auto written = keys_->write_uses(); !written)
      log(Level::warning, "key uses", {{"error", written.error().what}});
    if (const auto written = door_->write_audit(); !written)
      log(Level::error, "the audit log lacks what this log says it waits for",
          {{"error", written.error().what}});
  }

 private:
  Result<> check_options() {
    if (!is_region(options_.region))
      return invalid(fmt::format("--region {}: 1 to 32 of a-z, 0-9 and - are needed",
                                 printable(options_.region)));
    if (options_.plaintext && !is_loopback(address_.host))
      return invalid("--plaintext is for loopback addresses only: others need TLS");
    if (options_.tls_certificate.empty() != options_.tls_key.empty())
      return invalid("--tls-cert and --tls-key belong together");
    if (!options_.backup.directory.empty() && !options_.database_uri.empty())
      return invalid(
          "--backup-dir is for SQLite; back PostgreSQL up with pg_dump or pg_basebackup");
    if (!options_.metrics_token_file.empty()) {
      TRY(const auto token, read_file(options_.metrics_token_file, token_limit));
      metrics_token_ = crypto::Secret(trim(token));
      if (metrics_token_.empty()) return invalid("--metrics-token-file: the file is empty");
    }
    if (!options_.backup.directory.empty())
      TRY_VOID(pipeline::make_directories(options_.backup.directory));
    if (const auto& releases = options_.agent_releases;
        !releases.empty() && !is_directory(releases))
      return invalid(fmt::format("{}: no such directory", releases)).within("--agent-releases");
    TRY(exports_, read_policy(options_.exports));
    return {};
  }

  // A file is somebody else's; a directory of generations is kept current here.
  Result<> open_advisories() {
    auto given = options_.advisories;
    if (given.empty() && !options_.feeds_directory.empty())
      given = options_.data_directory + "/advisories";
    const auto path = pipeline::database_path(given);
    const bool is_file = path == (given.empty() ? pipeline::data_directory() : given);
    if (is_file && !options_.feeds_directory.empty())
      return invalid("--feeds needs a directory of generations in --db, not a file");
    generations_.emplace(path, is_file ? options_.data_directory + "/advisories-in-use" : "");
    if (is_file || (options_.no_update && options_.feeds_directory.empty())) return {};
    generations_directory_ = std::filesystem::path(path).parent_path().string();
    return pipeline::make_directories(generations_directory_);
  }

  void start_schedule() {
    if (generations_directory_.empty()) return;
    schedule_ = FeedSchedule::start({.pool = &*pool_,
                                     .log = options_.log,
                                     .clock = [] { return now(); },
                                     .program = options_.program,
                                     .directory = generations_directory_,
                                     .feeds_directory = options_.feeds_directory,
                                     .feeds = options_.feeds,
                                     .ecosystems = options_.ecosystems,
                                     .mirrors = options_.mirrors});
  }

  Result<> open_store() {
    TRY(auto connection, pool_->lease());
    TRY_VOID(access::migrate(*connection));
    return store::migrate(*connection);
  }

  // Before the first access key: else whoever makes that one would choose the secret key.
  Result<access::MasterKey> take_master_key() {
    const auto file = secret_key_file(options_.data_directory, options_.secret_key_file);
    TRY(auto connection, pool_->lease());
    TRY(auto master, access::take_master_key(*connection, file));
    TRY(const auto keys, connection->one_integer("SELECT COUNT(*) FROM access_key"));
    if (keys == 0) tell_first_key();
    return master;
  }

  // With all that leads to this store and its secret key.
  void tell_first_key() {
    auto store = fmt::format("--data {}", options_.data_directory);
    if (!options_.database_uri.empty()) store += " --database URI";
    if (!options_.secret_key_file.empty())
      store += fmt::format(" --secret-key-file {}", options_.secret_key_file);
    log(Level::info,
        fmt::format("there is no access key yet; the first: tenken admin key create {} "
                    "--account 111122223333 --user admin --role admin",
                    store));
  }

  // The files given, else its own certificate.
  Result<http::TlsFiles> certificate(const access::MasterKey& master,
                                     std::vector<std::string> names) {
    if (!options_.database_uri.empty()) TRY_VOID(share_authority(master));
    if (!options_.tls_certificate.empty()) {
      http::TlsFiles given{.certificate = options_.tls_certificate, .key = options_.tls_key};
      TRY_VOID(forget_own_certificate(options_.data_directory, given));
      return given;
    }
    names.insert(names.end(), options_.tls_names.begin(), options_.tls_names.end());
    return own_certificate(options_.data_directory, names, now());
  }

  Result<> share_authority(const access::MasterKey& master) {
    TRY(const auto kept, kept_authority(options_.data_directory));
    TRY(const auto own, kept ? Result<crypto::Identity>(*kept) : new_authority(now()));
    TRY(const auto connection, pool_->lease());
    TRY(const auto shared, access::shared_authority(*connection, master, own));
    if (!kept) return keep_authority(options_.data_directory, shared);
    // Its clients trust the one it has; refusing to start, or another one, would cut them off.
    if (kept->certificate != shared.certificate)
      log(Level::warning,
          "tls/ca.pem is not that of the other nodes: remove tls/ca.pem and tls/ca.key to take "
          "theirs");
    return {};
  }

  Result<> open_tls(http::Options& options, const access::MasterKey& master) {
    shown_host_ = address_.host;
    if (options_.plaintext) return {};
    const auto names = names_of_host(address_.host);
    TRY(options.tls, certificate(master, names.all));
    TRY(const auto pem, read_file(options.tls.certificate, certificate_limit));
    TRY(const auto facts, crypto::certificate_facts(pem).within(options.tls.certificate));
    shown_host_ = name_to_show(names.shown, facts.names);
    certificate_names_ = facts.names;
    return {};
  }

  // The authority of agents is tenken's own, whoever signed the server's certificate.
  Result<> open_agent_door(http::Options& options, const access::MasterKey& master) {
    api::agents::AgentServices services{
        .pool = &*pool_,
        .ingest = &*ingest_,
        .clock = [] { return now(); },
        .region = options_.region,
        .authority = {},
        .server_ca = {},
        .server_names = certificate_names_,
        .command_seed = master.derive(access::MasterKey::Purpose::agent_commands),
        .releases = options_.agent_releases};
    if (!options_.plaintext) {
      TRY(services.authority, own_authority(options_.data_directory, now()));
      options.tls.client_ca = authority_file(options_.data_directory);
      if (options_.tls_certificate.empty()) services.server_ca = services.authority.certificate;
    }
    agent_door_.emplace(std::move(services),
                        [this](std::string_view id, const Error& error) { failed(id, error); });
    return {};
  }

  void failed(std::string_view request_id, const Error& error) {
    log(Level::error, "request failed", {{"request", request_id}, {"error", error.what}});
  }

  Result<> listen(const access::MasterKey& master) {
    http::Options options;
    options.address = address_.host;
    options.port = address_.port;
    // Callers of the ingest wait here for their batch to be durable: the more wait, the larger it
    // is.
    options.worker_threads = 64;
    options.limits.connections = most_clients;
    options.limits.handshake_ms = longest_handshake_ms;
    options.handler = [this](const http::Request& request) { return answer(request); };
    options.body_limit = [](const http::Request& head) {
      return api::agents::AgentDoor::is_agent(head) ? api::agents::AgentDoor::body_limit(head)
                                                    : api::FrontDoor::body_limit(head);
    };
    options.refusal = api::refused_by_server;
    options.finished = [this](const http::Request& request, const http::Response& response,
                              std::int64_t micros) { finished(request, response, micros); };
    TRY_VOID(open_tls(options, master));
    TRY_VOID(open_agent_door(options, master));
    TRY(server_, http::Server::start(std::move(options)));
    return {};
  }

  http::Response answer(const http::Request& request) {
    const auto path = request.path();
    if (std::ranges::find(watch_pages, path) == watch_pages.end())
      return api::agents::AgentDoor::is_agent(request) ? agent_door_->answer(request)
                                                       : door_->answer(request);
    auto response = watch_page(request);
    response.note.operation = path.substr(1);
    return response;
  }

  http::Response watch_page(const http::Request& request) {
    const auto path = request.path();
    if (request.method != "GET" && request.method != "HEAD") return refused_method();
    if (path == "/healthz") return text(200, "ok\n");
    return path == "/readyz" ? readiness() : metrics(request);
  }

  http::Response readiness() const {
    if (const auto fault = housekeeper_->store_fault(); !fault.empty())
      return text(503, "the store does not answer\n");
    if (generations_->current() == nullptr) return text(503, generation_problem() + "\n");
    return text(200, "ready\n");
  }

  bool may_see_metrics(const http::Request& request) const {
    if (metrics_token_.empty()) return is_loopback_peer(request.peer);
    return crypto::equal_in_constant_time(request.headers.get("Authorization"),
                                          fmt::format("Bearer {}", metrics_token_.reveal()));
  }

  Result<std::vector<store::CollectTarget>> collect_targets() {
    TRY(auto connection, pool_->lease(metrics_wait_ms));
    return store::collect_targets(*connection, "");
  }

  Result<std::vector<store::FeedState>> feed_states() {
    TRY(auto connection, pool_->lease(metrics_wait_ms));
    return store::feed_states(*connection);
  }

  http::Response metrics(const http::Request& request) {
    if (!may_see_metrics(request)) return text(403, "not for you\n");
    const auto generation = generations_->current();
    auto response =
        text(200, metrics_page({.requests = requests_,
                                .ingest = ingest_->counts(),
                                .counted = housekeeper_->counted(),
                                .store_answers = housekeeper_->store_fault().empty(),
                                .generation = generation.get(),
                                .feeds = feed_states().value_or(std::vector<store::FeedState>()),
                                .collections =
                                    collect_targets().value_or(std::vector<store::CollectTarget>()),
                                .connections = server_->connections(),
                                .dropped_log_lines = options_.log->dropped(),
                                .now = now()}));
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return response;
  }

  void finished(const http::Request& request, const http::Response& response, std::int64_t micros) {
    requests_.add(response.note.operation, response.status, micros);
    const bool watched = std::ranges::find(watch_pages, request.path()) != watch_pages.end();
    if (!watched) options_.log->access(request, response, micros);
  }

  // Everything that no request waits for.
  void work() {
    pipeline::Evaluator evaluator(
        {.pool = &*pool_,
         .node = name_,
         .current = [this] { return generations_->current(); },
         .find = [this](const std::string& id) { return generations_->find(id); },
         .clock = [] { return now(); },
         .inventories_wait = [this] { return ingest_->counts().waiting > few_inventories; }});
    std::chrono::milliseconds pause = look_interval;
    do {
      const auto done = work_once(evaluator);
      tell_change(done ? std::string() : done.error().what);
      keep_small(done.value_or(0) > 0);
      pause = !done ? retry_interval : *done > 0 ? std::chrono::seconds(0) : look_interval;
    } while (sleeper_.sleep(pause));
  }

  // What a burst of work took is given back when it is over.
  void keep_small(bool worked) {
    const auto now = std::chrono::steady_clock::now();
    if (worked || ingest_->counts().waiting > 0) {
      if (!quiet_since_) shrunk_at_ = now;
      quiet_since_ = now;
    } else if (quiet_since_ && now - *quiet_since_ >= quiet_before_shrinking) {
      pool_->close_idle();
      malloc_trim(0);
      quiet_since_.reset();
    }
    // A large fleet is never quiet.
    if (quiet_since_ && now - shrunk_at_ >= longest_without_shrinking) {
      malloc_trim(0);
      shrunk_at_ = now;
    }
  }

  // The same fault every second is one line.
  void tell_change(std::string fault) {
    if (fault == last_fault_) return;
    if (fault.empty()) {
      log(Level::info, "background work goes on");
    } else {
      log(Level::error, "background work failed; it is tried again", {{"error", fault}});
    }
    last_fault_ = std::move(fault);
  }

  Result<std::size_t> work_once(pipeline::Evaluator& evaluator) {
    look_for_generation();
    TRY_VOID(door_->write_audit());
    TRY(const bool ours, evaluator.notice_generation());
    if (ours != generation_is_ours_)
      log(Level::warning, ours ? "this node's advisory generation is the newest"
                               : "a running node has a newer advisory generation: this node "
                                 "evaluates nothing until it has it too");
    generation_is_ours_ = ours;
    if (generation_is_new_) {
      if (const auto current = generations_->current(); current != nullptr)
        TRY_VOID(note_contents(*pool_, current->meta()));
      generation_is_new_ = false;
    }
    return evaluator.work();
  }

  void look_for_generation() {
    const auto before = generations_->current();
    const auto fresh = generations_->look();
    auto fault = fresh ? std::string() : fresh.error().what;
    if (!fresh && fault != last_look_fault_) tell_look_fault(fault);
    last_look_fault_ = std::move(fault);
    look_failed_ = !fresh;
    file_is_damaged_ = !fresh && fresh.error().code == Errc::invalid;
    if (!fresh || !*fresh) return;
    generation_is_new_ = true;
    const auto now_used = generations_->current();
    log(Level::info, "advisory generation taken in", {{"generation", now_used->generation()}});
    const auto doubt = before != nullptr ? why_doubtful(*before, *now_used) : std::string();
    if (!doubt.empty())
      log(Level::warning, "the advisory generation is less than the one before",
          {{"reason", doubt}});
  }

  void tell_look_fault(const std::string& fault) {
    if (generations_->current() != nullptr) {
      log(Level::error, "the advisory database cannot be used; the one in use stays",
          {{"error", fault}});
    } else if (schedule_ != nullptr) {
      log(Level::warning, no_generation,
          {{"error", fault}, {"remedy", "the first one is being fetched and built"}});
    } else {
      log(Level::error, no_generation,
          {{"error", fault},
           {"remedy",
            "put one there: tenken db update, or tenken db build; it is looked for each "
            "second"}});
    }
  }

  std::string generation_problem() const {
    if (generations_->current() == nullptr)
      return std::string(file_is_damaged_ ? damaged_generation : no_generation);
    return look_failed_ ? "the newest advisory database cannot be used; the one in use stays" : "";
  }

  void log(Level level, std::string_view message, std::initializer_list<Field> fields = {}) {
    options_.log->note(level, message, fields);
  }

  NodeOptions options_;
  // Names this node's leases: the same after a restart, which so takes up what a crash left.
  const std::string name_ = fmt::format("{}:{}", host_name(), options_.data_directory);
  Address address_;
  std::string shown_host_;  // in the URL: a name of the certificate
  std::vector<std::string> certificate_names_;
  bool stopped_ = false;
  std::optional<StoreLock> lock_;
  crypto::Secret metrics_token_;
  api::exports::Policy exports_;
  RequestMetrics requests_;
  std::optional<sql::Pool> pool_;
  std::optional<access::KeyRing> keys_;
  std::optional<Generations> generations_;
  std::string generations_directory_;  // that this node keeps current; empty: none
  Sleeper sleeper_;                    // of the worker
  std::optional<pipeline::Ingest> ingest_;
  std::optional<api::FrontDoor> door_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<Exporter> exporter_;
  std::optional<api::agents::AgentDoor> agent_door_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<AgentWatch> agent_watch_;
  std::unique_ptr<FeedSchedule> schedule_;
  std::unique_ptr<Collector> collector_;
  bool generation_is_new_ = false;  // of the worker, as the next three
  bool generation_is_ours_ = true;
  std::string last_look_fault_;
  std::atomic<bool> look_failed_ = false;
  std::atomic<bool> file_is_damaged_ = false;
  std::string last_fault_;
  // When there was something to do for the last time; empty: what it took is given back.
  std::optional<std::chrono::steady_clock::time_point> quiet_since_;  // none: nothing to give back
  std::chrono::steady_clock::time_point shrunk_at_;
  std::thread worker_;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::start(NodeOptions options) {
  auto node = std::make_unique<RunningNode>(std::move(options));
  TRY_VOID(node->open());
  return node;
}

}  // namespace tenken::serve
