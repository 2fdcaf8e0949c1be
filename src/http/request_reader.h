// HTTP/1.1 requests out of bytes as they come: pure, without socket or clock. Strict where leniency
// would let two servers read two different requests out of the same bytes (request smuggling):
// lines end in CRLF, no folded lines, no blank before a colon, one Content-Length or one
// "Transfer-Encoding: chunked", never both.
//
// Sources: RFC 9110 and RFC 9112.
// Errors: a request that is refused has a status and a reason, and nothing can follow it on the
// connection, since where it ends is not known.
// Thread rule: belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/byte_budget.h"
#include "http/server.h"

namespace tenken::http {

struct Refusal {
  int status = 0;
  std::string_view reason;  // a constant text
};

// A whole request, with its share of the budget.
struct BufferedRequest {
  Request request;
  Lease lease;
  bool keep_alive = false;  // as far as the client is concerned
};

class RequestReader {
 public:
  enum class Phase : std::uint8_t {
    idle,           // no byte of a request yet
    head,           // within request line and headers
    head_complete,  // accept_body() or refuse() decides how it goes on
    body,
    complete,  // take() it
    refused,
  };

  // Of the limits: head_bytes and headers. The trailer counts as part of the head.
  RequestReader(const Limits& limits, ByteBudget& budget);

  // Takes bytes from the front and answers how many. All of them, unless the phase becomes
  // head_complete, complete or refused.
  std::size_t feed(std::string_view bytes);

  Phase phase() const;
  // Complete from head_complete on, but for what the bytes do not say: peer, id and certificate
  // are for the caller to set.
  Request& head() { return request_; }
  // A body longer than this is refused: at once where its length is announced.
  void accept_body(std::size_t limit_bytes);
  void refuse(int status, std::string_view reason);
  Refusal refusal() const { return refusal_; }

  // The client waits for "100 Continue" before it sends the body, of which nothing has come yet.
  bool wants_continue() const { return expects_continue_ && phase() == Phase::body; }
  void continued() { expects_continue_ = false; }
  // How many bytes to read for the next feed(): what the request may still have, where known.
  std::size_t wanted_bytes(std::size_t at_most) const;

  // The complete request; the reader is idle again.
  BufferedRequest take();

 private:
  enum class State : std::uint8_t {
    request_line,
    field,
    head_complete,
    fixed_body,
    chunk_size,
    chunk_bytes,
    chunk_end,
    trailer,
    complete,
    refused,
  };

  std::size_t feed_line(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  void take_line(std::string_view line);
  void take_request_line(std::string_view line);
  void take_target(std::string_view target);
  void take_field(std::string_view line);
  void take_special_field(std::string_view name, std::string_view value);
  void take_connection(std::string_view value);
  void take_chunk_size(std::string_view line);
  void end_of_head();
  bool append_body(std::string_view piece);

  const Limits& limits_;
  ByteBudget& budget_;

  State state_ = State::request_line;
  Refusal refusal_;
  Request request_;
  Lease lease_;
  std::string line_;             // of which the end has not come yet
  std::size_t head_bytes_ = 0;   // of request line, fields, chunk sizes and trailer
  std::size_t fields_ = 0;       // header and trailer
  std::uint64_t remaining_ = 0;  // of the body or chunk
  std::size_t body_limit_ = 0;
  int minor_version_ = 1;
  int hosts_ = 0;
  bool has_length_ = false;
  bool chunked_ = false;
  bool expects_continue_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  std::string authority_;  // of a target in absolute form
};

}  // namespace tenken::http
