#include "base/archive.h"

#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "base/zip.h"

namespace tenken {
namespace {

struct Free {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Free>;
using Wanted = std::function<bool(std::string_view)>;
using Visit = std::function<Result<>(std::string_view, std::string_view)>;

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

// The walk over one archive: limits, and what becomes of members that cannot be unpacked.
class Walk {
 public:
  Walk(const std::string& path, const ArchiveLimits& limits, const Wanted& wanted,
       const Visit& visit)
      : path_(path), limits_(limits), wanted_(wanted), visit_(visit) {}

  Result<> zip();
  Result<> tar();

 private:
  Result<bool> enters(std::string_view member) {
    if (++members_ > limits_.members)
      return limit_exceeded(fmt::format("{}: more than {} members", path_, limits_.members));
    return wanted_(member);
  }

  Result<> take(std::string_view member, Result<std::string_view> bytes) {
    if (!bytes) {
      if (first_fault_.has_value()) first_fault_ = std::move(bytes).error();
      return {};
    }
    total_ += bytes->size();
    if (total_ > limits_.total_bytes)
      return limit_exceeded(
          fmt::format("{}: more than {} bytes unpacked", path_, limits_.total_bytes));
    return visit_(member, *bytes);
  }

  const std::string& path_;
  const ArchiveLimits& limits_;
  const Wanted& wanted_;
  const Visit& visit_;
  Result<> first_fault_;
  std::size_t members_ = 0;
  std::size_t total_ = 0;
};

Result<> Walk::zip() {
  constexpr std::uint64_t kept_bytes = 32 << 20;  // of the mapped file, in memory at a time
  TRY(const auto file, MappedFile::open(path_));
  TRY(auto reader, ZipReader::open(file.bytes()).within(path_));
  std::uint64_t touched = 0;
  for (;;) {
    TRY(const auto member, reader.next().within(path_));
    if (!member) return first_fault_;
    TRY(const bool enter, enters(member->name));
    if (!enter || !member->regular) continue;
    TRY_VOID(take(member->name,
                  reader.unpack(*member, limits_.member_bytes).within(printable(member->name))));
    touched += member->packed_size;
    if (touched > kept_bytes) {
      file.release_pages();
      touched = 0;
    }
  }
}

Result<> Walk::tar() {
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  if (archive_read_open_filename(reader.get(), path_.c_str(), 1 << 20) != ARCHIVE_OK) {
    const int error = archive_errno(reader.get());
    return error > 0 && error < 1000 ? from_errno(error, path_) : failure(reader.get(), path_);
  }
  std::string buffer;
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return first_fault_;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure(reader.get(), path_);
    // The entry's name lives until the next header.
    const char* name = archive_entry_pathname(entry);
    const std::string_view member(name != nullptr ? name : "");
    TRY(const bool enter, enters(member));
    if (!enter || member.empty() || archive_entry_filetype(entry) != AE_IFREG) continue;
    TRY_VOID(take(member, read_member(reader.get(), buffer, limits_.member_bytes, member)));
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

Result<> for_each_member(const std::string& path, const ArchiveLimits& limits, const Wanted& wanted,
                         const Visit& visit) {
  Walk walk(path, limits, wanted, visit);
  return path.ends_with(".zip") ? walk.zip() : walk.tar();
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
