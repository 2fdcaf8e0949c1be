// Resolution: the addresses of a host, asked of the system's resolver in a thread of its own. Where
// the name servers are silent it takes half a minute, and nothing can end it: who waits no longer
// leaves it to itself.
//
// Errors: unavailable (no such name, no thread). Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <netdb.h>

#include "base/result.h"

namespace tenken::agent {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// Of IPv4 or IPv6, in numbers: nobody is asked.
bool is_address(const std::string& host);

class Resolution {
 public:
  Resolution(std::string host, std::uint16_t port);
  ~Resolution();
  Resolution(const Resolution&) = delete;
  Resolution& operator=(const Resolution&) = delete;

  // Readable once there is an answer.
  int descriptor() const;
  // Waits for it. Once.
  Result<Addresses> addresses();

 private:
  struct Question;
  void ask_in_thread();
  std::shared_ptr<Question> question_;
};

}  // namespace tenken::agent
