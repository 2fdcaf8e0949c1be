#include "match/kernel.h"

#include <algorithm>
#include <array>

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
  if (package.kind != "rpm") return package.name.ends_with(running_release);
  auto evr = std::string_view(package.version);
  if (const auto colon = evr.find(':'); colon != std::string_view::npos)
    evr.remove_prefix(colon + 1);
  return running_release == evr ||
         (running_release.starts_with(evr) && running_release.substr(evr.size()).starts_with('.'));
}

SourceIdentity advisory_source(const Package& package) {
  SourceIdentity out{package.source_name.empty() ? package.name : package.source_name,
                     package.source_version.empty() ? package.version : package.source_version};
  constexpr std::string_view signed_source = "linux-signed";
  if (!out.name.starts_with(signed_source)) return out;
  const auto rest = out.name.substr(signed_source.size());
  const bool debian = package.ecosystem == "Debian";
  return {debian ? "linux" : "linux" + rest, package.version};
}

}  // namespace tenken::match
