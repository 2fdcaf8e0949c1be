#include "feeds/debian_releases.h"

namespace tenken::feeds {

std::string_view debian_release(std::string_view codename) {
  struct Release {
    std::string_view codename;
    std::string_view number;
  };
  static constexpr Release releases[] = {
      {"slink", "2.1"}, {"potato", "2.2"},  {"woody", "3.0"},   {"sarge", "3.1"}, {"etch", "4.0"},
      {"lenny", "5.0"}, {"squeeze", "6.0"}, {"wheezy", "7"},    {"jessie", "8"},  {"stretch", "9"},
      {"buster", "10"}, {"bullseye", "11"}, {"bookworm", "12"}, {"trixie", "13"}, {"forky", "14"},
      {"duke", "15"},   {"sid", "sid"},
  };
  for (const auto& release : releases) {
    if (release.codename == codename) return release.number;
  }
  return {};
}

}  // namespace tenken::feeds
