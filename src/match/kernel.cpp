#include "match/kernel.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::match {

bool is_kernel_headers(const Package& package) {
  return package.name == "linux-libc-dev" || package.name.starts_with("linux-headers");
}

bool is_kernel_image(const Package& package) {
  constexpr std::array<std::string_view, 4> deb{"linux-image-", "linux-modules-",
                                                "linux-image-unsigned-", "linux-modules-extra-"};
  constexpr std::array<std::string_view, 12> rpm{"kernel",
                                                 "kernel-core",
                                                 "kernel-modules",
                                                 "kernel-modules-core",
                                                 "kernel-modules-extra",
                                                 "kernel-default",
                                                 "kernel-rt",
                                                 "kernel-rt-core",
                                                 "kernel-rt-modules",
                                                 "kernel-uek",
                                                 "kernel-64k",
                                                 "kernel-64k-core"};
  if (package.kind == "rpm") return std::ranges::find(rpm, package.name) != rpm.end();
  // linux-image-amd64 is a metapackage: it holds no kernel, but its version follows the newest.
  return std::ranges::any_of(deb, [&](std::string_view p) {
    return package.name.starts_with(p) && package.name.size() > p.size() &&
           package.name[p.size()] >= '0' && package.name[p.size()] <= '9';
  });
}

bool belongs_to_kernel(const Package& package, std::string_view running_release) {
  if (package.kind != "rpm") {
    std::string_view name = package.name;
    for (const std::string_view suffix : {"-unsigned", "-dbg"}) {
      if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
    }
    return name.ends_with(running_release);
  }
  // "5.14.0-362.8.1.el9_3.x86_64+rt" runs the packages kernel-rt-…, and no others do.
  const auto [release, flavour_of_el] = split_once(running_release, '+');
  for (const std::string_view one : {"rt", "64k"}) {
    const bool named = package.name.find(fmt::format("-{}", one)) != std::string::npos;
    if (named != (flavour_of_el == one)) return false;
  }
  running_release = release;
  auto evr = std::string_view(package.version);
  if (const auto colon = evr.find(':'); colon != std::string_view::npos)
    evr.remove_prefix(colon + 1);
  if (running_release == evr ||
      (running_release.starts_with(evr) && running_release.substr(evr.size()).starts_with('.')))
    return true;
  // SUSE: "5.14.21-150500.55.7-default" runs kernel-default 5.14.21-150500.55.7.1, whose last
  // number counts rebuilds.
  const auto flavour = package.name.substr(std::min(package.name.find('-'), package.name.size()));
  if (flavour.empty() || !running_release.ends_with(flavour)) return false;
  running_release.remove_suffix(flavour.size());
  return evr == running_release ||
         (evr.starts_with(running_release) && evr.substr(running_release.size()).starts_with('.'));
}

namespace {

// A source rpm's file name holds no epoch: it is that of the package built from it.
std::string source_version(const Package& package) {
  if (package.source_version.empty()) return package.version;
  const auto colon = package.version.find(':');
  const bool stated = package.source_version.find(':') != std::string::npos;
  if (package.kind != "rpm" || colon == std::string::npos || stated) return package.source_version;
  return package.version.substr(0, colon + 1) + package.source_version;
}

}  // namespace

SourceIdentity advisory_source(const Package& package) {
  SourceIdentity out{package.source_name.empty() ? package.name : package.source_name,
                     source_version(package)};
  constexpr std::string_view signed_source = "linux-signed";
  if (!out.name.starts_with(signed_source)) return out;
  const auto rest = out.name.substr(signed_source.size());
  const bool debian = package.ecosystem == "Debian";
  return {debian ? "linux" : "linux" + rest, package.version};
}

}  // namespace tenken::match
