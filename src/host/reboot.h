// Whether a restart of the host is pending, as far as its files say it for certain:
// run/reboot-required with its list of packages (Debian, Ubuntu), run/reboot-needed (SUSE), and an
// installed kernel that is newer than the one that runs and of the same flavour.
//
// Errors: none; they are skips. Thread rule: pure functions over the root.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/found.h"
#include "inventory/root.h"

namespace tenken::host {

// Which of two releases as of uname -r is newer; absent where they are of different flavours
// ("6.1.0-18-amd64", "6.1.0-18-cloud-amd64") or their order is not certain ("6.8", "6.8-rc1").
std::optional<std::strong_ordering> compare_kernels(std::string_view a, std::string_view b);

// The packages that run/reboot-required.pkgs names, sorted, each once.
std::vector<std::string> parse_reboot_packages(std::string_view text);

Found<std::string> reboot_reasons(const inventory::Root& root, std::string_view running_kernel);

}  // namespace tenken::host
