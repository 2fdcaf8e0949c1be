#include "access/master_key.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

namespace tenken::access {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t longest_file = 256;

std::string_view label(MasterKey::Purpose purpose) {
  switch (purpose) {
    case MasterKey::Purpose::access_key_secrets:
      return "tenken access key secrets 1";
    case MasterKey::Purpose::page_tokens:
      return "tenken page tokens 1";
    case MasterKey::Purpose::ca_key:
      return "tenken CA key 1";
    case MasterKey::Purpose::agent_commands:
      return "tenken agent commands 1";
    case MasterKey::Purpose::fingerprint:
      return "tenken fingerprint 1";
  }
  return "tenken";
}

Result<> check_private(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return from_errno(errno, path);
  if ((status.st_mode & 077) != 0)
    return Error{
        Errc::denied,
        fmt::format("{}: others than its owner may use it; run: chmod 600 {}", path, path)};
  if (status.st_uid != ::geteuid() && status.st_uid != 0 && ::geteuid() != 0)
    return Error{Errc::denied, fmt::format("{}: it belongs to another user", path)};
  return {};
}

Result<> sync_directory(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path().string();
  const Fd fd(
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return from_errno(errno, directory);
  return {};
}

// Whole or not at all, and never over a file that is there: a key that was lost to a race would
// make what it sealed unreadable.
Result<> create(const std::string& path) {
  std::string temporary = path + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!fd.valid()) return from_errno(errno, temporary);
  const auto created = [&]() -> Result<> {
    auto bytes = crypto::random_bytes(key_bytes);
    auto text = crypto::to_hex(bytes);
    crypto::wipe(bytes);
    const auto written = write_fd(fd.get(), text, path);
    crypto::wipe(text);
    TRY_VOID(written);
    TRY_VOID(write_fd(fd.get(), "\n", path));
    if (::fsync(fd.get()) != 0) return from_errno(errno, path);
    if (::link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST)
      return from_errno(errno, path);
    return sync_directory(path);
  }();
  ::unlink(temporary.c_str());
  return created;
}

}  // namespace

Result<MasterKey> MasterKey::open(const std::string& path) {
  TRY_VOID(crypto::load_openssl());  // which everything that a key opens needs
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return from_errno(errno, path);
  TRY_VOID(check_private(fd.get(), path));
  TRY(auto text, read_fd(fd.get(), path, longest_file));
  auto bytes = crypto::from_hex(trim(text));
  crypto::wipe(text);
  if (!bytes || bytes->size() != key_bytes)
    return invalid(fmt::format("{}: not a key of 64 hexadecimal digits", path));
  return MasterKey(crypto::Secret(std::move(*bytes)));
}

Result<MasterKey> MasterKey::open_or_create(const std::string& path) {
  auto key = open(path);
  if (key || key.error().code != Errc::not_found) return key;
  TRY_VOID(create(path));
  return open(path);
}

crypto::Secret MasterKey::derive(Purpose purpose) const {
  return crypto::hkdf_sha256(bytes_, label(purpose));
}

std::string MasterKey::fingerprint() const {
  return crypto::to_hex(derive(Purpose::fingerprint).reveal().substr(0, 16));
}

}  // namespace tenken::access
