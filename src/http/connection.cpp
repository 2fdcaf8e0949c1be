#include "http/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <span>
#include <utility>

#include "http/answer.h"
#include "http/response_head.h"

namespace tenken::http {
namespace {

using Phase = Inbox::Phase;

constexpr std::chrono::milliseconds tick{100};              // how late a time limit may strike
constexpr std::chrono::milliseconds linger{2000};           // for the client to read a last answer
constexpr std::size_t joined_body = std::size_t{16} << 10;  // sent in one piece with the head
constexpr unsigned steps_per_turn =
    16;  // reads or writes of one connection before others have a turn

}  // namespace

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

namespace {

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
  const auto& limits = c.server.options.limits;
  const std::chrono::milliseconds patience(limits.write_ms);
  const auto end = Clock::now() + patience +
                   std::chrono::milliseconds(bytes.size() * 1000 / limits.slowest_read_bytes_s);
  c.limit_to(patience);
  while (!bytes.empty()) {
    const auto step = c.stream->write(bytes);
    if (step.kind == Step::Kind::done) {
      bytes.remove_prefix(step.bytes);
      c.deadline = std::min(Clock::now() + patience, end);
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

// Runs the handler on a worker, for which a place is reserved, and comes back to this thread.
Task<Answer> handled(Connection& c, BufferedRequest received, Clock::time_point began) {
  auto initiate = [&c, began](auto completion, BufferedRequest taken) {
    auto job = [&server = c.server, began, completion = std::move(completion),
                taken = std::move(taken)]() mutable {
      auto answer = answer_to(std::move(taken), server.options, server.budget, began);
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
  if (c.io.held.woken_since(hold.key, began)) co_return true;
  if (c.inbox.has_next() || c.stream->has_unread()) co_return true;
  const auto place = c.io.held.add(hold.key, [&c] { c.wake(); });
  c.idle = true;
  c.limit_to(hold.milliseconds);
  if (c.alive() && !c.server.draining)
    co_await c.socket.async_wait(Descriptor::wait_read, asio::as_tuple(awaiting));
  c.io.held.remove(place);
  c.no_limit();
  c.expired = false;
  c.idle = false;
  co_return !c.cut && !c.server.draining;
}

Task<bool> respond(Connection& c, const Response& response, const ResponseFacts& facts,
                   bool with_body) {
  std::string out = response_head(response, facts);
  if (!with_body || !may_have_body(response.status)) co_return co_await write_all(c, out);
  const auto body = response.content();
  if (body.size() <= joined_body) {
    out += body;
    co_return co_await write_all(c, out);
  }
  if (!co_await write_all(c, out)) co_return false;
  co_return co_await write_all(c, body);
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

}  // namespace

Task<void> serve(std::unique_ptr<Connection> connection) {
  Connection& c = *connection;
  c.io.add(c);
  if (!c.server.draining && co_await open(c)) {
    while (co_await exchange(c)) {
    }
  }
  if (c.stream) c.stream->end_writing();
}

}  // namespace tenken::http
