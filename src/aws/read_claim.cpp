#include <algorithm>

#include <fmt/format.h>

#include "aws/sigv4.h"
#include "aws/sigv4_key.h"
#include "base/text.h"

namespace tenken::aws {
namespace {

constexpr std::string_view unsupported_algorithm =
    "Unsupported AWS 'algorithm': only 'AWS4-HMAC-SHA256' is supported.";

constexpr std::size_t longest_authorization = 4096;
constexpr std::size_t most_signed_headers = 100;
constexpr std::size_t longest_key_id = 128;
constexpr std::size_t longest_scope_part = 64;
constexpr std::uint64_t longest_lifetime_s = 7 * 86'400;

using Read = std::expected<void, Refusal>;

std::unexpected<Refusal> incomplete(std::string message) {
  return std::unexpected(
      Refusal{.fault = Fault::incomplete_signature, .message = std::move(message)});
}

bool is_word(std::string_view text, std::size_t longest, std::string_view more) {
  return !text.empty() && text.size() <= longest &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || more.contains(c); });
}

// RFC 9110 section 5.6.2, lower case.
bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

std::optional<Seconds> parse_basic_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return parse_time(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2),
                                text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                                text.substr(13, 2)));
}

// botocore writes the zone of HTTP's form of date in digits.
std::optional<Seconds> parse_date_header(std::string_view text) {
  for (const auto* zone : {" +0000", " -0000"})
    if (text.ends_with(zone))
      return parse_http_date(fmt::format("{} GMT", text.substr(0, text.size() - 6)));
  return parse_http_date(text);
}

// The values of the expected names, each of which stands once.
class Parts {
 public:
  Parts(std::initializer_list<std::string_view> names) {
    for (const auto name : names) values_.emplace_back(name, std::nullopt);
  }
  enum class Added : std::uint8_t { yes, unexpected, twice };
  Added add(std::string_view name, std::string_view value) {
    for (auto& [known, slot] : values_) {
      if (known != name) continue;
      if (slot) return Added::twice;
      slot = value;
      return Added::yes;
    }
    return Added::unexpected;
  }
  const std::string* operator[](std::string_view name) const {
    for (const auto& [known, slot] : values_)
      if (known == name && slot) return &*slot;
    return nullptr;
  }

 private:
  std::vector<std::pair<std::string_view, std::optional<std::string>>> values_;
};

class ClaimReader {
 public:
  Read from_header(const RequestHead& head, std::string_view authorization);
  Read from_query(std::string_view query);
  Claim take() { return std::move(claim_); }

 private:
  Read credential(std::string_view text);
  Read signed_headers(std::string_view text);
  Read signature(std::string_view text);
  Read date(const std::string* amz_date, const std::string* date);

  Claim claim_;
};

Read ClaimReader::credential(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 5)
    return incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/term.");
  if (!is_word(parts[0], longest_key_id, "_"))
    return incomplete("Credential must begin with an access key id.");
  if (parts[1].size() != 8 || !std::ranges::all_of(parts[1], is_digit))
    return incomplete("Date in Credential scope must be in the form YYYYMMDD.");
  if (!is_word(parts[2], longest_scope_part, "-_") || !is_word(parts[3], longest_scope_part, "-_"))
    return incomplete("Credential should be scoped to a valid region and service.");
  if (parts[4] != terminator)
    return incomplete("Credential should be scoped with a valid terminator: 'aws4_request'.");
  claim_.access_key_id = parts[0];
  claim_.date = parts[1];
  claim_.region = parts[2];
  claim_.service = parts[3];
  return {};
}

// Ascending, so that no name can stand twice.
Read ClaimReader::signed_headers(std::string_view text) {
  const auto names = split(text, ';');
  if (names.size() > most_signed_headers || !std::ranges::all_of(names, is_header_name) ||
      std::ranges::adjacent_find(names, std::ranges::greater_equal{}) != names.end())
    return incomplete(
        "SignedHeaders must be lower-case header names in ascending order, separated by ';'.");
  claim_.signed_headers = text;
  return {};
}

Read ClaimReader::signature(std::string_view text) {
  const bool hexadecimal =
      std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  if (text.size() != 64 || !hexadecimal)
    return incomplete("Signature must be 64 lower-case hexadecimal digits.");
  claim_.signature = text;
  return {};
}

Read ClaimReader::date(const std::string* amz_date, const std::string* date) {
  if (amz_date == nullptr && date == nullptr)
    return incomplete(
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  const auto text = trim(amz_date != nullptr ? *amz_date : *date);
  auto time = parse_basic_time(text);
  if (!time && amz_date == nullptr) time = parse_date_header(text);
  if (!time) return incomplete("Date must be in ISO-8601 'basic format'.");
  claim_.time = *time;
  claim_.timestamp = basic_time(*time);
  return {};
}

Read ClaimReader::from_header(const RequestHead& head, std::string_view authorization) {
  if (authorization.size() > longest_authorization)
    return incomplete("Authorization header is too long.");
  Parts parts = {"Credential", "Signature", "SignedHeaders"};
  for (const auto part : split(authorization.substr(algorithm.size()), ',')) {
    const auto [name, value] = split_once(trim(part), '=');
    if (!value || parts.add(name, *value) != Parts::Added::yes)
      return incomplete(
          "Authorization header must hold Credential, SignedHeaders and Signature once each.");
  }
  std::string missing;
  for (const auto* name : {"Credential", "Signature", "SignedHeaders"})
    if (parts[name] == nullptr)
      missing += fmt::format("Authorization header requires '{}' parameter. ", name);
  if (!missing.empty()) return incomplete(std::string(trim(missing)));

  if (const auto* token = head.header("x-amz-security-token")) claim_.session_token = trim(*token);
  auto read = credential(*parts["Credential"]);
  if (read) read = signed_headers(*parts["SignedHeaders"]);
  if (read) read = signature(*parts["Signature"]);
  if (read) read = date(head.header("x-amz-date"), head.header("date"));
  return read;
}

Read ClaimReader::from_query(std::string_view query) {
  Parts parts = {"X-Amz-Algorithm",     "X-Amz-Credential", "X-Amz-Date",          "X-Amz-Expires",
                 "X-Amz-SignedHeaders", "X-Amz-Signature",  "X-Amz-Security-Token"};
  for (const auto& [name, value] : query_parameters(query))
    if (parts.add(name, value) == Parts::Added::twice)
      return incomplete(fmt::format("AWS query-string parameters must include '{}' once.", name));
  std::string missing;
  for (const auto* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                           "X-Amz-SignedHeaders", "X-Amz-Signature"})
    if (parts[name] == nullptr)
      missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
  if (!missing.empty()) return incomplete(std::string(trim(missing)));

  if (*parts["X-Amz-Algorithm"] != algorithm) return incomplete(std::string(unsupported_algorithm));
  const auto lifetime = parse_uint(*parts["X-Amz-Expires"]);
  if (!lifetime || *lifetime == 0 || *lifetime > longest_lifetime_s)
    return incomplete("X-Amz-Expires must be between 1 and 604800 seconds.");
  claim_.lifetime_s = static_cast<Seconds>(*lifetime);
  if (const auto* token = parts["X-Amz-Security-Token"]) claim_.session_token = *token;
  auto read = credential(*parts["X-Amz-Credential"]);
  if (read) read = signed_headers(*parts["X-Amz-SignedHeaders"]);
  if (read) read = signature(*parts["X-Amz-Signature"]);
  if (read) read = date(parts["X-Amz-Date"], nullptr);
  return read;
}

}  // namespace

std::expected<Claim, Refusal> read_claim(const RequestHead& head) {
  const std::unexpected missing(
      Refusal{.fault = Fault::missing_authentication, .message = "Missing Authentication Token"});
  const auto* const authorization = head.header("authorization");
  const bool in_query = head.query().contains("X-Amz-Signature=");
  if (authorization == nullptr && !in_query) return missing;
  if (std::ranges::count_if(head.headers, [](const Header& header) {
        return equal_ignoring_case(header.first, "authorization");
      }) > 1)
    return incomplete("Only one Authorization header is allowed.");
  if (authorization != nullptr && in_query)
    return incomplete("Only one auth mechanism allowed; a query-string signature or a header.");
  ClaimReader reader;
  Read read;
  if (in_query) {
    read = reader.from_query(head.query());
  } else {
    const auto value = trim(*authorization);
    if (!value.starts_with("AWS4-")) return missing;  // a scheme of another kind: Basic, Bearer
    if (split_once(value, ' ').first != algorithm)
      return incomplete(std::string(unsupported_algorithm));
    read = reader.from_header(head, value);
  }
  if (!read) return std::unexpected(std::move(read.error()));
  return reader.take();
}

}  // namespace tenken::aws
