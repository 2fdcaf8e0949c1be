#include "http/answer.h"

#include <utility>

#include "http/response_head.h"

namespace tenken::http {
namespace {

using Clock = std::chrono::steady_clock;

// Handlers are other people's code: what they throw ends here.
Response call_handler(const Options& options, const Request& request) {
  try {
    Response out = options.handler(request);
    if (out.status >= 200 && out.status <= 599) return out;
  } catch (...) {
  }
  return refusal(options, 500, "internal error");
}

}  // namespace

// 503 passes by itself.
Response refusal(const Options& options, int status, std::string_view reason) {
  auto out = options.refusal ? options.refusal(status, reason) : plain_response(status, reason);
  if (status == 503) out.headers.set("Retry-After", "1");
  return out;
}

void report(const Options& options, const Request& request, const Response& response,
            Clock::time_point began) {
  if (!options.finished) return;
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  try {
    options.finished(request, response, time.count());
  } catch (...) {
    // Nothing of the answer depends on the log.
  }
}

Response overloaded(const Options& options) {
  return refusal(options, 503, "too many requests are under way");
}

Answer answer_to(BufferedRequest received, const Options& options, ByteBudget& budget,
                 Clock::time_point began) {
  const auto& request = received.request;
  Answer out{call_handler(options, request), Lease(budget), std::nullopt};
  if (out.response.hold && !request.held) {
    out.waiting = std::move(received);
    return out;
  }
  if (!out.lease.cover(out.response.body.size())) out.response = overloaded(options);
  report(options, request, out.response, began);
  return out;
}

}  // namespace tenken::http
