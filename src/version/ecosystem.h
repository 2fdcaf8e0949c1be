// The one table of ecosystems: which scheme orders an ecosystem's versions, how its names and
// releases are written. Names are OSV's (https://ossf.github.io/osv-schema/#defined-ecosystems);
// the first column of the version vectors ("SemVer", "rpm-evr", "apk", …) is known too.
//
// Thread rule: pure functions over constant tables.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "version/scheme.h"

namespace tenken::version {

enum class NameRule : std::uint8_t {
  exact,
  fold_case,  // NuGet, Packagist, GitHub Actions
  pep503,     // PyPI: case folded, runs of "-_." are one "-"
};

enum class ReleaseRule : std::uint8_t {
  none,    // language ecosystems: no release
  major,   // "9.4" -> "9" (AlmaLinux, Rocky Linux, Debian "12.5" -> "12", …)
  alpine,  // "3.18.4" -> "v3.18", "v3.18", "edge"
  ubuntu,  // "22.04" -> "22.04:LTS", "23.10" stays
  exact,   // as the advisory writes it ("Linux Enterprise Server 15 SP4")
};

// Which name of an installed package an advisory of this ecosystem means.
enum class PackageKey : std::uint8_t {
  binary,  // rpm distributions, languages
  source,  // Debian, Ubuntu, Alpine and their kin
};

struct Ecosystem {
  std::string_view name;
  const Scheme* scheme;  // nullptr: versions are matched literally, ranges are unknown
  NameRule names = NameRule::exact;
  ReleaseRule releases = ReleaseRule::none;
  PackageKey key = PackageKey::binary;
};

std::span<const Ecosystem> ecosystems();  // sorted by name

// Known by its name without release ("Debian", not "Debian:12"); nullptr: not in the table.
const Ecosystem* find_ecosystem(std::string_view name);

// "Debian:11" -> {"Debian", "11"}; "Ubuntu:Pro:18.04:LTS" -> {"Ubuntu", "Pro:18.04:LTS"}.
struct EcosystemAndRelease {
  std::string_view ecosystem;
  std::string_view release;
};
EcosystemAndRelease split_release(std::string_view ecosystem_and_release);

// The form both sides of a comparison use. An ecosystem outside the table keeps the text.
std::string normal_name(std::string_view ecosystem, std::string_view name);
std::string normal_release(std::string_view ecosystem, std::string_view release);

}  // namespace tenken::version
