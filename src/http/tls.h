// TLS for server connections, over OpenSSL: TLS 1.2 with forward secrecy and AEAD, TLS 1.3, ALPN
// http/1.1, resumption by tickets, optional client certificates.
//
// Thread rule: a TlsContext is immutable and used by many threads; a stream belongs to one.
#pragma once

#include <memory>

#include "base/result.h"
#include "http/server.h"
#include "http/stream.h"

namespace tenken::http {

class TlsContext {
 public:
  // Errors: invalid (no PEM, certificate and key that do not belong together), not_found, denied.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);
  virtual ~TlsContext() = default;
  // Null where memory is short. The context may go before the stream.
  virtual std::unique_ptr<Stream> stream(int socket) const = 0;
};

}  // namespace tenken::http
