// Signs and verifies what another implementation of Signature Version 4 gives it: one JSON object
// a line on standard input, one a line as answer. For oracle_test.py.
#include <iostream>

#include "aws/sigv4.h"
#include "base/json.h"
#include "base/json_writer.h"

namespace {

using tenken::json::Value;
using tenken::json::Writer;

std::vector<tenken::aws::Header> headers_of(Value value) {
  std::vector<tenken::aws::Header> headers;
  value.for_each([&](Value pair) {
    std::string parts[2];
    int at = 0;
    pair.for_each([&](Value part) { parts[at++ & 1] = part.string(); });
    headers.emplace_back(parts[0], parts[1]);
  });
  return headers;
}

void answer_sign(Value request, const tenken::aws::RequestHead& head, Writer& out) {
  const tenken::aws::Credentials credentials{
      .access_key_id = std::string(request["access_key"].string()),
      .secret = tenken::crypto::Secret(request["secret"].string()),
      .session_token = std::string(request["token"].string())};
  out.key("headers").begin_array();
  for (const auto& [name, value] :
       sign(head, tenken::aws::payload_hash(request["body"].string()), credentials,
            request["region"].string(), request["service"].string(),
            request["time"].integer().value_or(0)))
    out.begin_array().string(name).string(value).end_array();
  out.end_array();
}

void answer_verify(Value request, const tenken::aws::RequestHead& head, Writer& out) {
  static tenken::aws::SigningKeys keys;
  const auto claim = read_claim(head);
  const std::string_view services[] = {request["service"].string()};
  const auto verified =
      claim ? verify(*claim, head, request["body"].string(),
                     tenken::crypto::Secret(request["secret"].string()), {.services = services},
                     keys, request["time"].integer().value_or(0))
            : std::expected<void, tenken::aws::Refusal>(std::unexpected(claim.error()));
  out.key("ok").boolean(verified.has_value());
  if (claim) out.member("access_key", claim->access_key_id).member("token", claim->session_token);
  if (!verified)
    out.member("code", error_code(verified.error().fault, tenken::aws::Protocol::json))
        .member("message", verified.error().message);
}

}  // namespace

int main() {
  tenken::json::Parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = parser.parse(line);
    if (!request) {
      std::cerr << request.error().what << "\n";
      return 1;
    }
    const auto headers = headers_of((*request)["headers"]);
    const tenken::aws::RequestHead head{.method = (*request)["method"].string(),
                                        .target = (*request)["target"].string(),
                                        .headers = headers};
    Writer out;
    out.begin_object();
    if ((*request)["do"].string() == "sign")
      answer_sign(*request, head, out);
    else
      answer_verify(*request, head, out);
    out.end_object();
    std::cout << out.text() << std::endl;
  }
  return 0;
}
