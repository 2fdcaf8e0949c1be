// scripts/agent/install.sh, compiled in: what GET /agent/install answers. The server's URL and the
// sum of its authority stand in it, so that nobody has to say them.
//
// Errors: invalid (no host and port of a URL). Thread rule: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::api::agents {

// "https://HOST[:PORT]" in one form for what a client was told and what it says in its Host header:
// lower case, and without :443. It has no character that a shell would read.
Result<std::string> server_url(std::string_view host_and_port);
// Whether the certificate holds the URL's host.
bool is_named(std::string_view server_url, std::span<const std::string> certificate_names);

// server: a server_url; authority: PEM. Either empty: the host is told by options.
std::string install_script(std::string_view server, std::string_view authority);

}  // namespace tenken::api::agents
