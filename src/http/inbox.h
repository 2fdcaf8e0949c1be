// What one connection has received: the request being read, the bytes that already belong to the
// next one, and until when more must have come. Pure: the time is an argument.
//
// Thread rule: belongs to one thread at a time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/byte_budget.h"
#include "http/request_ids.h"
#include "http/request_reader.h"
#include "http/server.h"

namespace tenken::http {

class Inbox {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Phase = RequestReader::Phase;

  Inbox(const Options& options, ByteBudget& budget, RequestIds& ids, std::string peer);

  void set_client_certificate(std::string pem) { client_certificate_ = std::move(pem); }
  // The next request may begin, with what has already come of it.
  void await_request(Time now);
  // Takes all the bytes.
  void ingest(std::string_view bytes, Time now);
  // "100 Continue" has been sent: the time for the body begins anew.
  void continued(Time now);
  // The request's head as far as it has come, with its id and the peer.
  const Request& head();
  BufferedRequest take() { return reader_.take(); }
  void refuse(int status, std::string_view reason) { reader_.refuse(status, reason); }

  // What has come already of the request after this one.
  bool has_next() const { return !leftover_.empty(); }

  Phase phase() const { return reader_.phase(); }
  Refusal refusal() const { return reader_.refusal(); }
  bool wants_continue() const { return reader_.wants_continue(); }
  // How many bytes to read at once; at most largest_read.
  std::size_t wanted_bytes() const;
  // Of the phase that has been reached; Time::max() once the request is complete or refused.
  Time deadline() const { return deadline_; }

  static constexpr std::size_t largest_read = std::size_t{64} << 10;

 private:
  void accept_head();
  void set_deadline(Time now);

  const Options& options_;
  RequestIds& ids_;
  RequestReader reader_;
  std::string leftover_;
  std::string peer_;
  std::string client_certificate_;
  Time deadline_ = Time::max();
  Time body_end_;
  Phase watched_ = Phase::idle;
};

}  // namespace tenken::http
