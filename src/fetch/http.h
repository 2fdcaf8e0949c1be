// HTTP and HTTPS by libcurl, which is loaded when the first client is made: linked, it would bring
// 33 shared objects into every start of `tenken scan`, which never uses the network.
//
// Proxies come from the environment as curl reads it (https_proxy, no_proxy…), trusted
// certificates from the system or from $SSL_CERT_FILE and $SSL_CERT_DIR as OpenSSL reads them;
// verification cannot be turned off. At most 5 redirects, none from https to http.
//
// Thread rule: making clients is safe from any thread; a client belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "fetch/transport.h"

namespace tenken::fetch {

// Connections are kept and used again as long as the client lives.
// Errors: unavailable where libcurl is not installed.
Result<std::unique_ptr<Transport>> http_client(std::string user_agent);

}  // namespace tenken::fetch
