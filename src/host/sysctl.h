// The parameters of the running kernel that benchmarks look at (CIS, STIG, ANSSI), as they are now.
// One that this kernel does not have is left out.
//
// Errors: none; they are skips. Thread rule: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/found.h"
#include "model/host_facts.h"

namespace tenken::host {

// "net.ipv4.ip_forward": the file's path below sys/ with dots for slashes.
std::span<const std::string_view> sysctl_names();
// A value as one line: what stands between blanks, tabs and line ends, with one blank between.
std::string sysctl_value(std::string_view text);
Found<Setting> read_sysctl(const std::string& proc = "/proc");

}  // namespace tenken::host
