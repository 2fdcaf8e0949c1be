// Fetching: what servers and other people's files say. A URL never leads out of the mirror tree,
// an index compared with itself has not changed, and dates and states never crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "fetch/delta.h"
#include "fetch/mirror.h"
#include "fetch/retry.h"
#include "fetch/url.h"

namespace {

void expect(bool fact) {
  if (!fact) std::abort();
}

void check_url(std::string_view text) {
  const auto url = tenken::fetch::parse_url(text);
  if (!url) return;
  const auto path = tenken::fetch::mirror_path(*url);
  if (!path) return;
  expect(path->front() != '/' && path->front() != '.');
  for (const auto segment : tenken::split(*path, '/'))
    expect(!segment.empty() && segment != "." && segment != ".." && segment.size() <= 255);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_url(text);
  const auto [first, rest] = tenken::split_once(text, '\0');
  const auto same = tenken::fetch::compare_indexes(first, first);
  expect(same.changed.empty() && same.removed == 0);
  const auto delta = tenken::fetch::compare_indexes(first, rest.value_or(""));
  expect(delta.changed.size() <= text.size());
  if (const auto date = tenken::parse_http_date(text))
    expect(tenken::parse_http_date(tenken::format_http_date(*date)) == date);
  tenken::fetch::parse_retry_after(text, 1'700'000'000);
  if (const auto state = tenken::fetch::read_state(text)) {
    const auto written = tenken::fetch::write_state(*state);
    const auto again = tenken::fetch::read_state(written);
    expect(again && tenken::fetch::write_state(*again) == written);
  }
  return 0;
}
