#include "api/exports/target.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "pipeline/database_location.h"

namespace tenken::api::exports {
namespace {

constexpr std::size_t copy_bytes = std::size_t{1} << 20;
constexpr unsigned file_mode = 0640;

std::string_view media_type(std::string_view name) {
  return name.ends_with(".csv") ? "text/csv" : "application/json";
}

class BucketTarget : public Target {
 public:
  BucketTarget(const store::Export& one, aws::S3Client& client)
      : bucket_(one.bucket),
        prefix_(one.key_prefix),
        kms_key_(one.kms_key),
        owner_(one.bucket_owner),
        client_(client) {
    if (!prefix_.empty() && !prefix_.ends_with('/')) prefix_ += '/';
  }

  Outcome<> put_text(const std::string& name, std::string_view text) override {
    return outcome(client_.put(object(name), text));
  }
  Outcome<> put_file(const std::string& name, int fd, std::uint64_t size) override {
    return outcome(client_.put_file(object(name), fd, size));
  }

 private:
  static Outcome<> outcome(const aws::S3Result<void>& done) {
    if (!done) return std::unexpected(fault_of(done.error()));
    return {};
  }
  aws::S3Object object(const std::string& name) const {
    return {.bucket = bucket_,
            .key = prefix_ + name,
            .content_type = std::string(media_type(name)),
            .kms_key = kms_key_,
            .owner = owner_};
  }

  std::string bucket_;
  std::string prefix_;
  std::string kms_key_;
  std::string owner_;
  aws::S3Client& client_;
};

class DirectoryTarget : public Target {
 public:
  DirectoryTarget(const store::Export& one, const std::string& directory)
      : root_(fmt::format("{}/{}/{}", directory, one.account, one.local_name)) {
    if (one.kind != store::ExportKind::sbom) return;
    // No name of a client's begins with a dot.
    fresh_ = fmt::format("{}/{}/.{}.new", directory, one.account, one.local_name);
    remove_fresh();  // of a server that was killed
  }
  DirectoryTarget(const DirectoryTarget&) = delete;
  DirectoryTarget& operator=(const DirectoryTarget&) = delete;
  ~DirectoryTarget() override { remove_fresh(); }

  Outcome<> put_text(const std::string& name, std::string_view text) override {
    return write(name, [&](const WritePiece& piece) { return piece(text); });
  }
  Outcome<> put_file(const std::string& name, int fd, std::uint64_t size) override {
    return write(name, [&](const WritePiece& piece) -> Result<> {
      std::string buffer(copy_bytes, '\0');
      for (std::uint64_t at = 0; at < size;) {
        const auto wanted = std::min<std::uint64_t>(copy_bytes, size - at);
        const auto got = ::pread(fd, buffer.data(), wanted, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return from_errno(got < 0 ? errno : EIO, "the export's temporary file");
        TRY_VOID(piece(std::string_view(buffer).substr(0, static_cast<std::size_t>(got))));
        at += static_cast<std::uint64_t>(got);
      }
      return {};
    });
  }
  Outcome<> finish() override {
    if (fresh_.empty()) return {};
    const auto done = replace_folder();
    if (!done) return std::unexpected(retry_later(done.error()));
    return {};
  }

 private:
  using Produce = std::function<Result<>(const WritePiece&)>;

  Outcome<> write(const std::string& name, const Produce& produce) {
    const auto done = write_below(name, produce);
    if (!done) return std::unexpected(retry_later(done.error()));
    return {};
  }
  Result<> write_below(const std::string& name, const Produce& produce) {
    const auto path = fresh_.empty() ? root_ : fmt::format("{}/{}", fresh_, name);
    TRY_VOID(pipeline::make_directories(path.substr(0, path.rfind('/'))));
    return write_file_atomic(path, file_mode, produce);
  }

  // In one step where a folder is there; a file of that name stays, and the export fails.
  Result<> replace_folder() {
    TRY_VOID(pipeline::make_directories(fresh_));
    std::error_code error;
    const bool is_folder = std::filesystem::is_directory(root_, error);
    const unsigned flags = is_folder ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (::renameat2(AT_FDCWD, fresh_.c_str(), AT_FDCWD, root_.c_str(), flags) != 0)
      return from_errno(errno, root_);
    return {};
  }
  void remove_fresh() const {
    std::error_code ignored;  // the next export of this name tries again
    if (!fresh_.empty()) std::filesystem::remove_all(fresh_, ignored);
  }

  std::string root_;
  std::string fresh_;  // the folder that becomes root_; empty: root_ is a file
};

}  // namespace

Fault failed(std::string_view code, std::string message, std::string cause) {
  return {Fault::Next::fail, std::string(code), std::move(message), std::move(cause)};
}

Fault broken(const Error& error) {
  return failed("INTERNAL_ERROR", "An internal error occurred", error.what);
}

Fault retry_later(const Error& error) {
  auto out = broken(error);
  out.next = Fault::Next::retry;
  return out;
}

Fault stopped() {
  return {Fault::Next::stop, "", ""};
}

Fault fault_of(const aws::S3Fault& fault) {
  using Kind = aws::S3Fault::Kind;
  switch (fault.kind) {
    case Kind::no_bucket:
      return failed("BUCKET_NOT_FOUND", fault.message, fault.cause);
    case Kind::denied:
      return failed("INVALID_PERMISSIONS", fault.message, fault.cause);
    case Kind::other_region:
      return failed("INCOMPATIBLE_BUCKET_REGION", fault.message, fault.cause);
    case Kind::bad_key:
      return failed("MALFORMED_KMS_KEY", fault.message, fault.cause);
    case Kind::unavailable:
      return {Fault::Next::retry, "INTERNAL_ERROR", fault.message, fault.cause};
    case Kind::stopped:
      return stopped();
    case Kind::other:
      break;
  }
  return failed("INTERNAL_ERROR", fault.message, fault.cause);
}

std::unique_ptr<Target> bucket_target(const store::Export& one, aws::S3Client& client) {
  return std::make_unique<BucketTarget>(one, client);
}

std::unique_ptr<Target> directory_target(const store::Export& one, const std::string& directory) {
  return std::make_unique<DirectoryTarget>(one, directory);
}

}  // namespace tenken::api::exports
