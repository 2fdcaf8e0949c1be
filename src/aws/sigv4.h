// AWS Signature Version 4: signs the requests we send (S3, a tenken server) and verifies those we
// are sent, by one canonical form (canonical_request.h).
//
// Source: AWS, "Signature Version 4 for API requests"; the texts of refusals are those that the
// AWS services answer, so that people and SDKs know them.
//
// Verifying takes two steps, because the secret is looked up between them: read_claim() tells who
// a request says it comes from, verify() whether that is so. Nothing in a Claim is proven before.
//
// Bounds: authorization 4 KiB, 100 signed headers; the head as a whole is bounded by the server.
// Thread rule: functions are pure; SigningKeys may be used from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/canonical_request.h"
#include "base/time.h"
#include "crypto/secret.h"

namespace tenken::aws {

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
std::string payload_hash(std::string_view body);  // SHA-256 in lower-case hexadecimal

struct Credentials {
  std::string access_key_id;
  crypto::Secret secret;
  std::string session_token;  // empty: none
};

// The headers to add to the request: x-amz-date, x-amz-security-token with a session token,
// x-amz-content-sha256 for S3, and authorization. The head holds `host` as it will be sent, and
// none of these four. payload_hash is that of the body, or unsigned_payload (S3 over TLS).
std::vector<Header> sign(const RequestHead& head, std::string_view payload_hash,
                         const Credentials& credentials, std::string_view region,
                         std::string_view service, Seconds time);

// Why a request is not accepted as signed.
enum class Fault : std::uint8_t {
  missing_authentication,  // no signature at all
  incomplete_signature,    // a signature that cannot be read
  unknown_client,          // no such key, or it was revoked, expired or has no session
  invalid_signature,       // it does not belong to this request, service or time
  expired,                 // a pre-signed URL after its time
  unavailable,             // whether it holds cannot be told now; try again
};
struct Refusal {
  Fault fault = Fault::invalid_signature;
  std::string message;  // for the client
  std::string cause;    // for the log; where unavailable
};
// The services name the same faults differently by their protocol: JSON (inspector2), query (sts).
enum class Protocol : std::uint8_t { json, query };
std::string_view error_code(Fault fault, Protocol protocol);
int http_status(Fault fault);
// For the caller that finds no secret for a claim, or cannot look for it.
Refusal unknown_client();
Refusal unavailable(std::string cause);

// What a request says of its sender.
struct Claim {
  std::string access_key_id;
  std::string date;  // of the scope: 20241021
  std::string region;
  std::string service;
  std::string signed_headers;         // as sent: "host;x-amz-date"
  std::string signature;              // 64 lower-case hexadecimal digits
  std::string session_token;          // empty: none
  std::string timestamp;              // 20241021T131502Z
  Seconds time = 0;                   // the same
  std::optional<Seconds> lifetime_s;  // of a pre-signed URL
};
std::expected<Claim, Refusal> read_claim(const RequestHead& head);

struct Policy {
  std::span<const std::string_view> services;  // those of the scope that are accepted
  Seconds skew_s = 300;
  bool unsigned_payload = false;  // accept a body that was not signed
};

// Signing keys derived from secrets, kept because deriving one costs more than the signature
// itself. Bounded; the secret is part of what an entry is found by, so none outlives it wrongly.
class SigningKeys {
 public:
  explicit SigningKeys(std::size_t limit = 4096);
  ~SigningKeys();
  crypto::Secret get(const crypto::Secret& secret, std::string_view date, std::string_view region,
                     std::string_view service);

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::size_t limit_;
};

// Holds if the claim was signed with the secret, for this head and body, and now is its time.
std::expected<void, Refusal> verify(const Claim& claim, const RequestHead& head,
                                    std::string_view body, const crypto::Secret& secret,
                                    const Policy& policy, SigningKeys& keys, Seconds now);

}  // namespace tenken::aws
