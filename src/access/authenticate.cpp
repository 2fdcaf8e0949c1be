#include "access/authenticate.h"

namespace tenken::access {

std::expected<Authenticated, aws::Refusal> Authenticator::authenticate(const aws::RequestHead& head,
                                                                       std::string_view body,
                                                                       Seconds now) {
  auto claim = aws::read_claim(head);
  if (!claim) return std::unexpected(std::move(claim.error()));
  // tenken issues no session tokens, so one that comes with a request is not ours.
  if (!claim->session_token.empty()) return std::unexpected(aws::unknown_client());
  const auto key = keys_.find(claim->access_key_id, now);
  if (!key) return std::unexpected(aws::unavailable(key.error().what));
  if (*key == nullptr) return std::unexpected(aws::unknown_client());
  auto verified = aws::verify(*claim, head, body, (*key)->secret, policy_, signing_keys_, now);
  if (!verified) return std::unexpected(std::move(verified.error()));
  keys_.used(claim->access_key_id, now);
  return Authenticated{.principal = (*key)->principal,
                       .service = std::move(claim->service),
                       .region = std::move(claim->region)};
}

}  // namespace tenken::access
