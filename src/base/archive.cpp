#include "base/archive.h"

#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "base/text.h"

namespace tenken {
namespace {

struct Free {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Free>;

Error failure(archive* reader, std::string_view shown_name) {
  const char* text = archive_error_string(reader);
  return invalid(
      fmt::format("{}: {}", shown_name, trim(text != nullptr ? text : "corrupt archive")));
}

// Reads the current member, whose stated size is not trusted.
Result<std::string_view> read_member(archive* reader, std::string& buffer, std::size_t limit_bytes,
                                     std::string_view shown_name) {
  std::size_t used = 0;
  for (;;) {
    if (used == buffer.size()) buffer.resize(std::max<std::size_t>(buffer.size() * 2, 1 << 16));
    const auto count = archive_read_data(reader, buffer.data() + used, buffer.size() - used);
    if (count < 0) return failure(reader, shown_name);
    if (count == 0) return std::string_view(buffer).substr(0, used);
    used += static_cast<std::size_t>(count);
    if (used > limit_bytes)
      return limit_exceeded(
          fmt::format("{}: more than {} bytes unpacked", shown_name, limit_bytes));
  }
}

}  // namespace

bool is_archive_name(std::string_view path) {
  for (const auto* suffix : {".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst"}) {
    if (path.ends_with(suffix)) return true;
  }
  return false;
}

bool is_compressed_name(std::string_view path) {
  return !is_archive_name(path) && (path.ends_with(".gz") || path.ends_with(".zst"));
}

Result<> for_each_member(const std::string& path, const ArchiveLimits& limits,
                         const std::function<bool(std::string_view)>& wanted,
                         const std::function<Result<>(std::string_view, std::string_view)>& visit) {
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip_seekable(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 20) != ARCHIVE_OK) {
    const int error = archive_errno(reader.get());
    return error > 0 && error < 1000 ? from_errno(error, path) : failure(reader.get(), path);
  }
  Result<> first_fault;
  std::string buffer;
  std::size_t members = 0;
  std::size_t total = 0;
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return first_fault;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure(reader.get(), path);
    if (++members > limits.members)
      return limit_exceeded(fmt::format("{}: more than {} members", path, limits.members));
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
    // The entry's name lives until the next header.
    const std::string_view member(name);
    if (!wanted(member)) continue;
    const auto bytes = read_member(reader.get(), buffer, limits.member_bytes, member);
    if (!bytes) {
      if (first_fault.has_value()) first_fault = bytes.error();
      continue;
    }
    total += bytes->size();
    if (total > limits.total_bytes)
      return limit_exceeded(
          fmt::format("{}: more than {} bytes unpacked", path, limits.total_bytes));
    TRY_VOID(visit(member, *bytes));
  }
}

Result<std::string> decompress(std::string_view bytes, std::size_t limit_bytes) {
  const bool gzip = bytes.starts_with("\x1f\x8b");
  const bool zstd = bytes.starts_with("\x28\xb5\x2f\xfd");
  if (!gzip && !zstd) return std::string(bytes);
  const Reader reader(archive_read_new());
  archive_read_support_format_raw(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    return failure(reader.get(), "compressed data");
  std::string buffer;
  TRY(const auto content, read_member(reader.get(), buffer, limit_bytes, "compressed data"));
  buffer.resize(content.size());
  return buffer;
}

}  // namespace tenken
