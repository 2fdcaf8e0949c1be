// Every scheme of version/ on hostile text: the first byte picks the scheme, the rest is two
// versions divided at a line feed. Encoding must not crash, must give the same key twice, and the
// order must be the same seen from both sides. All of it also passes through one batch line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "version/batch.h"
#include "version/scheme.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto answer = tenken::version::compare_batch_line(input);
  require(!answer.empty() && answer.find_first_of("\r\n") == std::string_view::npos);
  if (input.empty()) return 0;

  const auto schemes = tenken::version::schemes();
  const auto& scheme = *schemes[data[0] % schemes.size()];
  const auto [a, rest] = tenken::split_once(input.substr(1), '\n');
  const auto b = rest.value_or("");
  const auto order = compare(scheme, a, b);
  const auto mirrored = compare(scheme, b, a);
  require(order.has_value() == mirrored.has_value());
  if (order) require((*order <=> 0) == (0 <=> *mirrored));
  for (const auto version : {a, b}) {
    const auto key = scheme.encode(version);
    require(key.has_value() || !key.error().what.empty());
    if (key) require(compare(scheme, version, version).value() == std::strong_ordering::equal);
  }
  return 0;
}
