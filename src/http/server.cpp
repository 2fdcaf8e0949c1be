// The transport: Asio's coroutines wait for sockets, and everything else is plain functions. Each
// I/O thread has an io_context of its own; a connection stays on the thread it was given to.

#include "http/server.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"
#include "http/blocked_signals.h"
#include "http/byte_budget.h"
#include "http/inbox.h"
#include "http/request_ids.h"
#include "http/response_head.h"
#include "http/socket.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/worker_pool.h"

namespace tenken::http {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;
template <typename T>
using Task = asio::awaitable<T, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
using Phase = Inbox::Phase;
constexpr asio::use_awaitable_t<Executor> awaiting;

constexpr std::chrono::milliseconds tick{100};                // how late a time limit may strike
constexpr std::chrono::milliseconds resource_pause{100};      // before accept is tried again
constexpr std::chrono::milliseconds longest_handler{60'000};  // for which a key stays woken
constexpr std::chrono::milliseconds linger{2000};           // for the client to read a last answer
constexpr std::size_t joined_body = std::size_t{16} << 10;  // sent in one piece with the head
constexpr unsigned steps_per_turn =
    16;  // reads or writes of one connection before others have a turn
constexpr int accepts_per_turn = 16;

// What all threads share. Outlives them.
struct Shared {
  explicit Shared(Options given)
      : options(std::move(given)), budget(options.limits.buffered_bytes) {}

  std::shared_ptr<const TlsContext> current_tls() {
    const std::scoped_lock lock(mutex);
    return tls;
  }

  const Options options;
  ByteBudget budget;
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> connections = 0;
  std::mutex mutex;
  std::condition_variable all_gone;       // connections fell to 0 while draining
  std::shared_ptr<const TlsContext> tls;  // null: plain
};

struct Connection;

// One event loop. Members below the context end before it; the coroutines that it still holds end
// with it, and leave the list above it.
struct IoThread {
  void add(Connection& connection);
  void remove(Connection& connection);
  void wake(const std::string& key);
  // Whether somebody woke the key since then.
  bool woken_since(const std::string& key, Clock::time_point time) const;
  void arm_tick();
  void run();
  std::string_view date();

  std::vector<Connection*> connections;
  std::unordered_multimap<std::string, Connection*> held;
  std::unordered_map<std::string, Clock::time_point> woken;  // of the last longest_handler
  std::atomic<std::size_t> load = 0;                         // connections given to this thread
  // Of whoever reads now: nobody waits between reading and using what was read.
  std::array<char, Inbox::largest_read> buffer{};
  asio::io_context context{1};
  asio::executor_work_guard<Executor> work{context.get_executor()};
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer{
      context.get_executor()};
  bool ticking = false;
  Seconds dated = -1;
  std::string date_text;
  RequestIds ids;
};

struct Connection {
  Connection(Shared& server_, WorkerPool& workers_, IoThread& io_, Accepted accepted);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool alive() const { return !expired && !cut; }
  void limit_to(std::chrono::milliseconds time) { deadline = Clock::now() + time; }
  void limit_to(int milliseconds) { limit_to(std::chrono::milliseconds(milliseconds)); }
  void no_limit() { deadline = Clock::time_point::max(); }
  void wake();

  Shared& server;
  WorkerPool& workers;
  IoThread& io;
  Descriptor socket;
  std::unique_ptr<Stream> stream;
  Inbox inbox;
  Clock::time_point deadline = Clock::time_point::max();
  bool idle = true;      // nothing is lost by closing it
  bool expired = false;  // the deadline has passed
  bool cut = false;      // the server stops
  unsigned steps = 0;
  std::optional<std::size_t> index;  // in the thread's list, once it is there
};

void IoThread::add(Connection& connection) {
  connection.index = connections.size();
  connections.push_back(&connection);
  if (!ticking) arm_tick();
}

void IoThread::remove(Connection& connection) {
  Connection*& place = connections[*connection.index];
  place = connections.back();
  place->index = connection.index;
  connections.pop_back();
}

void IoThread::wake(const std::string& key) {
  const auto time = Clock::now();
  std::erase_if(woken, [&](const auto& one) { return one.second + longest_handler < time; });
  woken[key] = time;
  const auto [first, last] = held.equal_range(key);
  for (auto one = first; one != last; ++one) one->second->wake();
}

bool IoThread::woken_since(const std::string& key, Clock::time_point time) const {
  const auto found = woken.find(key);
  return found != woken.end() && found->second >= time;
}

// One look at every connection of the thread, ten times a second while there is one: cheaper than
// a timer per operation, and ten thousand connections are looked at in less than a millisecond.
void IoThread::arm_tick() {
  ticking = true;
  timer.expires_after(tick);
  timer.async_wait([this](const boost::system::error_code& error) {
    ticking = false;
    if (error || connections.empty()) return;
    const auto time = Clock::now();
    for (Connection* connection : connections) {
      if (connection->deadline > time) continue;
      connection->expired = true;
      connection->wake();
    }
    arm_tick();
  });
}

// An exception that leaves a coroutine ends its connection alone; what leaves the loop itself
// (memory) must not end the thread.
void IoThread::run() {
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception&) {
      continue;
    }
  }
}

std::string_view IoThread::date() {
  const Seconds time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (time != dated) {
    dated = time;
    date_text = format_http_date(time);
  }
  return date_text;
}

Connection::Connection(Shared& server_, WorkerPool& workers_, IoThread& io_, Accepted accepted)
    : server(server_),
      workers(workers_),
      io(io_),
      socket(io_.context.get_executor(), accepted.socket.get()),
      inbox(server_.options, server_.budget, io_.ids, std::move(accepted.peer)) {
  std::ignore = accepted.socket.release();  // the descriptor closes it
  server.connections.fetch_add(1);
  io.load.fetch_add(1);
}

Connection::~Connection() {
  if (index) io.remove(*this);
  io.load.fetch_sub(1);
  if (server.connections.fetch_sub(1) > 1 || !server.draining) return;
  const std::scoped_lock lock(server.mutex);
  server.all_gone.notify_all();
}

// Whoever waits for the socket goes on, and finds that the connection is not alive.
void Connection::wake() {
  boost::system::error_code ignored;
  socket.cancel(ignored);
}

// False: the time is up, or the server stops.
Task<bool> ready(Connection& c, Step::Kind wanted) {
  if (!c.alive()) co_return false;
  const auto event =
      wanted == Step::Kind::wants_read ? Descriptor::wait_read : Descriptor::wait_write;
  const auto [error] = co_await c.socket.async_wait(event, asio::as_tuple(awaiting));
  co_return !error && c.alive();
}

// After some steps without waiting the others have their turn.
Task<void> take_turns(Connection& c) {
  if (++c.steps % steps_per_turn == 0) co_await asio::post(c.io.context.get_executor(), awaiting);
}

Task<bool> write_all(Connection& c, std::string_view bytes) {
  c.limit_to(c.server.options.limits.write_ms);
  while (!bytes.empty()) {
    const auto step = c.stream->write(bytes);
    if (step.kind == Step::Kind::done) {
      bytes.remove_prefix(step.bytes);
      c.limit_to(c.server.options.limits.write_ms);
      co_await take_turns(c);
    } else if (step.kind == Step::Kind::closed || step.kind == Step::Kind::failed ||
               !co_await ready(c, step.kind)) {
      co_return false;
    }
  }
  c.no_limit();
  co_return true;
}

// Gives the inbox some bytes; false: the client has gone, or ready() says no.
Task<bool> receive(Connection& c) {
  for (;;) {
    const auto step = c.stream->read(std::span(c.io.buffer).first(c.inbox.wanted_bytes()));
    if (step.kind == Step::Kind::done) {
      c.inbox.ingest({c.io.buffer.data(), step.bytes}, Clock::now());
      co_return true;
    }
    if (step.kind == Step::Kind::closed || step.kind == Step::Kind::failed) co_return false;
    if (!co_await ready(c, step.kind)) co_return false;
  }
}

// True: the request is complete or refused. False: there is none, and nobody to answer.
Task<bool> read_request(Connection& c) {
  c.inbox.await_request(Clock::now());
  for (;;) {
    const auto phase = c.inbox.phase();
    c.idle = phase == Phase::idle;
    c.deadline = c.inbox.deadline();
    if (phase == Phase::complete || phase == Phase::refused) {
      c.expired = false;  // there is time for the answer
      co_return true;
    }
    if (c.idle && c.server.draining) co_return false;
    if (c.inbox.wants_continue()) {
      if (!co_await write_all(c, "HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
      c.inbox.continued(Clock::now());
      c.deadline = c.inbox.deadline();
    }
    co_await take_turns(c);
    if (c.alive() && co_await receive(c)) continue;
    if (!c.expired || c.cut || c.idle) co_return false;
    c.inbox.refuse(408, "the request took too long");
  }
}

// 503 passes by itself.
Response refusal(const Options& options, int status, std::string_view reason) {
  auto out = options.refusal ? options.refusal(status, reason) : plain_response(status, reason);
  if (status == 503) out.headers.set("Retry-After", "1");
  return out;
}

// Handlers are other people's code: what they throw ends here.
Response call_handler(const Options& options, const Request& request) {
  try {
    Response out = options.handler(request);
    if (out.status >= 200 && out.status <= 599) return out;
  } catch (...) {
  }
  return refusal(options, 500, "internal error");
}

void report(const Options& options, const Request& request, const Response& response,
            Clock::time_point began) {
  if (!options.finished) return;
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  try {
    options.finished(request, response, time.count());
  } catch (...) {
    // Nothing of the answer depends on the log.
  }
}

Response overloaded(const Options& options) {
  return refusal(options, 503, "too many requests are under way");
}

// An answer holds its share of the budget until the client has read it.
struct Answer {
  Response response;
  Lease lease;
  std::optional<BufferedRequest> waiting;  // the request, where the answer is to hold it
};

Answer answer_to(BufferedRequest received, Shared& server, Clock::time_point began) {
  const auto& request = received.request;
  Answer out{call_handler(server.options, request), Lease(server.budget), std::nullopt};
  if (out.response.hold && !request.held) {
    out.waiting = std::move(received);
    return out;
  }
  if (!out.lease.cover(out.response.body.size())) out.response = overloaded(server.options);
  report(server.options, request, out.response, began);
  return out;
}

// Runs the handler on a worker, for which a place is reserved, and comes back to this thread.
Task<Answer> handled(Connection& c, BufferedRequest received, Clock::time_point began) {
  auto initiate = [&c, began](auto completion, BufferedRequest taken) {
    auto job = [&server = c.server, began, completion = std::move(completion),
                taken = std::move(taken)]() mutable {
      auto answer = answer_to(std::move(taken), server, began);
      const auto executor = asio::get_associated_executor(completion);
      asio::post(executor,
                 [completion = std::move(completion), answer = std::move(answer)]() mutable {
                   std::move(completion)(std::move(answer));
                 });
    };
    c.workers.run(std::move(job));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Answer)>(
      std::move(initiate), awaiting, std::move(received));
}

// Until the key is woken, the time is over, or the client sends something or goes. False: the
// server stops.
Task<bool> wait_for(Connection& c, const Hold& hold, Clock::time_point began) {
  if (c.io.woken_since(hold.key, began)) co_return true;
  const auto place = c.io.held.emplace(hold.key, &c);
  c.idle = true;
  c.limit_to(hold.milliseconds);
  if (c.alive() && !c.server.draining)
    co_await c.socket.async_wait(Descriptor::wait_read, asio::as_tuple(awaiting));
  c.io.held.erase(place);
  c.no_limit();
  c.expired = false;
  c.idle = false;
  co_return !c.cut && !c.server.draining;
}

Task<bool> respond(Connection& c, const Response& response, const ResponseFacts& facts,
                   bool with_body) {
  std::string out = response_head(response, facts);
  if (!with_body || !may_have_body(response.status)) co_return co_await write_all(c, out);
  if (response.body.size() <= joined_body) {
    out += response.body;
    co_return co_await write_all(c, out);
  }
  if (!co_await write_all(c, out)) co_return false;
  co_return co_await write_all(c, response.body);
}

// The client hears that nothing more comes and has time to read the answer: closing at once while
// its bytes arrive would reset the connection and take the answer away (RFC 9112 section 9.6).
Task<void> close_gently(Connection& c) {
  c.stream->end_writing();
  c.stream = plain_stream(c.socket.native_handle());
  c.idle = true;
  c.limit_to(linger);
  while (c.alive() && !c.server.draining) {
    const auto step = c.stream->read(c.io.buffer);
    if (step.kind == Step::Kind::done)
      co_await take_turns(c);
    else if (step.kind != Step::Kind::wants_read || !co_await ready(c, step.kind))
      co_return;
  }
}

Task<void> answer_refusal(Connection& c) {
  const auto began = Clock::now();
  const auto [status, reason] = c.inbox.refusal();
  const auto response = refusal(c.server.options, status, reason);
  const Request& request = c.inbox.head();
  co_await respond(c, response, {.date = c.io.date(), .request_id = request.id},
                   request.method != "HEAD");
  report(c.server.options, request, response, began);
  co_await close_gently(c);
}

// One request and its answer; false: the connection ends.
Task<bool> exchange(Connection& c) {
  if (!co_await read_request(c)) co_return false;
  if (c.inbox.phase() == Phase::refused) {
    co_await answer_refusal(c);
    co_return false;
  }
  auto began = Clock::now();
  auto received = c.inbox.take();
  const std::string id = received.request.id;
  const bool with_body = received.request.method != "HEAD";
  const bool wanted_again = received.keep_alive;
  Answer answer{{}, Lease(c.server.budget), std::nullopt};
  for (answer.waiting = std::move(received); answer.waiting;) {
    auto request = *std::exchange(answer.waiting, std::nullopt);
    if (c.workers.reserve()) {
      answer = co_await handled(c, std::move(request), began);
    } else {
      answer.response = overloaded(c.server.options);
      report(c.server.options, request.request, answer.response, began);
    }
    if (!answer.waiting) break;
    answer.waiting->request.held = true;
    if (!co_await wait_for(c, *answer.response.hold, began)) co_return false;
    began = Clock::now();
  }
  const bool keep_alive =
      wanted_again && !c.server.draining && answer.response.headers.get("Connection") != "close";
  const ResponseFacts facts{.date = c.io.date(), .request_id = id, .keep_alive = keep_alive};
  if (!co_await respond(c, answer.response, facts, with_body)) co_return false;
  if (!keep_alive) co_await close_gently(c);
  co_return keep_alive;
}

Task<void> refuse_plain_http(Connection& c) {
  c.stream = plain_stream(c.socket.native_handle());
  const auto response =
      refusal(c.server.options, 400, "this port speaks TLS: the address begins https://");
  co_await respond(c, response, {.date = c.io.date()}, true);
  co_await close_gently(c);
}

// The TLS handshake, where there is one.
Task<bool> open(Connection& c) {
  const auto tls = c.server.current_tls();
  if (!tls) {
    c.stream = plain_stream(c.socket.native_handle());
    co_return true;
  }
  c.limit_to(c.server.options.limits.handshake_ms);
  if (!co_await ready(c, Step::Kind::wants_read)) co_return false;
  const auto first = first_byte(c.socket.native_handle());
  if (!first) co_return false;
  if (*first >= 'A' && *first <= 'Z') {
    co_await refuse_plain_http(c);
    co_return false;
  }
  c.stream = tls->stream(c.socket.native_handle());
  if (!c.stream) co_return false;
  for (auto step = c.stream->handshake(); step.kind != Step::Kind::done;
       step = c.stream->handshake()) {
    if (step.kind == Step::Kind::closed || step.kind == Step::Kind::failed) co_return false;
    if (!co_await ready(c, step.kind)) co_return false;
  }
  c.inbox.set_client_certificate(c.stream->client_certificate());
  co_return true;
}

Task<void> serve(std::unique_ptr<Connection> connection) {
  Connection& c = *connection;
  c.io.add(c);
  if (!c.server.draining && co_await open(c)) {
    while (co_await exchange(c)) {
    }
  }
  if (c.stream) c.stream->end_writing();
}

class AsioServer final : public Server {
 public:
  AsioServer(Options options, std::shared_ptr<const TlsContext> tls, Fd listener, int io_threads,
             int worker_threads);
  ~AsioServer() override;
  void run();
  std::uint16_t port() const override { return port_; }
  Result<> reload_tls() override;
  void wake(std::string_view key) override;
  void stop(int grace_ms) override;
  std::size_t connections() const override { return shared_.connections; }

 private:
  Task<void> accept_all();
  void admit(Accepted accepted);

  // In this order: connections refer to the shared part, threads to the loops, and what the pool
  // drops at its end goes back to a loop.
  Shared shared_;
  std::vector<std::unique_ptr<IoThread>> loops_;
  WorkerPool workers_;
  Descriptor listener_;  // of the first loop
  std::uint16_t port_;
  std::vector<std::thread> threads_;
};

AsioServer::AsioServer(Options options, std::shared_ptr<const TlsContext> tls, Fd listener,
                       int io_threads, int worker_threads)
    : shared_(std::move(options)),
      loops_([&] {
        std::vector<std::unique_ptr<IoThread>> out;
        for (int i = 0; i < io_threads; ++i) out.push_back(std::make_unique<IoThread>());
        return out;
      }()),
      workers_(worker_threads, shared_.options.limits.queued_requests),
      listener_(loops_.front()->context.get_executor(), listener.get()),
      port_(local_port(listener.get())) {
  std::ignore = listener.release();  // the descriptor closes it
  shared_.tls = std::move(tls);
}

void AsioServer::run() {
  asio::co_spawn(loops_.front()->context, accept_all(), asio::detached);
  for (auto& loop : loops_) threads_.emplace_back([&loop = *loop] { loop.run(); });
}

AsioServer::~AsioServer() {
  stop(0);
  workers_.stop();
}

Result<> AsioServer::reload_tls() {
  if (!shared_.current_tls()) return {};
  TRY(auto fresh, TlsContext::load(shared_.options.tls));
  const std::scoped_lock lock(shared_.mutex);
  shared_.tls = std::move(fresh);
  return {};
}

Task<void> AsioServer::accept_all() {
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> pause(
      loops_.front()->context.get_executor());
  for (;;) {
    const auto [error] =
        co_await listener_.async_wait(Descriptor::wait_read, asio::as_tuple(awaiting));
    if (error) co_return;  // the server stops
    for (int i = 0; i < accepts_per_turn; ++i) {
      auto accepted = accept_one(listener_.native_handle());
      if (accepted.none_waits) break;
      if (accepted.out_of_resources) {
        pause.expires_after(resource_pause);
        co_await pause.async_wait(asio::as_tuple(awaiting));
        break;
      }
      if (accepted.socket.valid()) admit(std::move(accepted));
    }
  }
}

// Gives the connection to the loop that has the fewest.
void AsioServer::admit(Accepted accepted) {
  if (shared_.connections >= shared_.options.limits.connections) return;  // and closes it
  const auto load = [](const auto& loop) { return loop->load.load(); };
  IoThread& loop = **std::ranges::min_element(loops_, {}, load);
  try {
    auto connection = std::make_unique<Connection>(shared_, workers_, loop, std::move(accepted));
    asio::co_spawn(loop.context, serve(std::move(connection)), asio::detached);
  } catch (const std::exception&) {
    // Memory or the kernel's watch list is short: this client is turned away.
  }
}

void AsioServer::wake(std::string_view key) {
  for (auto& loop : loops_)
    asio::post(loop->context, [&loop = *loop, key = std::string(key)] { loop.wake(key); });
}

void AsioServer::stop(int grace_ms) {
  if (threads_.empty()) return;
  shared_.draining = true;
  asio::post(loops_.front()->context, [this] {
    boost::system::error_code ignored;
    listener_.close(ignored);
  });
  for (auto& loop : loops_) {
    asio::post(loop->context, [&loop = *loop] {
      for (Connection* connection : loop.connections) {
        if (!connection->idle) continue;
        connection->cut = true;
        connection->wake();
      }
    });
  }
  {
    std::unique_lock lock(shared_.mutex);
    shared_.all_gone.wait_for(lock, std::chrono::milliseconds(grace_ms),
                              [this] { return shared_.connections == 0; });
  }
  for (auto& loop : loops_) loop->context.stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  // The loops stand still: what is left is cut from here.
  boost::system::error_code ignored;
  listener_.close(ignored);
  for (auto& loop : loops_)
    for (Connection* connection : loop->connections) connection->socket.close(ignored);
}

int or_default(int given, int otherwise) {
  return given > 0 ? given : otherwise;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(Options options) {
  CHECK(options.handler);
  std::shared_ptr<const TlsContext> tls;
  if (!options.tls.certificate.empty()) {
    TRY(tls, TlsContext::load(options.tls));
  }
  TRY(auto listener, listen_on(options.address, options.port));
  const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int io_threads = or_default(options.io_threads, processors);
  const int worker_threads = or_default(options.worker_threads, 4 * processors);
  const BlockedSignals blocked;
  try {
    auto server = std::make_unique<AsioServer>(std::move(options), std::move(tls),
                                               std::move(listener), io_threads, worker_threads);
    server->run();
    return server;
  } catch (const std::exception& failure) {
    return unavailable(fmt::format("starting the server: {}", failure.what()));
  }
}

}  // namespace tenken::http
