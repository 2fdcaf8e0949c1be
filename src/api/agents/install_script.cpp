#include "api/agents/install_script.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

// The assembler puts the file into the read-only data.
asm(".pushsection .rodata\n"
    "tenken_install_script_begin: .incbin \"" TENKEN_INSTALL_SCRIPT
    "\"\n"
    "tenken_install_script_end:\n"
    ".popsection\n");

extern "C" {
extern const char tenken_install_script_begin[];
extern const char tenken_install_script_end[];
}

namespace tenken::api::agents {
namespace {

constexpr std::string_view scheme = "https://";
constexpr std::size_t longest_host = 255;

bool is_host(std::string_view host) {
  const bool address = host.starts_with('[') && host.ends_with(']');
  if (address) host = host.substr(1, host.size() - 2);
  return !host.empty() && host.size() <= longest_host && std::ranges::all_of(host, [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return letter || c == (address ? ':' : '-') || c == '.';
  });
}

// The script has each once: NAME=''.
void fill(std::string& script, std::string_view name, std::string_view value) {
  const auto place = fmt::format("\n{}=''\n", name);
  const auto at = script.find(place);
  CHECK(at != std::string::npos);
  script.insert(at + place.size() - 2, value);
}

}  // namespace

Result<std::string> server_url(std::string_view host_and_port) {
  const auto text = ascii_lower(host_and_port);
  std::string_view host = text;
  const auto colon = host.rfind(':');
  std::string port;
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    const auto number = parse_uint(host.substr(colon + 1));
    host = host.substr(0, colon);
    if (!number || *number == 0 || *number > 65'535)
      return invalid(fmt::format("{}: https://HOST:PORT is needed", printable(host_and_port)));
    if (*number != 443) port = fmt::format(":{}", *number);
  }
  if (!is_host(host))
    return invalid(fmt::format("{}: https://HOST:PORT is needed", printable(host_and_port)));
  return fmt::format("{}{}{}", scheme, host, port);
}

bool is_named(std::string_view server_url, std::span<const std::string> certificate_names) {
  auto host = server_url.substr(std::min(scheme.size(), server_url.size()));
  host =
      host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
  const auto [label, domain] = split_once(host, '.');
  return std::ranges::any_of(certificate_names, [&](const std::string& name) {
    const auto lower = ascii_lower(name);
    return lower == host || (domain && !label.empty() && lower == fmt::format("*.{}", *domain));
  });
}

std::string install_script(std::string_view server, std::string_view authority) {
  std::string out(tenken_install_script_begin, tenken_install_script_end);
  if (!server.empty()) fill(out, "default_server", server);
  if (!authority.empty())
    fill(out, "default_ca_sha256", crypto::to_hex(crypto::view(crypto::sha256(authority))));
  return out;
}

}  // namespace tenken::api::agents
