#include "agent/versions.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/files.h"
#include "base/file.h"
#include "base/text.h"

namespace tenken::agent {
namespace {

constexpr std::size_t longest_number = 9;
constexpr std::size_t longest_file = 4096;
constexpr std::uint64_t most_starts = 3;
constexpr std::string_view program_name = "tenken-agent";

using Numbers = std::array<std::uint64_t, 3>;

std::optional<Numbers> numbers_of(std::string_view text) {
  Numbers out{};
  const auto parts = split(text, '.');
  if (parts.size() != out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto number = parts[i].size() <= longest_number ? parse_uint(parts[i]) : std::nullopt;
    if (!number) return std::nullopt;
    out[i] = *number;
  }
  return out;
}

std::string text_of(const std::string& path) {
  const auto text = read_file(path, longest_file);
  return text ? std::string(trim(*text)) : std::string();
}

}  // namespace

bool is_version(std::string_view text) {
  return numbers_of(text).has_value();
}

bool is_newer(std::string_view version, std::string_view than) {
  const auto one = numbers_of(version);
  const auto other = numbers_of(than);
  return one && other && *one > *other;
}

std::string Versions::path(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

std::string Versions::program(std::string_view version) const {
  return fmt::format("{}/{}/{}", directory_, version, program_name);
}

Result<std::string> Versions::place_for(std::string_view version) const {
  TRY_VOID(make_directory(path(version)));
  return program(version);
}

void Versions::remove(std::string_view version) const {
  const auto folder = path(version);
  const auto names = names_in(folder);
  if (!names) return;
  for (const auto& name : *names) ::unlink(fmt::format("{}/{}", folder, name).c_str());
  ::rmdir(folder.c_str());
}

void Versions::remove_others(std::string_view version) const {
  const auto names = names_in(directory_);
  if (!names) return;
  for (const auto& name : *names)
    if (is_version(name) && name != version) remove(name);
}

Result<std::optional<std::string>> Versions::to_run(std::string_view installed) const {
  const auto version = text_of(path("current"));
  constexpr auto none = std::optional<std::string>();
  if (version.empty()) return none;
  if (!is_newer(version, installed) || ::access(program(version).c_str(), X_OK) != 0) {
    ::unlink(path("current").c_str());
    remove_others("");
    return none;
  }
  const auto starts = parse_uint(text_of(path("starts"))).value_or(0);
  if (starts >= most_starts) {
    give_up(version, fmt::format("it ended {} times before it had spoken to the server", starts));
    return none;
  }
  TRY_VOID(write_file_atomic(path("starts"), fmt::format("{}\n", starts + 1), 0600));
  return std::optional(version);
}

std::string Versions::highest() const {
  return text_of(path("highest"));
}

Fd Versions::hold() const {
  Fd held(::open(state_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (held.valid() && ::flock(held.get(), LOCK_EX | LOCK_NB) != 0) held = Fd();
  return held;
}

void Versions::clean(std::string_view running) const {
  const auto names = names_in(directory_);
  if (!names) return;
  const auto current = text_of(path("current"));
  for (const auto& name : *names) {
    if (!is_version(name) || name == current || name == running) continue;
    remove(name);
    // An older one was left where a newer one had just taken over.
    if (is_newer(name, running) && !is_newer(current, name)) note_fault(name, interruption);
  }
}

Result<> Versions::make_current(std::string_view version) const {
  if (!is_newer(highest(), version))
    TRY_VOID(write_file_atomic(path("highest"), fmt::format("{}\n", version), 0600));
  TRY_VOID(write_file_atomic(path("current"), fmt::format("{}\n", version), 0600));
  ::unlink(path("starts").c_str());
  forget_fault();
  remove_others(version);
  return {};
}

Result<> Versions::checked_in(std::string_view version) const {
  if (::access(directory_.c_str(), F_OK) != 0) return {};  // there was never another version
  ::unlink(path("starts").c_str());
  return write_file_atomic(path("checked-in"), fmt::format("{}\n", version), 0600);
}

void Versions::ended_in_order() const {
  ::unlink(path("starts").c_str());
}

bool Versions::has_checked_in(std::string_view version) const {
  return text_of(path("checked-in")) == version;
}

void Versions::forget_check_in() const {
  ::unlink(path("checked-in").c_str());
}

void Versions::give_up(std::string_view version, std::string_view why) const {
  if (text_of(path("current")) == version) ::unlink(path("current").c_str());
  ::unlink(path("starts").c_str());
  remove(version);
  note_fault(version, why);
}

void Versions::note_fault(std::string_view version, std::string_view why) const {
  if (make_directory(directory_))
    std::ignore = write_file_atomic(path("fault"), fmt::format("{} {}\n", version, why), 0600);
}

std::optional<UpdateFault> Versions::fault() const {
  const auto text = text_of(path("fault"));
  const auto [version, why] = split_once(text, ' ');
  if (!why) return std::nullopt;
  return UpdateFault{std::string(version), std::string(*why)};
}

void Versions::forget_fault() const {
  ::unlink(path("fault").c_str());
}

}  // namespace tenken::agent
