// One connection of the server: its requests are read, handed to the workers, and answered in turn.
// The transport waits with Asio's coroutines, everything else is plain functions. Each I/O thread
// has an io_context of its own; a connection stays on the thread it was given to.
//
// Thread rule: a connection and the members of its IoThread belong to that thread; Shared, load
// and posting to the context are for all.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/byte_budget.h"
#include "http/held_requests.h"
#include "http/inbox.h"
#include "http/request_ids.h"
#include "http/server.h"
#include "http/socket.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/worker_pool.h"

namespace tenken::http {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;
template <typename T>
using Task = asio::awaitable<T, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
constexpr asio::use_awaitable_t<Executor> awaiting;

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
  void arm_tick();
  void run();
  std::string_view date();

  std::vector<Connection*> connections;
  HeldRequests held;
  std::atomic<std::size_t> load = 0;  // connections given to this thread
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

// Until the client goes, or the server cuts it.
Task<void> serve(std::unique_ptr<Connection> connection);

}  // namespace tenken::http
