// The body of an agent's report: what is taken from it is what stood in it, and the text that a
// delta results in is a report's, with no line lost.
#include "api/agents/report_body.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace agents = tenken::api::agents;
  // A text, a line "=", and the body that changes it.
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find("=\n");
  const auto text = cut == std::string_view::npos ? std::string_view() : input.substr(0, cut);
  const auto body = cut == std::string_view::npos ? input : input.substr(cut + 2);
  if (const auto whole = agents::read_whole(body))
    CHECK(whole->size() + static_cast<std::size_t>(std::ranges::count(body, '\n')) == body.size());
  const auto delta = agents::read_delta(body);
  if (!delta) return 0;
  const auto result = tenken::host::apply_delta(text, *delta);
  if (!result) return 0;
  const auto lines = [](std::string_view of) { return std::ranges::count(of, '\n'); };
  CHECK(lines(*result) == lines(text) - std::ssize(delta->gone) + std::ssize(delta->came));
  return 0;
}
