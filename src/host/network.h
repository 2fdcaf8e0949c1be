// The addresses of this host's interfaces, without those of loopback.
//
// Source: getifaddrs(3). Bound: 10,000 addresses. Errors: none; they are skips.
// Thread rule: any thread.
#pragma once

#include <string>

#include "host/found.h"
#include "model/host_facts.h"

struct sockaddr;

namespace tenken::host {

// "10.0.0.5/24"; empty where it is neither IPv4 nor IPv6. A missing mask is that of one address.
std::string address_text(const sockaddr* address, const sockaddr* mask);
Found<InterfaceAddress> interface_addresses();

}  // namespace tenken::host
