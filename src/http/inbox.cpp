#include "http/inbox.h"

#include <algorithm>
#include <utility>

namespace tenken::http {
namespace {

// Of a head less is read at once than of a body: what pipelining leaves behind stays in memory
// while the request before it is answered.
constexpr std::size_t largest_head_read = std::size_t{16} << 10;
constexpr std::size_t default_body_limit = std::size_t{1} << 20;

}  // namespace

Inbox::Inbox(const Options& options, ByteBudget& budget, RequestIds& ids, std::string peer)
    : options_(options), ids_(ids), reader_(options.limits, budget), peer_(std::move(peer)) {}

void Inbox::await_request(Time now) {
  watched_ = Phase::idle;
  deadline_ = now + std::chrono::milliseconds(options_.limits.keep_alive_ms);
  if (leftover_.empty()) return;
  const std::string pending = std::exchange(leftover_, {});
  ingest(pending, now);
}

void Inbox::ingest(std::string_view bytes, Time now) {
  for (;;) {
    bytes.remove_prefix(reader_.feed(bytes));
    if (phase() == Phase::head_complete) accept_head();
    if (bytes.empty() || phase() == Phase::complete || phase() == Phase::refused) break;
  }
  leftover_ = bytes;
  set_deadline(now);
}

void Inbox::accept_head() {
  try {
    const Request& request = head();
    reader_.accept_body(options_.body_limit ? options_.body_limit(request) : default_body_limit);
  } catch (...) {
    reader_.refuse(500, "internal error");
  }
}

const Request& Inbox::head() {
  Request& out = reader_.head();
  if (out.id.empty()) {
    out.id = ids_.next();
    out.peer = peer_;
    out.client_certificate = client_certificate_;
  }
  return out;
}

void Inbox::continued(Time now) {
  reader_.continued();
  set_deadline(now);
}

std::size_t Inbox::wanted_bytes() const {
  return reader_.wanted_bytes(phase() == Phase::body ? largest_read : largest_head_read);
}

void Inbox::set_deadline(Time now) {
  const auto& limits = options_.limits;
  switch (phase()) {
    case Phase::head:
      if (watched_ != Phase::head) deadline_ = now + std::chrono::milliseconds(limits.head_ms);
      break;
    case Phase::body:
      if (watched_ != Phase::body)
        body_end_ = now + std::chrono::milliseconds(limits.body_total_ms);
      deadline_ = std::min(body_end_, now + std::chrono::milliseconds(limits.body_idle_ms));
      break;
    case Phase::complete:
    case Phase::refused:
      deadline_ = Time::max();
      break;
    case Phase::idle:
    case Phase::head_complete:
      break;
  }
  watched_ = phase();
}

}  // namespace tenken::http
