// Certificates as PEM text: tenken's own certificate authority, the certificates it issues to
// servers and to agents, and what a certificate says. Keys are ECDSA on P-256, unencrypted PKCS#8;
// whoever stores them decides the file's mode.
//
// Sources: RFC 5280 (profile), RFC 2986 (requests), CA/Browser Forum baseline 6.3.2 (a server
// certificate lives at most 398 days; clients refuse longer ones). Errors: invalid (text that is no
// certificate or key, a name no certificate can carry), limit. Thread rule: pure functions but for
// the system's random source.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tenken::crypto {

struct Identity {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

// Certificates are back-dated, so that a peer whose clock is two days behind accepts them.
inline constexpr Seconds certificate_back_date = 48 * 3600;

// A self-signed authority for ten years that may sign end certificates only. The common name has
// 1 to 64 bytes.
Result<Identity> make_ca(std::string_view common_name, Seconds now);

// A server certificate for DNS names ("*.example.com" too) and IP addresses, at least one, for at
// most 397 days and no longer than the authority lives.
Result<Identity> issue_server_certificate(const Identity& ca, std::span<const std::string> names,
                                          Seconds now);

// A new private key, and a request for a certificate that proves its possession. What the subject
// is to be called is the issuer's to say.
Result<std::string> make_key();
Result<std::string> make_certificate_request(std::string_view key_pem);
// For the key of a request, which must be on P-256: a client certificate of this common name (1 to
// 64 bytes), for `lifetime` and no longer than the authority lives. The PEM text.
Result<std::string> issue_client_certificate(const Identity& ca, std::string_view request_pem,
                                             std::string_view common_name, Seconds lifetime,
                                             Seconds now);

struct CertificateFacts {
  std::string subject;             // RFC 2253: "CN=tenken CA"
  std::string fingerprint;         // SHA-256 of the certificate, 64 hexadecimal digits
  std::vector<std::string> names;  // DNS names and IP addresses of the alternative names, in order
  Seconds not_before = 0;
  Seconds not_after = 0;
  bool is_ca = false;
};

// Of the first certificate in the text.
Result<CertificateFacts> certificate_facts(std::string_view certificate_pem);

// The fingerprint alone, of a certificate that was read before: without what OpenSSL takes to read
// one.
Result<std::string> certificate_fingerprint(std::string_view certificate_pem);

// Whether the key is the one that the first certificate speaks for.
Result<bool> key_matches(std::string_view certificate_pem, std::string_view key_pem);

// Whether the certificate was signed with the authority's key.
Result<bool> is_signed_by(std::string_view certificate_pem, std::string_view ca_pem);

}  // namespace tenken::crypto
