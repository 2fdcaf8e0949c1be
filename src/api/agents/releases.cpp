#include "api/agents/releases.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::api::agents {
namespace {

constexpr std::size_t longest_architecture = 32;
constexpr std::size_t longest_number = 9;
constexpr std::size_t most_known = 64;

// A file as it was when something was read of it.
template <typename Read>
struct Known {
  Known(const struct stat& then, Read what)
      : modified(then.st_mtim), size(then.st_size), read(std::move(what)) {}

  bool holds(const struct stat& now) const {
    return size == now.st_size && modified.tv_sec == now.st_mtim.tv_sec &&
           modified.tv_nsec == now.st_mtim.tv_nsec;
  }

  timespec modified;
  off_t size;
  Read read;
};

// A fleet that is updated asks for one file again and again.
std::mutex mutex;
std::map<std::string, Known<ReleaseFacts>>& known_releases() {
  static std::map<std::string, Known<ReleaseFacts>> out;
  return out;
}

// Those that somebody fetches now.
std::mutex bytes_mutex;
using FetchedFiles = std::map<std::string, Known<std::weak_ptr<const std::string>>>;
FetchedFiles& fetched_files() {
  static FetchedFiles out;
  return out;
}

}  // namespace

bool is_architecture(std::string_view text) {
  return !text.empty() && text.size() <= longest_architecture &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_'; });
}

bool is_release(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 3 && std::ranges::all_of(parts, [](std::string_view part) {
           return part.size() <= longest_number && parse_uint(part);
         });
}

Result<ReleaseFacts> release_facts(const std::string& directory, std::string_view version,
                                   std::string_view architecture) {
  if (directory.empty()) return not_found("this server has no releases: --agent-releases");
  if (!is_release(version) || !is_architecture(architecture))
    return invalid("the agent's architecture is not known");
  const auto path = fmt::format("{}/{}/tenken-agent-{}", directory, version, architecture);
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || ::access((path + ".sig").c_str(), R_OK) != 0)
    return not_found(
        fmt::format("this server has no signed release {} for {}", version, architecture));
  const std::lock_guard lock(mutex);
  auto& known = known_releases();
  if (const auto found = known.find(path); found != known.end() && found->second.holds(facts))
    return found->second.read;
  TRY(const auto bytes, read_file(path, longest_program));
  if (known.size() >= most_known) known.clear();
  ReleaseFacts out{.version = std::string(version),
                   .sha256 = crypto::to_hex(crypto::view(crypto::sha256(bytes))),
                   .size = bytes.size()};
  known.insert_or_assign(path, Known(facts, out));
  return out;
}

Result<std::shared_ptr<const std::string>> release_bytes(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return from_errno(errno, path);
  const std::lock_guard lock(bytes_mutex);
  auto& files = fetched_files();
  if (const auto found = files.find(path); found != files.end() && found->second.holds(facts)) {
    if (auto bytes = found->second.read.lock()) return bytes;
  }
  TRY(auto bytes, read_file(path, longest_program));
  auto out = std::make_shared<const std::string>(std::move(bytes));
  std::erase_if(files, [](const auto& one) { return one.second.read.expired(); });
  files.insert_or_assign(path, Known(facts, std::weak_ptr(out)));
  return out;
}

}  // namespace tenken::api::agents
