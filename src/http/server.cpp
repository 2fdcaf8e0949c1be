#include "http/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "http/blocked_signals.h"
#include "http/connection.h"
#include "http/socket.h"
#include "http/tls.h"
#include "http/worker_pool.h"

namespace tenken::http {
namespace {

constexpr std::chrono::milliseconds resource_pause{100};  // before accept is tried again
constexpr int accepts_per_turn = 16;

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
    asio::post(loop->context,
               [&loop = *loop, key = std::string(key)] { loop.held.wake(key, Clock::now()); });
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
