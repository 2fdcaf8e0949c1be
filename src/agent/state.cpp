#include "agent/state.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/files.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/random.h"

namespace tenken::agent {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20;
constexpr std::size_t longest_report = std::size_t{64} << 20;
constexpr std::size_t identity_bytes = 16;
constexpr unsigned secret_mode = 0600;

struct Member {
  std::string_view name;
  std::string Membership::* value;
};
constexpr Member members[] = {
    {"server", &Membership::server},           {"proxy", &Membership::proxy},
    {"agent", &Membership::agent_id},          {"resource", &Membership::resource_id},
    {"command-key", &Membership::command_key}, {"release-key", &Membership::release_key},
    {"machine", &Membership::machine},
};

template <typename T>
struct LookMember {
  std::string_view name;
  T LastLook::* value;
};
constexpr LookMember<std::string> look_words[] = {
    {"host", &LastLook::host}, {"version", &LastLook::version}, {"report", &LastLook::report}};
constexpr LookMember<Seconds> look_times[] = {{"looked", &LastLook::looked},
                                              {"asked-cloud", &LastLook::asked_cloud}};

}  // namespace

Result<State> State::open(std::string directory) {
  TRY_VOID(make_directory(directory));
  const auto path = directory + "/lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, secret_mode));
  if (!lock.valid()) return from_errno(errno, path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{Errc::conflict, fmt::format("{}: another tenken-agent uses it", directory)};
  return State(std::move(directory), std::move(lock));
}

std::string State::path(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

Result<Membership> read_membership(const std::string& directory) {
  const auto path = directory + "/agent.conf";
  const auto text = read_file(path, longest_file);
  if (!text && text.error().code == Errc::not_found)
    return invalid(
        fmt::format("{} has no agent that is enrolled: tenken-agent enrol --server URL "
                    "--ca FILE --token TOKEN",
                    directory));
  if (!text) return text.error();
  Membership out;
  for_each_line(*text, [&](std::string_view line) {
    const auto [name, value] = split_once(line, '=');
    for (const auto& member : members)
      if (member.name == name && value) out.*member.value = *value;
  });
  if (out.server.empty() || out.agent_id.empty())
    return invalid(fmt::format("{}: damaged; enrol the agent again", path));
  return out;
}

Result<Membership> State::membership() const {
  return read_membership(directory_);
}

Result<> State::enter(const Membership& membership, std::string_view ca,
                      std::string_view certificate, std::string_view key) const {
  TRY_VOID(put_authorities(ca));
  TRY_VOID(put_certificate(certificate, key));
  std::string text;
  for (const auto& member : members)
    text += fmt::format("{}={}\n", member.name, membership.*member.value);
  return write_file_atomic(path("agent.conf"), text, secret_mode);
}

Result<> State::put_authorities(std::string_view ca) const {
  return write_file_atomic(path("ca.pem"), ca);
}

Result<> State::put_certificate(std::string_view certificate, std::string_view key) const {
  return write_file_atomic(path("agent.pem"), fmt::format("{}{}", key, certificate), secret_mode);
}

Result<std::string> State::identity() const {
  const auto file = path("identity");
  if (const auto text = read_file(file, longest_file)) {
    const auto id = trim(*text);
    if (id.size() == 2 * identity_bytes && crypto::from_hex(id)) return std::string(id);
  }
  const auto made = crypto::to_hex(crypto::random_bytes(identity_bytes));
  TRY_VOID(write_file_atomic(file, made + "\n", secret_mode));
  return made;
}

LastReport State::last_report() const {
  const auto text = read_file(path("report"), longest_report);
  if (!text) return {};
  const auto [head, body] = split_once(*text, '\n');
  const auto sequence = parse_uint(head);
  if (!sequence || !body) return {};
  LastReport out{.sequence = *sequence, .lines = {}};
  for_each_line(*body, [&](std::string_view line) { out.lines.emplace_back(line); });
  return out;
}

Result<> State::put_report(const LastReport& report) const {
  return write_file_atomic(path("report"), secret_mode, [&](const WritePiece& write) -> Result<> {
    TRY_VOID(write(fmt::format("{}\n", report.sequence)));
    for (const auto& line : report.lines) {
      TRY_VOID(write(line));
      TRY_VOID(write("\n"));
    }
    return {};
  });
}

std::uint64_t State::last_sequence() const {
  const auto text = read_file(path("sequence"), longest_file);
  return text ? parse_uint(trim(*text)).value_or(0) : 0;
}

// Not by another file that takes its place, for which there may be no room.
Result<> State::put_sequence(std::uint64_t sequence) const {
  const auto file = path("sequence");
  const Fd out(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, secret_mode));
  if (!out.valid()) return from_errno(errno, file);
  const auto text = fmt::format("{:020}\n", sequence);
  const auto written = ::pwrite(out.get(), text.data(), text.size(), 0);
  if (written != std::ssize(text)) return from_errno(written < 0 ? errno : ENOSPC, file);
  if (::fsync(out.get()) != 0) return from_errno(errno, file);
  return {};
}

LastLook State::last_look() const {
  LastLook out;
  const auto text = read_file(path("look"), longest_file);
  if (!text) return out;
  for_each_line(*text, [&](std::string_view line) {
    const auto [name, value] = split_once(line, '=');
    for (const auto& word : look_words)
      if (word.name == name && value) out.*word.value = *value;
    for (const auto& time : look_times)
      if (time.name == name && value)
        out.*time.value = static_cast<Seconds>(parse_uint(*value).value_or(0));
  });
  return out;
}

Result<> State::put_look(const LastLook& look) const {
  std::string text;
  for (const auto& word : look_words) text += fmt::format("{}={}\n", word.name, look.*word.value);
  for (const auto& time : look_times) text += fmt::format("{}={}\n", time.name, look.*time.value);
  return write_file_atomic(path("look"), text, secret_mode);
}

}  // namespace tenken::agent
