#include <algorithm>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>

#include "aws/sigv4.h"
#include "aws/sigv4_key.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace tenken::aws {
namespace {

bool contains(std::span<const std::string_view> all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

using Verified = std::expected<void, Refusal>;

std::unexpected<Refusal> mismatch(std::string message) {
  return std::unexpected(Refusal{.fault = Fault::invalid_signature, .message = std::move(message)});
}

Verified check_scope(const Claim& claim, const Policy& policy) {
  if (!contains(policy.services, claim.service))
    return mismatch(fmt::format("Credential should be scoped to correct service: '{}'.",
                                fmt::join(policy.services, "', '")));
  const auto day = std::string_view(claim.timestamp).substr(0, 8);
  if (claim.date != day)
    return mismatch(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                    "date from HTTP: '{}' != '{}', from '{}'.",
                    claim.date, day, claim.timestamp));
  return {};
}

Verified check_time(const Claim& claim, const Policy& policy, Seconds now) {
  const auto minutes = policy.skew_s / 60;
  if (claim.time > now + policy.skew_s)
    return mismatch(
        fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)",
                    claim.timestamp, basic_time(now + policy.skew_s), basic_time(now), minutes));
  if (claim.lifetime_s) {
    if (now < claim.time + *claim.lifetime_s) return {};
    return std::unexpected(Refusal{
        .fault = Fault::expired,
        .message = fmt::format("Request has expired: it was valid until {} and it is {}.",
                               basic_time(claim.time + *claim.lifetime_s), basic_time(now))});
  }
  if (claim.time < now - policy.skew_s)
    return mismatch(fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)",
                                claim.timestamp, basic_time(now - policy.skew_s), basic_time(now),
                                minutes));
  return {};
}

// Any other header may stay unsigned: none of them changes what a request does.
Verified check_signed_headers(const RequestHead& head, std::span<const std::string_view> names) {
  if (!contains(names, "host"))
    return mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  if (head.header("x-amz-target") != nullptr && !contains(names, "x-amz-target"))
    return mismatch("'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
  return {};
}

std::expected<std::string, Refusal> signed_payload_hash(const RequestHead& head,
                                                        std::string_view body,
                                                        const Policy& policy) {
  const auto* const stated = head.header("x-amz-content-sha256");
  if (stated != nullptr && *stated == unsigned_payload) {
    if (policy.unsigned_payload) return std::string(unsigned_payload);
    return mismatch("The body must be signed: 'UNSIGNED-PAYLOAD' is not accepted.");
  }
  auto hash = payload_hash(body);
  if (stated != nullptr && trim(*stated) != hash)
    return mismatch("The provided 'x-amz-content-sha256' header does not match what was computed.");
  return hash;
}

}  // namespace

struct SigningKeys::State {
  std::mutex mutex;
  std::unordered_map<std::string, crypto::Secret> keys;  // by digest of what they are derived from
};

SigningKeys::SigningKeys(std::size_t limit) : state_(std::make_unique<State>()), limit_(limit) {}
SigningKeys::~SigningKeys() = default;

crypto::Secret SigningKeys::get(const crypto::Secret& secret, std::string_view date,
                                std::string_view region, std::string_view service) {
  crypto::Sha256 hash;
  for (const auto part : {secret.reveal(), date, region, service}) {
    hash.update(part);
    hash.update("\n");
  }
  const auto digest = hash.finish();
  const std::string id(crypto::view(digest));
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->keys.find(id);
    if (found != state_->keys.end()) return found->second.copy();
  }
  auto key = derive_key(secret, date, region, service);
  const std::lock_guard lock(state_->mutex);
  // Full after many days or keys: beginning anew costs each of them one derivation.
  if (state_->keys.size() >= limit_) state_->keys.clear();
  state_->keys.try_emplace(id, key.copy());
  return key;
}

std::expected<void, Refusal> verify(const Claim& claim, const RequestHead& head,
                                    std::string_view body, const crypto::Secret& secret,
                                    const Policy& policy, SigningKeys& keys, Seconds now) {
  if (auto ok = check_scope(claim, policy); !ok) return ok;
  if (auto ok = check_time(claim, policy, now); !ok) return ok;
  const auto names = split(claim.signed_headers, ';');
  if (auto ok = check_signed_headers(head, names); !ok) return ok;
  auto hash = signed_payload_hash(head, body, policy);
  if (!hash) return std::unexpected(std::move(hash.error()));

  const auto key = keys.get(secret, claim.date, claim.region, claim.service);
  const auto scope =
      fmt::format("{}/{}/{}/{}", claim.date, claim.region, claim.service, terminator);
  const auto expected = signature(key, claim.timestamp, scope,
                                  canonical_request(head, names, *hash, claim.service,
                                                    claim.lifetime_s ? "X-Amz-Signature" : ""));
  if (crypto::equal_in_constant_time(expected, claim.signature)) return {};
  return mismatch(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

}  // namespace tenken::aws
