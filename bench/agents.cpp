// Many agents of one server in one process: each is enrolled by a token with a key of its own,
// holds its TLS connection with its own certificate, has its poll held there and asks again when it
// is answered, and reports what changes, as docs/adr/0013 says. They are hosts of 500 packages;
// what changes on one is the version of one more package, which is affected or not.
//
//   enrol     tokens become certificates
//   report    every agent connects and sends its first, whole report; then all are evaluated
//   steady    for SECONDS, while 1 % of the agents a minute report a change: from the moment at
//             which a report is sent to that at which GET /v1/findings shows what it changed
//   restart   prints "restart" and waits for the process id of a server at the same address on
//             standard input, in whose place the old one went; changes go on meanwhile
//
// An agent that is refused or cut comes back as the real one does: after 0.5 to 1 s, then twice as
// long, up to five minutes. Agents and server share the machine.
//
// Usage: bench_agents URL CA_FILE SERVER_PID AGENTS SECONDS [restart]
// $TENKEN_TOKEN enrols, the credentials of a key ask for findings. Prints a JSON object a line.
#include <deque>
#include <map>
#include <random>
#include <set>
#include <span>

#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "agent/exchange.h"
#include "base/json.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "fleet_hosts.h"
#include "host/report.h"
#include "tls_client.h"

namespace tenken {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t enrolling = 32;  // at once, as the further ones
constexpr std::size_t first_reports = 32;
constexpr double changing_a_minute = 0.01;
constexpr auto look_again = milliseconds(10);  // whether a finding is there
constexpr auto sample_interval = milliseconds(1'000);
constexpr auto held_after = milliseconds(3'000);  // a poll that has no answer until then is held
constexpr milliseconds first_wait{1'000};
constexpr milliseconds longest_wait{300'000};
constexpr std::string_view vulnerability = "CVE-2026-9999";  // of bench-agent before 2.0-1

std::string hashed(std::string_view what, std::size_t number) {
  return crypto::to_hex(crypto::view(crypto::sha256(fmt::format("{} {}", what, number))));
}

std::string text_of(const agent::Outgoing& request, const Endpoint& server) {
  auto out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", request.method,
                         request.path, server.authority(), request.body.size());
  for (const auto& [name, value] : request.headers) out += fmt::format("{}: {}\r\n", name, value);
  return out.append("\r\n").append(request.body);
}

std::vector<std::string> lines_of(std::size_t number, bool affected) {
  host::HostReport report{.inventory = fleet_host(static_cast<int>(number)), .facts = {}};
  report.facts.kernel = "6.1.0";
  auto changing = package(0, 0);
  changing.name = "bench-agent";
  changing.version = affected ? "1.0-1" : "2.0-1";
  report.inventory.packages.push_back(std::move(changing));
  return host::report_lines(report);
}

struct SimulatedAgent {
  std::size_t number = 0;
  ClientIdentity identity;
  std::string resource;
  agent::Speaker speaker;
  std::unique_ptr<Connection> connection;
  std::deque<bool> asked;  // what has no answer yet, in order; true: a report
  Clock::time_point asked_at;
  std::deque<agent::SpooledReport> spool;
  std::uint64_t sequence = 0;
  bool affected = false;
  std::string digest;  // of what it reported last
  milliseconds wait{0};
  std::optional<Clock::time_point> back;  // since when the server that was started again has it
  bool waits = false;                     // until it comes back
};

// A change that GET /v1/findings does not show yet.
struct Change {
  SimulatedAgent* agent = nullptr;
  Clock::time_point sent;
  bool asked = false;
  Clock::time_point look_at;
};

class Fleet {
 public:
  Fleet(const char* url, const char* ca_file, std::string server_pid, std::size_t count)
      : server_(url, ca_file),
        server_pid_(std::move(server_pid)),
        credentials_(need(aws::find_credentials())),
        agents_(count),
        events_(::epoll_create1(EPOLL_CLOEXEC)),
        viewer_(std::make_unique<Connection>(server_)) {
    for (std::size_t i = 0; i < count; ++i) {
      agents_[i].number = i;
      agents_[i].speaker = {.session = hashed("session", i).substr(0, 16), .version = "1"};
    }
  }

  void enrol(const std::string& token) {
    const Cost cost(*this);
    std::vector<std::unique_ptr<Connection>> connections;
    while (connections.size() < std::min(enrolling, agents_.size()))
      connections.push_back(std::make_unique<Connection>(server_));
    for (std::size_t from = 0; from < agents_.size(); from += connections.size()) {
      const auto some = std::min(connections.size(), agents_.size() - from);
      for (std::size_t i = 0; i < some; ++i)
        connections[i]->ask(enrolment_of(agents_[from + i], token));
      for (std::size_t i = 0; i < some; ++i) std::ignore = connections[i]->go_on();
      for (std::size_t i = 0; i < some; ++i)
        take_enrolment(agents_[from + i], connections[i]->answer());
    }
    cost.print("enrol", agents_.size());
  }

  // The first, whole reports, each on the connection that its agent keeps.
  void report_all() {
    const Cost cost(*this);
    std::size_t begun = 0;
    while (acknowledged_ < agents_.size()) {
      while (begun < agents_.size() && begun - acknowledged_ < first_reports) {
        auto& one = agents_[begun++];
        note_change(one, false);
        connect(one);
      }
      turn(Clock::now() + milliseconds(100));
    }
    cost.print("report", agents_.size());
    await_evaluation();
    cost.print("evaluated", agents_.size());
  }

  void steady(double seconds) {
    forget_figures();
    const Cost cost(*this);
    while (seconds_since(cost.start) < seconds) live();
    while (!changes_.empty()) wait(Clock::time_point::max());
    print_steady(cost);
  }

  // The server goes, and another one comes to its place.
  void restart() {
    fmt::print("restart\n");
    std::fflush(stdout);
    forget_figures();
    await_server();
    const Cost cost(*this);
    viewer_ = std::make_unique<Connection>(server_);
    for (auto& change : changes_) change.asked = false;
    for (auto& one : agents_) one.back.reset();
    while (!all_are_back()) live();
    const auto back = *std::ranges::max_element(agents_, {}, &SimulatedAgent::back)->back;
    const bool viewed_all = drain();
    const auto findings = percentiles(visible_);
    fmt::print(
        "{{\"name\": \"restart\", \"agents\": {}, \"back_seconds\": {:.1f}, \"refused\": {}, "
        "\"cut\": {}, \"changes\": {}, \"lost\": {}, \"max_ms\": {:.0f}, "
        "\"server_seconds\": {:.1f}, \"rss_mb\": {:.0f}}}\n",
        agents_.size(), std::chrono::duration<double>(back - cost.start).count(), refused_, cut_,
        visible_.size(), viewed_all ? 0 : changes_.size(), findings.back(), cost.server(), rss_);
  }

 private:
  // What a phase takes.
  struct Cost {
    explicit Cost(const Fleet& of)
        : fleet(of), start(Clock::now()), before(processor_seconds(of.server_pid_)) {}
    double server() const { return processor_seconds(fleet.server_pid_) - before; }
    double client() const {
      return static_cast<double>(std::clock() - client_before) / CLOCKS_PER_SEC;
    }
    void print(std::string_view name, std::size_t count) const {
      fmt::print(
          "{{\"name\": \"{}\", \"count\": {}, \"seconds\": {:.1f}, \"per_second\": {:.0f}, "
          "\"server_seconds\": {:.1f}, \"client_seconds\": {:.1f}}}\n",
          name, count, seconds_since(start), static_cast<double>(count) / seconds_since(start),
          server(), client());
      std::fflush(stdout);
    }
    const Fleet& fleet;
    Clock::time_point start;
    double before;
    std::clock_t client_before = std::clock();
  };

  // --- agents ---

  std::string enrolment_of(SimulatedAgent& one, const std::string& token) {
    one.identity.key = need(crypto::make_key());
    return text_of(
        agent::enrol_request({.token = token,
                              .request = need(crypto::make_certificate_request(one.identity.key)),
                              .host_name = fmt::format("host-{}", one.number),
                              .machine_hash = hashed("machine", one.number),
                              .host_key_hash = hashed("host key", one.number),
                              .state_identity = hashed("state", one.number).substr(0, 32),
                              .version = one.speaker.version,
                              .cloud = {}}),
        server_);
  }

  static agent::Incoming incoming(const Answer& answer) {
    return {.status = answer.status, .head = answer.head, .body = answer.body};
  }

  static void take_enrolment(SimulatedAgent& one, const Answer& answer) {
    auto enrolled = need(agent::read_enrolled(incoming(answer)));
    one.identity.certificate = std::move(enrolled.certificate);
    one.resource = std::move(enrolled.resource_id);
  }

  void connect(SimulatedAgent& one) {
    one.waits = false;
    one.asked.clear();
    one.connection = std::make_unique<Connection>(server_, one.identity);
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &one}};
    ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, one.connection->socket(), &event);
    speak(one);
    go_on(one);
  }

  bool report_is_asked(const SimulatedAgent& one) const {
    return std::ranges::find(one.asked, true) != one.asked.end();
  }

  // As the agent does: a report goes although a poll is held, which the server then answers.
  void speak(SimulatedAgent& one) {
    if (!one.connection || one.waits || report_is_asked(one)) return;
    if (!one.spool.empty()) {
      ask(one, agent::report_request(one.speaker, one.spool.front()), true);
    } else if (one.asked.empty()) {
      ask(one, agent::poll_request(one.speaker, one.digest, true), false);
    }
  }

  void ask(SimulatedAgent& one, const agent::Outgoing& request, bool report) {
    one.connection->ask(text_of(request, server_));
    one.asked.push_back(report);
    one.asked_at = Clock::now();
  }

  void go_on(SimulatedAgent& one) {
    while (one.connection) {
      const auto answer = one.connection->go_on();
      if (answer) {
        take(one, *answer);
      } else if (one.connection->lost()) {
        ++cut_;
        come_back_later(one);
      } else {
        return;
      }
    }
  }

  void take(SimulatedAgent& one, const Answer& answer) {
    if (one.asked.empty()) fail("an answer to nothing");
    const bool report = one.asked.front();
    one.asked.pop_front();
    if (answer.status == 503) {
      ++refused_;
      return come_back_later(one);
    }
    if (answer.status != 200) fail(fmt::format("{}: {}", answer.status, answer.body));
    one.wait = milliseconds(0);
    if (!one.back) one.back = Clock::now();
    if (report) {
      one.spool.pop_front();
      ++acknowledged_;
    } else {
      ++polls_;
    }
    speak(one);
  }

  void come_back_later(SimulatedAgent& one) {
    one.connection.reset();
    one.asked.clear();
    one.waits = true;
    one.wait = std::clamp(one.wait * 2, first_wait, longest_wait);
    const auto half = one.wait.count() / 2;
    const auto wait = half + static_cast<std::int64_t>(random_()) % (half + 1);
    back_.emplace(Clock::now() + milliseconds(wait), &one);
  }

  void note_change(SimulatedAgent& one, bool affected) {
    const auto before =
        one.sequence == 0 ? std::vector<std::string>() : lines_of(one.number, one.affected);
    const auto after = lines_of(one.number, affected);
    const auto base = std::exchange(one.digest, host::report_digest(after));
    one.affected = affected;
    one.spool.push_back(
        {.sequence = ++one.sequence,
         .base = base,
         .digest = one.digest,
         .body = base.empty() ? host::whole_body(after) : host::difference_body(before, after)});
  }

  // --- the life of the fleet ---

  void live() {
    for (; next_change_ <= Clock::now(); next_change_ += between_changes()) change_one();
    wait(next_change_);
  }

  // Nothing new happens.
  void wait(Clock::time_point until) {
    const auto now = Clock::now();
    while (!back_.empty() && back_.begin()->first <= now) {
      auto* one = back_.begin()->second;
      back_.erase(back_.begin());
      connect(*one);
    }
    look_at_findings();
    sample();
    turn(std::min(now + look_again, until));
  }

  Clock::duration between_changes() const {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
        60 / (changing_a_minute * static_cast<double>(agents_.size()))));
  }

  // Of one that has no change on its way.
  void change_one() {
    auto& one = agents_[random_() % agents_.size()];
    if (std::ranges::find(changes_, &one, &Change::agent) != changes_.end()) return;
    note_change(one, !one.affected);
    changes_.push_back({.agent = &one, .sent = Clock::now(), .look_at = Clock::now()});
    speak(one);
    go_on(one);
  }

  void turn(Clock::time_point until) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count();
    epoll_event events[256];
    const int ready = ::epoll_wait(events_.get(), events, std::ssize(events),
                                   static_cast<int>(std::max<std::int64_t>(left, 0)));
    for (int i = 0; i < ready; ++i) go_on(*static_cast<SimulatedAgent*>(events[i].data.ptr));
  }

  // --- what the server shows ---

  void look_at_findings() {
    const auto now = Clock::now();
    for (auto& change : changes_) {
      if (change.asked || change.look_at > now) continue;
      change.asked = true;
      asked_changes_.push_back(change.agent);
      viewer_->ask(
          server_.signed_head(credentials_, "GET",
                              fmt::format("/v1/findings?resource={}&status=ACTIVE&vulnerability={}",
                                          change.agent->resource, vulnerability)));
    }
    while (const auto answer = viewer_->go_on()) take_view(*answer);
    if (viewer_->lost()) {  // the server is away
      asked_changes_.clear();
      for (auto& change : changes_) change.asked = false;
      viewer_ = std::make_unique<Connection>(server_);
    }
  }

  void take_view(const Answer& answer) {
    auto* const agent = asked_changes_.front();
    asked_changes_.pop_front();
    const auto change = std::ranges::find(changes_, agent, &Change::agent);
    if (answer.status != 200 && answer.status != 503)
      fail(fmt::format("findings: {} {}", answer.status, answer.body));
    json::Parser parser;
    bool shown = false;
    if (answer.status == 200) {
      std::size_t findings = 0;
      need(parser.parse(answer.body))["findings"].for_each([&](json::Value) { ++findings; });
      shown = (findings > 0) == agent->affected;
    }
    change->asked = false;
    change->look_at = Clock::now() + look_again;
    if (!shown) return;
    visible_.push_back(seconds_since(change->sent));
    changes_.erase(change);
  }

  void await_evaluation() {
    viewer_ = std::make_unique<Connection>(server_);  // one that was idle is closed
    while (true) {
      viewer_->ask(server_.signed_head(credentials_, "GET", "/v1/jobs"));
      const auto answer = viewer_->answer();
      json::Parser parser;
      std::int64_t left = 0;
      need(parser.parse(answer.body))["jobs"].for_each([&](json::Value job) {
        left += job["waiting"].integer().value_or(0) + job["running"].integer().value_or(0);
      });
      if (left == 0) return;
      turn(Clock::now() + milliseconds(100));
    }
  }

  void sample() {
    const auto now = Clock::now();
    if (now < sample_at_ || server_pid_.empty()) return;
    sample_at_ = now + sample_interval;
    const auto status = proc_file(server_pid_, "status");
    const auto at = status.find("VmRSS:");
    if (at == std::string::npos) return;
    const auto kilobytes = trim(std::string_view(status).substr(at + 6, 16));
    rss_ = std::max(rss_, static_cast<double>(
                              parse_uint(kilobytes.substr(0, kilobytes.find(' '))).value_or(0)) /
                              1024);
  }

  void forget_figures() {
    visible_.clear();
    polls_ = refused_ = cut_ = 0;
    rss_ = 0;
    next_change_ = Clock::now();
  }

  static std::vector<double> percentiles(std::vector<double> seconds) {
    std::ranges::sort(seconds);
    return {milliseconds_at(seconds, 50), milliseconds_at(seconds, 99),
            milliseconds_at(seconds, 100)};
  }

  void print_steady(const Cost& cost) const {
    const auto findings = percentiles(visible_);
    const auto seconds = seconds_since(cost.start);
    fmt::print(
        "{{\"name\": \"steady\", \"agents\": {}, \"seconds\": {:.0f}, \"polls\": {}, "
        "\"changes\": {}, \"p50_ms\": {:.0f}, \"p99_ms\": {:.0f}, \"max_ms\": {:.0f}, "
        "\"refused\": {}, \"cut\": {}, \"rss_mb\": {:.0f}, \"server_cores\": {:.3f}, "
        "\"client_cores\": {:.3f}}}\n",
        agents_.size(), seconds, polls_, visible_.size(), findings[0], findings[1], findings[2],
        refused_, cut_, rss_, cost.server() / seconds, cost.client() / seconds);
    std::fflush(stdout);
  }

  // --- the restart ---

  // The agents live on while nobody answers them.
  void await_server() {
    server_pid_.clear();
    while (true) {
      pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
      if (::poll(&input, 1, 0) == 1) break;
      live();
    }
    char line[32];
    const auto size = ::read(STDIN_FILENO, line, sizeof line);
    server_pid_ =
        trim(std::string_view(line, static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
    if (!parse_uint(server_pid_)) fail("the process id of the server is needed");
  }

  // Answered, or held.
  bool all_are_back() {
    const auto since = Clock::now() - held_after;
    for (auto& one : agents_) {
      const bool held = one.connection && one.connection->open() && !one.asked.empty();
      if (!one.back && held && one.asked_at < since) one.back = one.asked_at;
    }
    return std::ranges::all_of(agents_, [](const auto& one) { return one.back.has_value(); });
  }

  // False: a change did not come about within a minute.
  bool drain() {
    const auto end = Clock::now() + std::chrono::minutes(1);
    while (!changes_.empty() && Clock::now() < end) wait(end);
    return changes_.empty();
  }

  Endpoint server_;
  std::string server_pid_;
  aws::Credentials credentials_;
  std::vector<SimulatedAgent> agents_;
  Fd events_;
  std::unique_ptr<Connection> viewer_;
  std::deque<SimulatedAgent*> asked_changes_;  // in the order in which the viewer asked
  std::vector<Change> changes_;
  std::multimap<Clock::time_point, SimulatedAgent*> back_;
  Clock::time_point next_change_;
  Clock::time_point sample_at_;
  std::mt19937 random_{1};
  std::size_t acknowledged_ = 0;
  std::vector<double> visible_;  // seconds
  std::size_t polls_ = 0;
  std::size_t refused_ = 0;
  std::size_t cut_ = 0;
  double rss_ = 0;
};

void raise_limit_of_files() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

int run(std::span<char*> arguments) {
  const char* token = std::getenv("TENKEN_TOKEN");
  if (arguments.size() < 6 || token == nullptr)
    fail("usage: TENKEN_TOKEN=… bench_agents URL CA_FILE SERVER_PID AGENTS SECONDS [restart]");
  const auto number = [&](std::size_t at) {
    const auto value = parse_uint(arguments[at]);
    if (!value || *value == 0) fail(fmt::format("{}: a number is needed", arguments[at]));
    return static_cast<std::size_t>(*value);
  };
  if (const auto loaded = crypto::load_openssl(); !loaded) fail(loaded.error().what);
  ::signal(SIGPIPE, SIG_IGN);  // of a connection that the server has closed
  raise_limit_of_files();
  Fleet fleet(arguments[1], arguments[2], arguments[3], number(4));
  fleet.enrol(token);
  fleet.report_all();
  fleet.steady(static_cast<double>(number(5)));
  if (arguments.size() > 6) fleet.restart();
  return 0;
}

}  // namespace
}  // namespace tenken

int main(int argc, char** argv) {
  return tenken::run({argv, static_cast<std::size_t>(argc)});
}
