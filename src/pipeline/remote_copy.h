// The files that an inventory is taken from, out of another host by one command there: a script for
// its POSIX shell that reads and writes nothing but its standard output, and what that output is.
// It needs sh, cat, wc, ls and uname there.
//
//   tenken-copy 1
//   name NODENAME
//   kernel RELEASE
//   file BYTES PATH        then the bytes, a line end, and "bytes BYTES" as it is now
//   same PATH PATH         the first is the second file
//   denied PATH            may not be read
//   changed                since the first of them was read
//   end
//
// What stands before the first line (a greeting) is passed over, up to 64 KiB.
//
// Errors: invalid (no such output, a file that nobody asked for), unavailable (it ends too early,
// or files changed while they were read: again later), limit. Thread rule: pure functions, but for
// write_copy, which writes below its directory.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "inventory/inspect.h"

namespace tenken::pipeline {

// files: relative to the root, "/*" at the end for those of a directory (inspected_files()).
// root: an absolute path before each, for tests; empty: "/".
std::string copy_script(std::span<const std::string_view> files, std::string_view root = {});

struct RemoteFile {
  std::string_view path;  // relative
  std::string_view bytes;
};
struct RemoteCopy {
  std::string name;
  std::string kernel;
  std::vector<RemoteFile> files;
  std::vector<std::pair<std::string_view, std::string_view>> same;
  std::vector<std::string_view> denied;
};
// The result looks into the output.
Result<RemoteCopy> parse_copy(std::string_view output, std::span<const std::string_view> files);

// Writes it below a directory that is empty and nobody else's.
Result<inventory::HostCopy> write_copy(const RemoteCopy& copy, const std::string& directory);

}  // namespace tenken::pipeline
