// The limit of building a database: unpacks the archives named as arguments, parses each member as
// JSON, and does nothing with it.
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "base/archive.h"
#include "base/json.h"

int main(int argc, char** argv) {
  std::size_t bytes = 0;
  tenken::json::Parser parser;
  for (int i = 1; i < argc; ++i) {
    const auto walked = tenken::for_each_member(
        argv[i], {}, [](std::string_view) { return true; },
        [&](std::string_view, std::string_view content) -> tenken::Result<> {
          bytes += content.size();
          return parser.parse(content).has_value() ? tenken::Result<>()
                                                   : tenken::invalid("not valid JSON");
        });
    if (!walked) {
      fmt::print(stderr, "{}\n", walked.error().what);
      return 1;
    }
  }
  fmt::print("{} bytes of JSON\n", bytes);
  return 0;
}
