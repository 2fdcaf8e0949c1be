// Signed requests of strangers: whatever is claimed is read or refused, a signature nobody could
// make is never accepted, and what we sign ourselves is, for any target, headers and body.
//
// Input: method, target, then "Name: value" lines, an empty line, the body.
#include "aws/sigv4.h"

#include <algorithm>

#include "base/result.h"
#include "base/text.h"

namespace {

using tenken::aws::Header;

constexpr tenken::Seconds now = 1'729'516'502;
constexpr std::string_view services[] = {"inspector2", "s3"};

struct Sent {
  std::string_view method, target, body;
  std::vector<Header> headers;
  tenken::aws::RequestHead head() const {
    return {.method = method, .target = target, .headers = headers};
  }
};

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Sent read(std::string_view text) {
  Sent sent;
  sent.method = take_line(text);
  sent.target = take_line(text);
  while (!text.empty() && sent.headers.size() < 40) {
    const auto [name, value] = tenken::split_once(take_line(text), ':');
    if (name.empty()) break;
    sent.headers.emplace_back(name, value.value_or(""));
  }
  sent.body = text;
  return sent;
}

bool may_stay(const Header& header) {
  const auto name = tenken::ascii_lower(header.first);
  return name.size() < 64 && name != "host" && name != "authorization" &&
         !name.starts_with("x-amz-") &&
         std::ranges::all_of(name, [](char c) { return tenken::is_alnum(c) || c == '-'; });
}

void check_own_signature(Sent sent, std::string_view service) {
  std::erase_if(sent.headers, [](const Header& header) { return !may_stay(header); });
  sent.headers.emplace_back("Host", "localhost");
  if (sent.target.contains("X-Amz-Signature=")) return;  // two signatures, always refused
  const tenken::aws::Credentials credentials{
      .access_key_id = "AKID",
      .secret = tenken::crypto::Secret(std::string_view("secret")),
      .session_token = {}};
  for (auto& header : sign(sent.head(), tenken::aws::payload_hash(sent.body), credentials,
                           "us-east-1", service, now))
    sent.headers.push_back(std::move(header));
  const auto claim = read_claim(sent.head());
  CHECK(claim.has_value() && claim->access_key_id == "AKID" && claim->service == service);
  tenken::aws::SigningKeys keys;
  const tenken::aws::Policy policy{.services = services};
  CHECK(verify(*claim, sent.head(), sent.body, credentials.secret, policy, keys, now).has_value());
  const tenken::crypto::Secret other(std::string_view("other"));
  CHECK(!verify(*claim, sent.head(), sent.body, other, policy, keys, now).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto sent = read({reinterpret_cast<const char*>(data), size});
  const auto claim = read_claim(sent.head());
  if (claim) {
    CHECK(!claim->access_key_id.empty() && claim->access_key_id.size() <= 128);
    CHECK(claim->signature.size() == 64 && claim->date.size() == 8);
    tenken::aws::SigningKeys keys;
    const tenken::crypto::Secret secret(std::string_view("a secret that no input was signed with"));
    CHECK(!verify(*claim, sent.head(), sent.body, secret, {.services = services}, keys, claim->time)
               .has_value());
  }
  for (const auto service : services) check_own_signature(sent, service);
  return 0;
}
