#include "pipeline/collect.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/file.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "inventory/document.h"
#include "pipeline/remote_copy.h"
#include "store/resources.h"

namespace tenken::pipeline {
namespace {

// What inventories are taken from, and what names the host.
std::vector<std::string_view> files() {
  auto out = inventory::inspected_files();
  out.push_back("etc/machine-id");
  return out;
}

Result<std::string> private_directory() {
  const char* set = ::secure_getenv("TMPDIR");
  std::string path = fmt::format("{}/tenken-copy-XXXXXX", set != nullptr ? set : "/tmp");
  if (::mkdtemp(path.data()) == nullptr) return from_errno(errno, path);
  return path;
}

// What the host says. Its file has no name any more.
Result<MappedFile> ask(const SshTarget& target, const SshLimits& limits,
                       const std::function<bool()>& stop, const std::string& directory) {
  const auto answer = directory + "/answer";
  {
    const Fd fd(::open(answer.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return from_errno(errno, answer);
    TRY_VOID(run_over_ssh(target, collection_script(), fd.get(), limits, stop));
  }
  auto output = MappedFile::open(answer);
  std::error_code ignored;  // it goes with its directory
  std::filesystem::remove(answer, ignored);
  return output;
}

// Asked once more where its files changed meanwhile: the package manager may be done.
Result<inventory::HostCopy> fetch(const SshTarget& target, SshLimits limits,
                                  const std::function<bool()>& stop, const std::string& directory) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + limits.time;
  TRY(auto output, ask(target, limits, stop, directory));
  auto copy = parse_copy(output.bytes(), files());
  if (!copy && copy.error().code == Errc::unavailable) {
    output = MappedFile();  // its room on the disk
    limits.time = std::chrono::duration_cast<std::chrono::seconds>(end - Clock::now());
    if (auto again = ask(target, limits, stop, directory)) {
      output = *std::move(again);
      copy = parse_copy(output.bytes(), files());
    }
  }
  if (!copy) return std::move(copy).error().within(target.host);
  if (copy->name.empty()) copy->name = target.host;
  return write_copy(*copy, directory + "/root");
}

}  // namespace

std::string collection_script() {
  return copy_script(files());
}

Result<Collected> Collected::over_ssh(const SshTarget& target, const SshLimits& limits,
                                      const std::function<bool()>& stop) {
  TRY(auto directory, private_directory());
  Collected out(std::move(directory));
  std::error_code error;
  std::filesystem::create_directory(out.directory_ + "/root", error);
  if (error) return from_errno(error.value(), out.directory_);
  TRY(out.copy_, fetch(target, limits, stop, out.directory_));
  return out;
}

Collected::Collected(Collected&& other) noexcept
    : directory_(std::exchange(other.directory_, {})), copy_(std::move(other.copy_)) {}

Collected::~Collected() {
  std::error_code ignored;  // nothing can be done about a temporary file that stays
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

Result<bool> is_great_loss(sql::Connection& connection, std::string_view account,
                           std::string_view resource, const std::string& file) {
  TRY(const auto known, store::find_resource(connection, account, resource));
  if (!known) return false;
  TRY(const auto bytes, read_file(file, inventory::DocumentLimits{}.bytes));
  TRY(const auto inventory, inventory::read_document(bytes));
  return inventory::is_great_loss(static_cast<std::size_t>(known->packages),
                                  inventory.packages.size());
}

Result<> put_collected(Ingest& ingest, ResourceReport report, const std::string& file) {
  TRY(const auto bytes, read_file(file, inventory::DocumentLimits{}.bytes));
  report.digest = crypto::to_hex(crypto::view(crypto::sha256(bytes)));
  TRY(const auto unchanged, ingest.confirm(report));
  if (unchanged) return {};
  TRY(auto inventory, inventory::read_document(bytes));
  return ingest.put(stored_inventory(report, std::move(inventory)));
}

}  // namespace tenken::pipeline
