#include "version/ecosystem.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace tenken::version {

extern const Scheme alpm;
extern const Scheme apk;
extern const Scheme composer;
extern const Scheme conan;
extern const Scheme cran;
extern const Scheme dpkg;
extern const Scheme gentoo;
extern const Scheme go;
extern const Scheme hackage;
extern const Scheme jvm;
extern const Scheme maven;
extern const Scheme nuget;
extern const Scheme opam;
extern const Scheme openssl;
extern const Scheme pep440;
extern const Scheme pub;
extern const Scheme rpm;
extern const Scheme rpm_nevra;
extern const Scheme rpm_vercmp;
extern const Scheme rubygems;
extern const Scheme semver;

namespace {

constexpr auto exact = NameRule::exact;
constexpr auto fold_case = NameRule::fold_case;
constexpr auto pep503 = NameRule::pep503;
constexpr auto source = PackageKey::source;

// Sorted by name. No scheme: upstream defines no order (commits of GIT and OSS-Fuzz, Android's
// "12:2021-10-01"), or the order depends on the release (Root repackages several ecosystems). Rpm
// distributions whose advisories name source packages say so in the OSV schema; AlmaLinux and Red
// Hat name binaries. Julia orders build metadata as Pub does: its binary packages count rebuilds
// there.
constexpr Ecosystem table[] = {
    {"AlmaLinux", &rpm, exact, ReleaseRule::major},
    {"Alpaquita", &apk, exact, ReleaseRule::exact, source},
    {"Alpine", &apk, exact, ReleaseRule::alpine, source},
    {"Android", nullptr, exact, ReleaseRule::exact},
    {"Azure Linux", &rpm, exact, ReleaseRule::major},
    {"BellSoft Hardened Containers", &apk, exact, ReleaseRule::exact, source},
    {"Bioconductor", &cran},
    {"Bitnami", &semver},
    {"CRAN", &cran},
    {"Chainguard", &apk, exact, ReleaseRule::none, source},
    {"CleanStart", &apk, exact, ReleaseRule::none, source},
    {"Conan", &conan},
    {"ConanCenter", &conan},
    {"Debian", &dpkg, exact, ReleaseRule::major, source},
    {"Docker Hardened Images", nullptr, exact, ReleaseRule::exact},
    {"Echo", &dpkg, exact, ReleaseRule::none, source},
    {"FreeBSD", nullptr, exact, ReleaseRule::exact},
    {"GHC", &hackage},
    {"GIT", nullptr},
    {"GitHub Actions", &semver, fold_case},
    {"Go", &go},
    {"Hackage", &hackage},
    {"Hex", &semver},
    {"JVM", &jvm},
    {"Julia", &pub},
    {"Kubernetes", &semver},
    {"Linux", &semver},
    {"Mageia", &rpm, exact, ReleaseRule::major, source},
    {"Maven", &maven},
    {"MinimOS", &apk, exact, ReleaseRule::none, source},
    {"NuGet", &nuget, fold_case},
    {"OSS-Fuzz", nullptr},
    {"Packagist", &composer, fold_case},
    {"Photon OS", &rpm, exact, ReleaseRule::exact},
    {"Pub", &pub},
    {"PyPI", &pep440, pep503},
    {"Red Hat", &rpm, exact, ReleaseRule::exact},
    {"Rocky Linux", &rpm, exact, ReleaseRule::major, source},
    {"Root", nullptr, exact, ReleaseRule::exact},
    {"RubyGems", &rubygems},
    {"SUSE", &rpm, exact, ReleaseRule::exact, source},
    {"SemVer", &semver},
    {"SwiftURL", &semver},
    {"Ubuntu", &dpkg, exact, ReleaseRule::ubuntu, source},
    {"VSCode", &semver},
    {"Wolfi", &apk, exact, ReleaseRule::none, source},
    {"alpm", &alpm},
    {"apk", &apk},
    {"crates.io", &semver},
    {"gentoo", &gentoo},
    {"npm", &semver},
    {"opam", &opam},
    {"openEuler", &rpm, exact, ReleaseRule::exact, source},
    {"openSUSE", &rpm, exact, ReleaseRule::exact, source},
    {"openssl", &openssl},
    {"rpm-evr", &rpm},
    {"rpm-nevra", &rpm_nevra},
    {"rpm-vercmp", &rpm_vercmp},
};
static_assert(std::ranges::is_sorted(table, {}, &Ecosystem::name));

// "9.4" is {"9", "4"}; second is absent where nothing but a number stands there, and both are
// empty where the release is not numeric.
struct NumericRelease {
  std::string_view first;
  std::string_view second;  // of "18.04.6": "04"
};

NumericRelease numeric(std::string_view release) {
  if (release.find_first_not_of("0123456789.") != std::string_view::npos) return {};
  const auto [first, rest] = split_once(release, '.');
  return {first, rest ? split_once(*rest, '.').first : std::string_view{}};
}

// Debian 3.0 and 3.1 were two releases; from 4 on the second number is an update's.
std::string major_release(std::string_view release) {
  const auto first = numeric(release).first;
  const bool keep = first.empty() || (first.size() == 1 && first.front() < '4');
  return std::string(keep ? release : first);
}

std::string alpine_release(std::string_view release) {
  const auto [first, second] = numeric(release.starts_with('v') ? release.substr(1) : release);
  if (second.empty()) return std::string(release);
  return std::string("v").append(first).append(".").append(second);
}

// Releases of April in even years are long term support ones; so was 6.06.
std::string ubuntu_release(std::string_view release) {
  const auto [first, second] = numeric(release);
  if (first.empty() || second.empty()) return std::string(release);
  auto normal = std::string(first).append(".").append(second);
  const bool even_year = (first.back() - '0') % 2 == 0;
  if ((even_year && second == "04") || normal == "6.06") normal += ":LTS";
  return normal;
}

// https://peps.python.org/pep-0503/#normalized-names
std::string pep503_name(std::string_view name) {
  std::string normal;
  normal.reserve(name.size());
  bool in_run = false;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) normal.push_back(ascii_lower(c));
    if (separator && !in_run) normal.push_back('-');
    in_run = separator;
  }
  return normal;
}

}  // namespace

std::span<const Ecosystem> ecosystems() {
  return table;
}

const Ecosystem* find_ecosystem(std::string_view name) {
  const auto* at = std::ranges::lower_bound(table, name, {}, &Ecosystem::name);
  return at != std::end(table) && at->name == name ? at : nullptr;
}

EcosystemAndRelease split_release(std::string_view ecosystem_and_release) {
  const auto [ecosystem, release] = split_once(ecosystem_and_release, ':');
  return {ecosystem, release.value_or("")};
}

std::string normal_name(std::string_view ecosystem, std::string_view name) {
  const auto* row = find_ecosystem(ecosystem);
  switch (row == nullptr ? NameRule::exact : row->names) {
    case NameRule::fold_case:
      return ascii_lower(name);
    case NameRule::pep503:
      return pep503_name(name);
    case NameRule::exact:
      break;
  }
  return std::string(name);
}

std::string normal_release(std::string_view ecosystem, std::string_view release) {
  const auto* row = find_ecosystem(ecosystem);
  switch (row == nullptr ? ReleaseRule::exact : row->releases) {
    case ReleaseRule::none:
      return {};
    case ReleaseRule::major:
      return major_release(release);
    case ReleaseRule::alpine:
      return alpine_release(release);
    case ReleaseRule::ubuntu:
      return ubuntu_release(release);
    case ReleaseRule::exact:
      break;
  }
  return std::string(release);
}

}  // namespace tenken::version
