#include <chrono>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "sql/sql.h"

namespace tenken::sql {
namespace {

// A database that is gone may come back, and is nothing that a caller asked for.
Result<std::unique_ptr<Connection>> open_again(const Location& location) {
  auto opened = open(location);
  if (!opened && opened.error().code == Errc::not_found)
    return unavailable(std::move(opened.error().what));
  return opened;
}

}  // namespace

struct Pool::State {
  const Location location;
  const std::size_t limit;
  std::mutex keeping;
  std::unique_ptr<Connection> kept;  // closed after all others
  std::mutex mutex;
  std::condition_variable freed;
  // The one that came back last is lent first: its caches are warm.
  std::vector<std::unique_ptr<Connection>> idle;
  std::size_t opened = 0;  // idle ones, lent ones and those being opened

  void closed_one() {
    const std::lock_guard lock(mutex);
    --opened;
    freed.notify_one();
  }
};

Pool::Pool(Location location, std::size_t limit)
    : state_(std::make_unique<State>(std::move(location), limit)) {
  CHECK(limit > 0);
}

Pool::~Pool() {
  CHECK(state_->opened == state_->idle.size());
}

Result<> Pool::keep_file_locked() {
  if (engine() != Engine::sqlite) return {};
  const std::lock_guard lock(state_->keeping);
  if (state_->kept != nullptr) return {};
  TRY(auto kept, open_again(state_->location));
  TRY_VOID(kept->one_integer("SELECT COUNT(*) FROM sqlite_schema"));  // with which it has its lock
  state_->kept = std::move(kept);
  return {};
}

Result<Pool::Lease> Pool::lease(int wait_ms) {
  TRY_VOID(keep_file_locked());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  for (;;) {
    std::unique_ptr<Connection> connection;
    {
      std::unique_lock lock(state_->mutex);
      const auto is_free = [&] { return !state_->idle.empty() || state_->opened < state_->limit; };
      if (!state_->freed.wait_until(lock, deadline, is_free))
        return unavailable(fmt::format("all {} connections to the database stayed in use for {} ms",
                                       state_->limit, wait_ms));
      if (state_->idle.empty()) {
        ++state_->opened;
      } else {
        connection = std::move(state_->idle.back());
        state_->idle.pop_back();
      }
    }
    if (connection == nullptr) {
      auto opened = open_again(state_->location);
      if (opened) return Lease(*this, *std::move(opened));
      state_->closed_one();
      return std::move(opened).error();
    }
    if (connection->usable()) return Lease(*this, std::move(connection));
    connection.reset();
    state_->closed_one();
  }
}

void Pool::close_idle() {
  std::vector<std::unique_ptr<Connection>> closing;
  {
    const std::lock_guard lock(state_->mutex);
    closing.swap(state_->idle);
  }
  for (auto& connection : closing) {
    connection.reset();
    state_->closed_one();
  }
}

Engine Pool::engine() const {
  return state_->location.postgresql_uri.empty() ? Engine::sqlite : Engine::postgresql;
}

const Location& Pool::location() const {
  return state_->location;
}

Pool::Lease::Lease(Pool& pool, std::unique_ptr<Connection> connection)
    : pool_(&pool), connection_(std::move(connection)) {}

Pool::Lease::Lease(Lease&& other) noexcept
    : pool_(other.pool_), connection_(std::move(other.connection_)) {}

Pool::Lease::~Lease() {
  if (connection_ == nullptr) return;
  auto& state = *pool_->state_;
  if (!connection_->usable()) {
    connection_.reset();
    state.closed_one();
    return;
  }
  const std::lock_guard lock(state.mutex);
  state.idle.push_back(std::move(connection_));
  state.freed.notify_one();
}

}  // namespace tenken::sql
