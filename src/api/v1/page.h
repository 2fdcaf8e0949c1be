// Pages of a list of the own API: the parameters `limit` (1 to 1,000; 100 where it is not given)
// and `nextToken`, and the member "nextToken" of an answer that goes on.
//
// Errors: validation. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/v1/v1.h"
#include "base/json_writer.h"

namespace tenken::api::v1 {

struct Page {
  std::int64_t limit = 100;
  std::vector<std::string> position;  // where the page before ended; empty: from the start
  std::string question;               // everything else that was asked
};
ApiResult<Page> read_page(const V1Call& call);

void write_next_token(json::Writer& out, const V1Call& call, const Page& page,
                      const std::vector<std::string>& position);

}  // namespace tenken::api::v1
