// When the host was started, from "btime" of /proc/stat (proc_stat(5)).
//
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace tenken::host {

// 0 where the text does not say it.
Seconds parse_boot_time(std::string_view text);
Seconds boot_time(const std::string& proc = "/proc");

}  // namespace tenken::host
