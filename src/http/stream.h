// The bytes of one connection, plain or TLS, over a non-blocking socket: each call does what can be
// done at once, and says what to wait for otherwise. Waiting is the server's affair.
//
// Thread rule: belongs to one thread at a time. The socket outlives the stream, which never closes
// it. Writing to a closed connection raises no signal where SIGPIPE is blocked (the server's
// threads).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tenken::http {

struct Step {
  enum class Kind : std::uint8_t { done, wants_read, wants_write, closed, failed };
  Kind kind = Kind::done;
  std::size_t bytes = 0;  // read or written; of done, and then not 0
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual Step handshake() = 0;  // until done, before anything else
  virtual Step read(std::span<char> into) = 0;
  // Bytes have come off the socket that read() has not given out.
  virtual bool has_unread() const = 0;
  virtual Step write(std::string_view bytes) = 0;
  // Says that nothing more will be written; best effort.
  virtual void end_writing() = 0;
  // PEM of the verified certificate of the client; empty: none.
  virtual std::string client_certificate() const = 0;
};

std::unique_ptr<Stream> plain_stream(int socket);

}  // namespace tenken::http
