#include "agent/update.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/exchange.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int patience_ms = 300'000;
constexpr std::size_t longest_signature = 4096;
constexpr std::size_t longest_saying = 200;
constexpr auto says_within = std::chrono::seconds(10);
constexpr int look_every_ms = 20;
constexpr mode_t program_mode = 0700;

Outgoing get(const Release& release, std::string_view suffix) {
  utsname names{};
  ::uname(&names);
  return {.method = "GET",
          .path = fmt::format("/agent/release/{}/{}{}", release.version, names.machine, suffix),
          .headers = {},
          .body = {}};
}

Result<> check(const Release& release, std::string_view key, std::string_view running,
               std::string_view highest) {
  if (key.empty())
    return invalid("no release key was pinned: enrol with --release-key to have the agent updated");
  if (!is_version(release.version)) return invalid("the release has no version");
  if (!is_newer(release.version, running))
    return invalid(fmt::format("it is not newer than {}, which runs", running));
  // A server that had a newer one given up here could else have its holes back.
  if (is_newer(highest, release.version))
    return invalid(fmt::format("it is older than {}, which ran here", highest));
  if (release.size == 0 || release.size > largest_release)
    return invalid(fmt::format("a program of {} bytes is not taken", release.size));
  return {};
}

// Twice: a disk that the program fills has no room for reports.
Result<> check_room(const std::string& path, std::uint64_t size) {
  struct statvfs disk{};
  if (::statvfs(path.c_str(), &disk) != 0) return from_errno(errno, path);
  const std::uint64_t room = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (room / 2 < size)
    return invalid(fmt::format("the disk has room for {} bytes, twice {} are needed", room, size));
  return {};
}

// Straight to the disk, hashed on the way.
Result<> download(Sender& sender, const Release& release, const std::string& path) {
  const Fd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, program_mode));
  if (!file.valid()) return from_errno(errno, path);
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  TRY(const auto answer, sender.fetch(get(release, ""), patience_ms, [&](std::string_view piece) {
    size += piece.size();
    if (size > release.size) return Result<>(invalid("the program is longer than was announced"));
    hash.update(piece);
    return write_fd(file.get(), piece, path);
  }));
  if (answer.status != 200) return refusal_of(answer);
  if (size != release.size || crypto::to_hex(crypto::view(hash.finish())) != release.sha256)
    return invalid("the program is another than was announced (SHA-256)");
  if (::fsync(file.get()) != 0) return from_errno(errno, path);
  return {};
}

Result<> check_signature(Sender& sender, const Release& release, std::string_view key,
                         const std::string& path) {
  std::string signature;
  TRY(const auto answer,
      sender.fetch(get(release, ".sig"), patience_ms, [&](std::string_view piece) -> Result<> {
        signature += piece;
        if (signature.size() > longest_signature) return invalid("the signature is too long");
        return {};
      }));
  if (answer.status != 200) return refusal_of(answer).within("the signature");
  TRY(const auto public_key, crypto::from_base64(key));
  TRY(const auto program, MappedFile::open(path));
  const auto verified = crypto::ed25519_verify(public_key, program.bytes(), signature);
  if (!verified) return invalid("the program is not signed by the pinned release key");
  return {};
}

// Its wait status, where it ends in time; else, and where this agent is to end, it is killed.
std::optional<int> end_of(pid_t child, const Sender& sender) {
  const auto until = Clock::now() + says_within;
  while (!sender.is_stopped() && Clock::now() < until) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    ::poll(nullptr, 0, look_every_ms);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return std::nullopt;
}

// What a program that was verified says to --version.
Result<std::string> saying_of(const std::string& path, const Sender& sender) {
  std::array<int, 2> ends{};
  // What it left of itself may hold the other end open: this one does not wait for that.
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return from_errno(errno, "pipe");
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return from_errno(errno, "fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(writing.get(), STDOUT_FILENO);
    ::execl(path.c_str(), path.c_str(), "--version", nullptr);
    ::_exit(127);
  }
  const auto status = end_of(child, sender);
  if (!status || !WIFEXITED(*status) || WEXITSTATUS(*status) != 0)
    return invalid("the program does not run on this host");
  std::string text(longest_saying, '\0');
  const auto got = ::read(reading.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

Result<> fetch_into(Sender& sender, const Release& release, std::string_view key,
                    const Versions& versions) {
  TRY(const auto path, versions.place_for(release.version));
  TRY_VOID(check_room(path.substr(0, path.rfind('/')), release.size));
  TRY_VOID(download(sender, release, path));
  TRY_VOID(check_signature(sender, release, key, path));
  // The signature says nothing of the version: an old program under a new name would be a step
  // back.
  TRY(const auto saying, saying_of(path, sender));
  if (saying != fmt::format("tenken-agent {}\n", release.version))
    return invalid(fmt::format("the program says that it is \"{}\"", printable(trim(saying))));
  return {};
}

}  // namespace

Result<> fetch_release(Sender& sender, const Release& release, std::string_view release_key,
                       std::string_view running_version, const Versions& versions) {
  TRY_VOID(check(release, release_key, running_version, versions.highest()));
  auto fetched = fetch_into(sender, release, release_key, versions);
  sender.close();
  if (!fetched) versions.remove(release.version);
  return fetched;
}

}  // namespace tenken::agent
