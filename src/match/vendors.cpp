#include "match/vendors.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace tenken::match {
namespace {

struct DistributionVendor {
  std::string_view ecosystem;
  std::string_view vendor;  // folded; the start of what its packages state
};

constexpr std::array<DistributionVendor, 16> vendors{{
    {"AlmaLinux", "almalinux"},
    {"Rocky Linux", "rocky"},
    {"Red Hat", "red hat"},
    {"SUSE", "suse"},
    {"openSUSE", "opensuse"},
    {"openSUSE", "suse"},  // packages that Leap takes from SUSE Linux Enterprise
    {"Mageia", "mageia"},
    {"openEuler", "http://openeuler.org"},
    {"openEuler", "openeuler"},
    {"Azure Linux", "microsoft"},
    {"Photon OS", "vmware"},
    {"Photon OS", "broadcom"},
    {"Debian", "debian"},
    {"Ubuntu", "ubuntu"},
    {"Ubuntu", "debian"},
    {"Fedora", "fedora"},
}};

}  // namespace

bool is_third_party(const Package& package) {
  if (package.vendor.empty()) return false;
  const auto vendor = ascii_lower(package.vendor);
  bool known = false;
  for (const auto& one : vendors) {
    if (one.ecosystem != package.ecosystem) continue;
    if (vendor.starts_with(one.vendor)) return false;
    known = true;
  }
  return known;
}

}  // namespace tenken::match
