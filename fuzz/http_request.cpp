// Requests as strangers send them: fed whole and in pieces, which must read the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "http/byte_budget.h"
#include "http/request_reader.h"
#include "http/url.h"

namespace {

using tenken::http::ByteBudget;
using tenken::http::Limits;
using tenken::http::Request;
using tenken::http::RequestReader;
using Phase = RequestReader::Phase;

constexpr Limits limits{.head_bytes = 2048, .headers = 20};
constexpr std::size_t largest_body = 1000;
constexpr std::size_t largest_hold = 8192;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Reading {
  std::vector<Request> requests;
  int refused = 0;
};

Reading read(std::string_view bytes, std::size_t piece) {
  Reading out;
  ByteBudget budget(largest_hold);
  RequestReader reader(limits, budget);
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto before = reader.phase();
    const auto fed = reader.feed(bytes.substr(used, piece));
    used += fed;
    if (reader.phase() == Phase::head_complete) reader.accept_body(largest_body);
    require(fed > 0 || reader.phase() != before);
    if (reader.phase() == Phase::refused) {
      out.refused = reader.refusal().status;
      require(out.refused >= 400 && out.refused < 600 && !reader.refusal().reason.empty());
      break;
    }
    if (reader.phase() == Phase::complete) out.requests.push_back(reader.take().request);
  }
  require(budget.used() <= largest_hold);
  return out;
}

void examine(const Request& request) {
  require(!request.method.empty() && !request.target.empty());
  // The host of an absolute target becomes a header.
  require(request.body.size() <= largest_body && request.headers.all.size() <= limits.headers + 1);
  for (const auto& [name, value] : request.headers.all)
    require(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos);
  // One way only to tell where the body ends.
  require(!request.headers.has("content-length") || !request.headers.has("transfer-encoding"));
  std::ignore = tenken::http::path_segments(request.path());
  std::ignore = tenken::http::parse_query(request.query());
  std::ignore = tenken::http::parse_form(request.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read(bytes, bytes.size());
  for (const auto& request : whole.requests) examine(request);
  for (const std::size_t piece : {1U, 7U}) {
    const auto again = read(bytes, piece);
    require(again.refused == whole.refused && again.requests.size() == whole.requests.size());
    for (std::size_t i = 0; i < again.requests.size(); ++i) {
      require(again.requests[i].target == whole.requests[i].target);
      require(again.requests[i].headers.all == whole.requests[i].headers.all);
      require(again.requests[i].body == whole.requests[i].body);
    }
  }
  return 0;
}
