// Archives and compressed files, read without unpacking to disk: zip, tar, tar.gz, tar.zst, and
// single .gz or .zst files. Only regular files are handed out; names are not trusted.
//
// Thread rule: each call works on its own state.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken {

struct ArchiveLimits {
  std::size_t member_bytes = std::size_t{1} << 28;
  std::size_t total_bytes = std::size_t{16} << 30;
  std::size_t members = 4'000'000;
};

bool is_archive_name(std::string_view path);     // .zip, .tar, .tar.gz, .tgz, .tar.zst
bool is_compressed_name(std::string_view path);  // .gz, .zst, but no archive

// Calls visit(member name, bytes) for each member for which wanted(name) is true. An error that
// visit returns ends the walk and is returned; a member that cannot be unpacked does not, its error
// is returned after the rest was visited. Errors: not_found, invalid (corrupt), limit.
Result<> for_each_member(const std::string& path, const ArchiveLimits& limits,
                         const std::function<bool(std::string_view)>& wanted,
                         const std::function<Result<>(std::string_view, std::string_view)>& visit);

// The content of one compressed file (gzip or zstd); other bytes are returned as they are.
Result<std::string> decompress(std::string_view bytes, std::size_t limit_bytes);

}  // namespace tenken
