#include "host/network.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tenken::host {
namespace {

constexpr std::size_t max_addresses = 10'000;

// The bytes of an address of its family; empty for other families.
std::string address_bytes(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return {reinterpret_cast<const char*>(&in.sin_addr), sizeof in.sin_addr};
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    return {reinterpret_cast<const char*>(&in.sin6_addr), sizeof in.sin6_addr};
  }
  return {};
}

}  // namespace

std::string address_text(const sockaddr* address, const sockaddr* mask) {
  const auto bytes = address_bytes(address);
  if (bytes.empty()) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(address->sa_family, bytes.data(), text.data(), text.size()) == nullptr) return {};
  std::size_t prefix = bytes.size() * 8;
  if (mask != nullptr && mask->sa_family == address->sa_family) {
    prefix = 0;
    for (const char byte : address_bytes(mask))
      prefix += static_cast<std::size_t>(std::popcount(static_cast<unsigned char>(byte)));
  }
  return fmt::format("{}/{}", text.data(), prefix);
}

Found<InterfaceAddress> interface_addresses() {
  Found<InterfaceAddress> out;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    out.skips.push_back({"interfaces", "", from_errno(errno, "getifaddrs").what});
    return out;
  }
  const std::unique_ptr<ifaddrs, decltype([](ifaddrs* list) { ::freeifaddrs(list); })> list(first);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_LOOPBACK) != 0) continue;
    auto text = address_text(at->ifa_addr, at->ifa_netmask);
    if (text.empty()) continue;
    if (out.items.size() == max_addresses) {
      out.skips.push_back({"interfaces", "", fmt::format("more than {} addresses", max_addresses)});
      break;
    }
    out.items.push_back({at->ifa_name, std::move(text)});
  }
  sort_unique(out.items);
  return out;
}

}  // namespace tenken::host
