// What a request is answered with: by the handler, or in its place.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "http/byte_budget.h"
#include "http/request_reader.h"
#include "http/server.h"

namespace tenken::http {

// An answer holds its share of the budget until the client has read it.
struct Answer {
  Response response;
  Lease lease;
  std::optional<BufferedRequest> waiting;  // the request, where the answer is to hold it
};

// The handler's; what it throws is 500. An answer that is not to be held is reported.
Answer answer_to(BufferedRequest received, const Options& options, ByteBudget& budget,
                 std::chrono::steady_clock::time_point began);

// In the shape that the options give.
Response refusal(const Options& options, int status, std::string_view reason);
Response overloaded(const Options& options);

// Tells Options::finished of it, with the time since it began.
void report(const Options& options, const Request& request, const Response& response,
            std::chrono::steady_clock::time_point began);

}  // namespace tenken::http
