#include "agent/status.h"

#include <string_view>
#include <tuple>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace tenken::agent {
namespace {

constexpr std::size_t longest_file = 65'536;

void write(const State& state, std::string_view contact, std::string_view fault,
           std::string_view unread, std::string_view version) {
  const auto text =
      fmt::format("time={}\ncontact={}\nfault={}\nunread={}\nversion={}\npid={}\n",
                  format_time(now()), contact, fault, unread, version, ::getpid());
  std::ignore = write_file_atomic(state.path("status"), text);
}

std::string text_before(const State& state) {
  return read_file(state.path("status"), longest_file).value_or("");
}

std::string_view member(std::string_view text, std::string_view wanted) {
  for (const auto line : split(text, '\n')) {
    const auto [name, value] = split_once(line, '=');
    if (name == wanted) return value.value_or("");
  }
  return {};
}

}  // namespace

void put_status(const State& state, const Status& status) {
  const auto contact = status.contact == 0 ? "never" : format_time(status.contact);
  write(state, contact, status.fault, status.unread, status.version);
}

std::string unread_before(const State& state) {
  return std::string(member(text_before(state), "unread"));
}

void put_refusal(const State& state, std::string_view fault, std::string_view version) {
  const auto before = text_before(state);
  if (member(before, "fault") == fault) return;
  const auto contact = member(before, "contact");
  write(state, contact.empty() ? "never" : contact, fault, member(before, "unread"), version);
}

}  // namespace tenken::agent
