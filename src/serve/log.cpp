#include "serve/log.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/time.h"

namespace tenken::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_lines = 20'000;
constexpr std::size_t most_bytes = std::size_t{8} << 20;
constexpr std::size_t longest_text = 1'024;  // of a field that a client chose
// A pipe that poll(2) calls writable takes so much without blocking (POSIX: PIPE_BUF).
constexpr std::size_t piece_bytes = 4'096;
constexpr int poll_ms = 100;
constexpr auto last_words = std::chrono::seconds(1);

std::string time_text() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  auto text = format_time(ms / 1000);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, ms % 1000);
}

std::string_view name(Level level) {
  switch (level) {
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

json::Writer line_of(std::string_view level) {
  json::Writer out;
  out.begin_object().member("time", time_text()).member("level", level);
  return out;
}

std::string finish(json::Writer& line) {
  line.end_object();
  return line.take() + '\n';
}

Result<std::shared_ptr<const Fd>> open_file(const std::string& file) {
  const int fd = file.empty()
                     ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                     : ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return from_errno(errno, file.empty() ? "standard error" : file);
  return std::make_shared<const Fd>(fd);
}

}  // namespace

struct Log::State {
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<const Fd> file;
  std::deque<std::string> lines;
  std::size_t bytes = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::uint64_t dropped_told = 0;  // of the writer
  bool stopping = false;
  bool ended = false;
  Clock::time_point deadline = Clock::time_point::max();

  void add(std::string line) {
    {
      const std::lock_guard lock(mutex);
      if (lines.size() >= most_lines || bytes + line.size() > most_bytes) {
        ++dropped;
        return;
      }
      bytes += line.size();
      lines.push_back(std::move(line));
    }
    changed.notify_one();
  }

  // Empty: the log ends.
  std::string next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !lines.empty(); });
    std::string batch;
    while (!lines.empty() && batch.size() < 16 * piece_bytes) {
      bytes -= lines.front().size();
      batch += lines.front();
      lines.pop_front();
    }
    return batch;
  }

  bool late() const {
    const std::lock_guard lock(mutex);
    return Clock::now() > deadline;
  }

  // False: nobody reads, and the log ends; or the file takes nothing.
  bool write(std::string_view batch) {
    std::shared_ptr<const Fd> out;
    {
      const std::lock_guard lock(mutex);
      out = file;
    }
    while (!batch.empty()) {
      pollfd ready{.fd = out->get(), .events = POLLOUT, .revents = 0};
      if (::poll(&ready, 1, poll_ms) == 0) {
        if (late()) return false;
        continue;
      }
      const auto written = ::write(out->get(), batch.data(), std::min(batch.size(), piece_bytes));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
      if (written > 0) batch.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  void tell_dropped() {
    const auto all = dropped.load();
    if (all == dropped_told) return;
    auto line = line_of("warning");
    line.member("message", "lines of this log were dropped: nobody read it, or its disk is full");
    line.key("lines").integer(static_cast<std::int64_t>(all - dropped_told));
    if (write(finish(line))) dropped_told = all;
  }

  void run() {
    // A reader that goes away is an error of write, no signal.
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (auto batch = next(); !batch.empty(); batch = next()) {
      const auto count = static_cast<std::uint64_t>(std::ranges::count(batch, '\n'));
      if (!write(batch)) dropped += count;
      tell_dropped();
    }
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    changed.notify_all();
  }
};

Log::Log(std::string file) : file_(std::move(file)), state_(std::make_shared<State>()) {}

Result<std::unique_ptr<Log>> Log::open(const std::string& file) {
  auto log = std::unique_ptr<Log>(new Log(file));
  TRY(log->state_->file, open_file(file));
  std::thread([state = log->state_] { state->run(); }).detach();
  return log;
}

Log::~Log() {
  std::unique_lock lock(state_->mutex);
  if (state_->file == nullptr) return;  // it never began
  state_->stopping = true;
  state_->deadline = Clock::now() + last_words;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, 2 * last_words, [this] { return state_->ended; });
}

void Log::note(Level level, std::string_view message, std::initializer_list<Field> fields) {
  auto line = line_of(name(level));
  line.member("message", message);
  for (const auto& field : fields) {
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      line.key(field.name).integer(*number);
    } else {
      line.member(field.name, std::get<std::string_view>(field.value).substr(0, longest_text));
    }
  }
  state_->add(finish(line));
}

void Log::access(const http::Request& request, const http::Response& response,
                 std::int64_t micros) {
  auto line = line_of("access");
  line.member("request", request.id).member("method", request.method.substr(0, 32));
  line.member("path", request.path().substr(0, longest_text));
  line.member_if("operation", response.note.operation);
  line.key("status").integer(response.status);
  line.key("bytes").integer(static_cast<std::int64_t>(response.content().size()));
  line.key("micros").integer(micros);
  line.member_if("account", response.note.account).member_if("key", response.note.access_key_id);
  line.member_if("agent", request.headers.get("User-Agent").substr(0, longest_text));
  line.member("peer", request.peer);
  state_->add(finish(line));
}

Result<> Log::reopen() {
  if (file_.empty()) return {};
  TRY(auto fresh, open_file(file_));
  const std::lock_guard lock(state_->mutex);
  state_->file = std::move(fresh);
  return {};
}

std::uint64_t Log::dropped() const {
  return state_->dropped;
}

}  // namespace tenken::serve
