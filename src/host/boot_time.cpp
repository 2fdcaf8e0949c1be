#include "host/boot_time.h"

#include <limits>

#include "base/file.h"
#include "base/text.h"

namespace tenken::host {

Seconds parse_boot_time(std::string_view text) {
  constexpr std::string_view name = "btime ";
  Seconds booted = 0;
  for_each_line(text, [&](std::string_view line) {
    if (booted != 0 || !line.starts_with(name)) return;
    const auto number = parse_uint(line.substr(name.size()));
    if (number && *number <= std::numeric_limits<std::int64_t>::max())
      booted = static_cast<Seconds>(*number);
  });
  return booted;
}

Seconds boot_time(const std::string& proc) {
  const auto text = read_file(proc + "/stat", std::size_t{4} << 20);
  return text ? parse_boot_time(*text) : 0;
}

}  // namespace tenken::host
