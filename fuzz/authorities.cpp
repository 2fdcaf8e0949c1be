// The authorities that a server sends with a renewed certificate: what is taken is taken once, and
// what is trusted already stays.
#include "agent/authorities.h"

#include "crypto/openssl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace agent = tenken::agent;
  constexpr tenken::Seconds today = 1'790'000'000;
  static const bool loaded = tenken::crypto::load_openssl().has_value();
  CHECK(loaded);
  const std::string_view given(reinterpret_cast<const char*>(data), size);
  const auto taken = agent::with_authorities("", given, today);
  if (!taken) return 0;
  CHECK(taken->empty() || taken->contains("-----BEGIN CERTIFICATE-----"));
  const auto again = agent::with_authorities(*taken, given, today);
  CHECK(again && *again == *taken);
  const auto kept = agent::with_authorities("what is trusted", given, today);
  CHECK(kept && kept->starts_with("what is trusted"));
  return 0;
}
