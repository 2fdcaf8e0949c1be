// Kernel packages: which of them run, which only carry headers, and under which source name the
// distribution publishes their advisories.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "model/package.h"

namespace tenken::match {

// linux-libc-dev, linux-headers-*: built from the kernel's source, no kernel code in them.
bool is_kernel_headers(const Package& package);

// A package that holds a bootable kernel or its modules, so that only the running one counts.
bool is_kernel_image(const Package& package);
// Whether it belongs to the kernel that `uname -r` names.
bool belongs_to_kernel(const Package& package, std::string_view running_release);

// The source package and version an advisory means: Debian and Ubuntu build signed images from
// sources of their own (linux-signed-amd64 5.10.179+1), whose advisories name "linux" and the
// version of the image.
struct SourceIdentity {
  std::string name;
  std::string version;
};
SourceIdentity advisory_source(const Package& package);

}  // namespace tenken::match
