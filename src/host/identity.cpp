#include "host/identity.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::host {
namespace {

constexpr std::size_t longest_machine_id = 1024;
constexpr std::size_t longest_key = 64 * 1024;
constexpr std::size_t machine_id_digits = 32;
constexpr std::size_t shown_digits = 17;

}  // namespace

Result<std::string> machine_hash(const inventory::Root& root) {
  TRY(const auto bytes, root.read("etc/machine-id", longest_machine_id));
  const auto id = trim(bytes);
  const bool whole = id.size() == machine_id_digits &&
                     std::ranges::all_of(id, [](char c) { return hex_value(c) >= 0; });
  if (!whole || id.find_first_not_of('0') == std::string_view::npos)
    return invalid("etc/machine-id: no machine id stands there");
  return crypto::to_hex(crypto::view(crypto::hmac_sha256(id, "tenken resource id")));
}

Result<std::string> host_key_hash(const inventory::Root& root) {
  for (const auto* path : {"etc/ssh/ssh_host_ed25519_key.pub", "etc/ssh/ssh_host_ecdsa_key.pub",
                           "etc/ssh/ssh_host_rsa_key.pub"}) {
    const auto text = root.read(path, longest_key);
    if (!text) continue;
    // Kind and key; the comment behind them may change.
    const auto parts = split(trim(*text), ' ');
    if (parts.size() < 2 || parts[1].empty()) continue;
    return crypto::to_hex(crypto::view(crypto::sha256(parts[1])));
  }
  return not_found("etc/ssh: no public host key");
}

std::string resource_of_machine(std::string_view machine_hash) {
  return "mi-" + std::string(machine_hash.substr(0, shown_digits));
}

}  // namespace tenken::host
