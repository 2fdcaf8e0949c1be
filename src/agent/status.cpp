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

}  // namespace

void put_status(const State& state, const Status& status) {
  const auto contact = status.contact == 0 ? "never" : format_time(status.contact);
  write(state, contact, status.fault, status.unread, status.version);
}

void put_refusal(const State& state, std::string_view fault, std::string_view version) {
  const auto before = read_file(state.path("status"), longest_file).value_or("");
  std::string_view contact = "never";
  for (const auto line : split(before, '\n')) {
    const auto [name, value] = split_once(line, '=');
    if (name == "fault" && value == fault) return;
    if (name == "contact") contact = value.value_or(contact);
  }
  write(state, contact, fault, {}, version);
}

}  // namespace tenken::agent
