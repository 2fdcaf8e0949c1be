// The certificate that the server shows: given files, or one of its own, issued by an authority of
// its own that is made on the first start. Under <data>/tls/: ca.pem (the authority's certificate,
// for clients), ca.key, server.pem, server.key; keys have mode 0600.
//
// Errors: invalid, denied, unavailable. Thread rule: one thread at a time.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/server.h"

namespace tenken::serve {

// Issues the server's certificate anew where it lacks a name or ends within a month.
Result<http::TlsFiles> own_certificate(const std::string& data_directory,
                                       std::span<const std::string> names, Seconds now);

// localhost, 127.0.0.1, ::1, this host's name and full name, the address listened on.
std::vector<std::string> names_of_host(const std::string& listen_address);

}  // namespace tenken::serve
