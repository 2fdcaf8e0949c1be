#include "pipeline/ssh.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace tenken::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int tick_ms = 100;
constexpr std::size_t complaint_limit = std::size_t{16} << 10;
// Words of the client, of which there is but one language.
constexpr std::string_view changed_key = "HOST IDENTIFICATION HAS CHANGED";
constexpr std::string_view no_key = "key is known for";
constexpr std::string_view no_access = "Permission denied";
constexpr int code_of_client = 255;  // ssh(1): of a connection that failed

std::vector<std::string> words_of(const SshTarget& target) {
  std::vector<std::string> out{"ssh", "-T", "-a", "-x"};
  for (const auto* option :
       {"BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "ConnectTimeout=15",
        "ServerAliveInterval=15", "ServerAliveCountMax=4", "ClearAllForwardings=yes",
        "PermitLocalCommand=no", "ControlPath=none", "LogLevel=ERROR"}) {
    out.emplace_back("-o");
    out.emplace_back(option);
  }
  const auto add = [&out](std::string option) {
    out.emplace_back("-o");
    out.push_back(std::move(option));
  };
  if (!target.known_hosts.empty()) {
    add(fmt::format("UserKnownHostsFile=\"{}\"", target.known_hosts));
    add("GlobalKnownHostsFile=/dev/null");
  }
  if (!target.identity.empty()) {
    add("IdentitiesOnly=yes");
    out.emplace_back("-i");
    out.push_back(target.identity);
  }
  if (target.port != 0) {
    out.emplace_back("-p");
    out.push_back(fmt::format("{}", target.port));
  }
  out.insert(out.end(), {"--", target.host, "/bin/sh", "-s"});
  return out;
}

// The script as a file that has no name.
Result<Fd> input_of(std::string_view script) {
  Fd fd(::memfd_create("script", MFD_CLOEXEC));
  if (!fd.valid()) return from_errno(errno, "memfd");
  TRY_VOID(write_fd(fd.get(), script, "memfd"));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return from_errno(errno, "memfd");
  return fd;
}

Result<pid_t> spawn(std::vector<std::string> words, int input, int output, int complaints) {
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  // In this process's own group: whoever ends that ends the connection too.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, "ssh", &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return from_errno(failed, "ssh");
  return pid;
}

// What comes on two pipes until both end.
class Streams {
 public:
  Streams(Pipe& answer, Pipe& complaints, int output, const SshLimits& limits)
      : answer_(answer.read), complaints_(complaints.read), output_(output), limits_(limits) {}

  Result<> read(const std::function<bool()>& stop) {
    const auto deadline = Clock::now() + limits_.time;
    while (open_[0] || open_[1]) {
      if (stop()) return unavailable("stopped");
      if (Clock::now() > deadline)
        return unavailable(fmt::format("it took longer than {} s", limits_.time.count()));
      std::array<pollfd, 2> ready{pollfd{open_[0] ? answer_.get() : -1, POLLIN, 0},
                                  pollfd{open_[1] ? complaints_.get() : -1, POLLIN, 0}};
      if (::poll(ready.data(), ready.size(), tick_ms) <= 0) continue;
      if (ready[0].revents != 0) TRY_VOID(take_answer());
      if (ready[1].revents != 0) take_complaints();
    }
    return {};
  }
  const std::string& complaints() const { return text_; }

 private:
  Result<> take_answer() {
    const auto count = ::read(answer_.get(), buffer_.data(), buffer_.size());
    if (count <= 0) {
      open_[0] = count < 0 && errno == EINTR;
      return {};
    }
    written_ += static_cast<std::size_t>(count);
    if (written_ > limits_.output_bytes)
      return limit_exceeded(fmt::format("it sent more than {} bytes", limits_.output_bytes));
    return write_fd(output_, {buffer_.data(), static_cast<std::size_t>(count)}, "ssh");
  }
  void take_complaints() {
    const auto count = ::read(complaints_.get(), buffer_.data(), buffer_.size());
    if (count <= 0) {
      open_[1] = count < 0 && errno == EINTR;
      return;
    }
    const auto room = complaint_limit - std::min(complaint_limit, text_.size());
    text_.append(buffer_.data(), std::min(room, static_cast<std::size_t>(count)));
  }

  const Fd& answer_;
  const Fd& complaints_;
  int output_;
  const SshLimits& limits_;
  std::array<bool, 2> open_{true, true};
  std::array<char, 65'536> buffer_{};
  std::size_t written_ = 0;
  std::string text_;
};

std::string last_line(std::string_view text) {
  std::string_view last;
  for_each_line(text, [&](std::string_view line) {
    if (!trim(line).empty()) last = trim(line);
  });
  return printable(last);
}

// What the client says of a connection that failed.
Error failure(std::string_view complaints) {
  if (complaints.contains(changed_key))
    return {Errc::denied,
            "it has another key than the one that is known: another host may answer in its place. "
            "If its key was changed, replace it in the file of known hosts"};
  if (complaints.contains(no_key))
    return {Errc::denied,
            "its key is not known: put it into the file of known hosts (ssh-keyscan), compared "
            "with the host's own"};
  if (complaints.contains(no_access))
    return {Errc::denied, "it does not let this user in with this key"};
  const auto last = last_line(complaints);
  return unavailable(last.empty() ? std::string("the connection failed") : last);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

bool is_ssh_host(std::string_view text) {
  const auto plain = [](std::string_view part) {
    return !part.empty() && part.front() != '-' && std::ranges::all_of(part, [](char c) {
      return is_alnum(c) || std::string_view("._-:%[]").contains(c);
    });
  };
  if (text.size() > 255) return false;
  const auto [first, second] = split_once(text, '@');
  return plain(first) && (!second || plain(*second));
}

Result<> run_over_ssh(const SshTarget& target, std::string_view script, int output,
                      const SshLimits& limits, const std::function<bool()>& stop) {
  if (!is_ssh_host(target.host))
    return invalid(fmt::format("{}: HOST or USER@HOST is needed", target.host));
  TRY(const auto input, input_of(script));
  TRY(auto answer, make_pipe());
  TRY(auto complaints, make_pipe());
  TRY(const auto pid,
      spawn(words_of(target), input.get(), answer.write.get(), complaints.write.get()));
  answer.write = Fd();
  complaints.write = Fd();
  Streams streams(answer, complaints, output, limits);
  auto read = streams.read(stop);
  if (!read) ::kill(pid, SIGKILL);
  const int code = wait_for(pid);
  if (!read) return std::move(read).error().within(target.host);
  if (code == code_of_client) return failure(streams.complaints()).within(target.host);
  if (code != 0) {
    const auto said = last_line(streams.complaints());
    return unavailable(said.empty() ? fmt::format("its shell ended with {}", code)
                                    : fmt::format("its shell ended with {}: {}", code, said))
        .within(target.host);
  }
  return {};
}

}  // namespace tenken::pipeline
