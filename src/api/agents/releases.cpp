#include "api/agents/releases.h"

#include <algorithm>
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

struct Known {
  timespec modified{};
  off_t size = 0;
  ReleaseFacts facts;
};

bool same(const Known& known, const struct stat& now) {
  return known.size == now.st_size && known.modified.tv_sec == now.st_mtim.tv_sec &&
         known.modified.tv_nsec == now.st_mtim.tv_nsec;
}

// A fleet that is updated asks for one file again and again.
std::mutex mutex;
std::map<std::string, Known>& known_releases() {
  static std::map<std::string, Known> out;
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
  if (const auto found = known.find(path); found != known.end() && same(found->second, facts))
    return found->second.facts;
  TRY(const auto bytes, read_file(path, longest_program));
  if (known.size() >= most_known) known.clear();
  const Known read{.modified = facts.st_mtim,
                   .size = facts.st_size,
                   .facts = {.version = std::string(version),
                             .sha256 = crypto::to_hex(crypto::view(crypto::sha256(bytes))),
                             .size = bytes.size()}};
  known.insert_or_assign(path, read);
  return read.facts;
}

}  // namespace tenken::api::agents
