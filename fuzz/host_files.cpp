// The texts that facts of a host come from: each parser takes whatever stands there. The first byte
// chooses the parser.
#include "base/text.h"
#include "host/boot_time.h"
#include "host/cloud.h"
#include "host/http_answer.h"
#include "host/processes.h"
#include "host/reboot.h"
#include "host/sockets.h"
#include "host/sshd.h"
#include "host/sysctl.h"
#include "host/users.h"

namespace {

using namespace std::string_view_literals;

void check_users(std::string_view text) {
  for (const auto& user : tenken::host::parse_passwd(text).items)
    CHECK(!user.name.empty() && !user.home.contains('\n') && !user.shell.contains('\0'));
}

void check_sockets(std::string_view text) {
  tenken::for_each_line(text, [](std::string_view line) {
    for (const auto protocol : {"tcp"sv, "udp"sv}) {
      const auto parsed = tenken::host::parse_socket_line(line, protocol);
      const bool waiting = parsed.kind == tenken::host::SocketLine::waiting;
      CHECK(waiting != parsed.socket.listener.address.empty());
    }
  });
}

void check_processes(std::string_view text) {
  tenken::host::parse_stat(text);
  tenken::host::parse_status_uid(text);
  tenken::host::parse_socket_link(text);
  CHECK(text.starts_with(tenken::host::parse_program_link(text).path));
  tenken::for_each_line(text, [](std::string_view line) {
    const auto path = tenken::host::parse_deleted_map(line);
    CHECK(!path || path->starts_with('/'));
  });
}

void check_sshd(std::string_view text) {
  tenken::for_each_line(text, [](std::string_view line) {
    const auto parsed = tenken::host::parse_sshd_line(line);
    CHECK(!parsed || !parsed->keyword.empty() || parsed->arguments.empty());
  });
  const auto [name, pattern] = tenken::split_once(text, '\n');
  tenken::host::matches_pattern(name, pattern.value_or("*"));
}

void check_kernels(std::string_view text) {
  const auto [a, b] = tenken::split_once(text, '\n');
  const auto order = tenken::host::compare_kernels(a, b.value_or(""));
  const auto opposite = tenken::host::compare_kernels(b.value_or(""), a);
  CHECK(order.has_value() == opposite.has_value());
  CHECK(!order || (*order > 0) == (*opposite < 0));
  tenken::host::parse_reboot_packages(text);
}

void check_cloud(std::string_view text) {
  const auto answer = tenken::host::parse_http_answer(text);
  if (answer) CHECK(answer->status == 0 || (answer->status >= 100 && answer->status < 600));
  const auto instance = tenken::host::parse_identity_document(text);
  CHECK(!instance || instance->account.size() == 12);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'u':
      check_users(text);
      break;
    case 'n':
      check_sockets(text);
      break;
    case 'p':
      check_processes(text);
      break;
    case 's':
      check_sshd(text);
      break;
    case 'k':
      check_kernels(text);
      break;
    case 'c':
      check_cloud(text);
      break;
    default:
      CHECK(tenken::host::parse_boot_time(text) >= 0);
      CHECK(!tenken::host::sysctl_value(text).contains('\n'));
  }
  return 0;
}
