// The certificate that the server shows: given files, or one of its own, issued by an authority of
// its own that is made on the first start. Under <data>/tls/: ca.pem (the authority's certificate,
// for clients), ca.key, server.pem, server.key; keys have mode 0600.
//
// Nodes of one database show certificates of one authority: whoever has no files of its own takes
// that of the database (access/authority.h).
//
// Errors: invalid, denied, unavailable. Thread rule: one thread at a time.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/x509.h"
#include "http/server.h"

namespace tenken::serve {

// The authority in the files; none: there are no files.
Result<std::optional<crypto::Identity>> kept_authority(const std::string& data_directory);
Result<> keep_authority(const std::string& data_directory, const crypto::Identity& authority);
Result<crypto::Identity> new_authority(Seconds now);

// The one in the files; made where there are none.
Result<crypto::Identity> own_authority(const std::string& data_directory, Seconds now);
// Where its certificate lies.
std::string authority_file(const std::string& data_directory);

// Makes the authority where there are no files of it. Issues the server's certificate anew where it
// is another authority's, lacks a name or ends within a month.
Result<http::TlsFiles> own_certificate(const std::string& data_directory,
                                       std::span<const std::string> names, Seconds now);

// Of a server that is given a certificate: its own is removed, unless it is the one given, so that
// whoever looks at the files sees which one it shows.
Result<> forget_own_certificate(const std::string& data_directory, const http::TlsFiles& given);
bool shows_own_certificate(const std::string& data_directory);

struct HostNames {
  // Of the certificate: localhost, 127.0.0.1, ::1, this host's name and full name, the address
  // listened on; where that is every address (0.0.0.0, ::), the addresses of the interfaces.
  std::vector<std::string> all;
  // Of a URL, the best first: the address listened on; where that is every address, the full name
  // and the name, if they resolve, and localhost.
  std::vector<std::string> shown;
};
HostNames names_of_host(const std::string& listen_address);

// The first of `shown` that the certificate names; else a name of the certificate's.
std::string name_to_show(std::span<const std::string> shown,
                         std::span<const std::string> certificate_names);

}  // namespace tenken::serve
