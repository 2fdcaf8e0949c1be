// The HttpSender by libcurl (http.h says how it is loaded, and which proxies and certificates
// hold).
//
// Thread rule: making senders is safe from any thread; a sender belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "base/http_sender.h"
#include "base/result.h"

namespace tenken::fetch {

// Connections are kept and used again as long as the sender lives. ca_file is a PEM file of the
// authorities to trust in place of the system's; empty: those.
// Errors: unavailable where libcurl is not installed.
Result<std::unique_ptr<HttpSender>> http_sender(std::string user_agent, std::string ca_file = {});

}  // namespace tenken::fetch
