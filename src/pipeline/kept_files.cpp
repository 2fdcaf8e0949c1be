#include "pipeline/kept_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::pipeline {
namespace {

namespace fs = std::filesystem;

// A copy that is not whole yet; no feed has a place of this name.
constexpr std::string_view incoming = ".incoming";
constexpr std::size_t name_digits = 16;

Error fault(const std::error_code& error, const std::string& path) {
  return unavailable(fmt::format("{}: {}", path, error.message()));
}

}  // namespace

std::optional<std::string> KeptFiles::copy_of(const std::string& path) const {
  auto copy = fmt::format("{}/{}", directory_, path);
  std::error_code error;
  if (!fs::is_regular_file(copy, error)) return std::nullopt;
  return copy;
}

bool KeptFiles::is_kept(const std::string& file, const std::string& path) const {
  const auto copy = copy_of(path);
  if (!copy) return false;
  std::error_code error;
  return fs::file_size(file, error) == fs::file_size(*copy, error) &&
         fs::last_write_time(file, error) == fs::last_write_time(*copy, error) && !error;
}

Result<> KeptFiles::keep(const std::string& file, const std::string& path) const {
  const auto copy = fmt::format("{}/{}", directory_, path);
  const auto part = fmt::format("{}/{}", directory_, incoming);
  std::error_code error;
  fs::create_directories(fs::path(copy).parent_path(), error);
  fs::remove(part, error);
  if (keep_ == Keep::links) fs::create_hard_link(file, part, error);
  if (keep_ == Keep::copies || error) {
    error.clear();
    fs::copy_file(file, part, error);
    if (!error) fs::last_write_time(part, fs::last_write_time(file, error), error);
  }
  if (!error) fs::rename(part, copy, error);
  if (error) return fault(error, copy);
  // Two links to one file are not renamed: the new one stays.
  fs::remove(part, error);
  return {};
}

Result<> KeptFiles::keep_bytes(std::string_view bytes, const std::string& path) const {
  const auto copy = fmt::format("{}/{}", directory_, path);
  std::error_code error;
  fs::create_directories(fs::path(copy).parent_path(), error);
  if (error) return fault(error, copy);
  return write_file_atomic(copy, bytes);
}

// Names of members are others' words, and no paths.
std::string KeptFiles::path_of_member(std::string_view archive, std::string_view member) {
  return std::string(archive) + ".members/" +
         crypto::to_hex(crypto::view(crypto::sha256(member)));
}

Result<> KeptFiles::keep_only(const std::set<std::string>& paths) const {
  std::error_code error;
  std::vector<fs::path> others;
  fs::recursive_directory_iterator all(directory_, error);
  for (; !error && all != fs::recursive_directory_iterator(); all.increment(error)) {
    if (!all->is_regular_file(error)) continue;
    if (!paths.contains(all->path().lexically_relative(directory_).generic_string()))
      others.push_back(all->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) return fault(error, directory_);
  for (const auto& one : others) {
    fs::remove(one, error);
    if (error) return fault(error, one.string());
  }
  return {};
}

std::string kept_directory(const std::string& kept, const std::string& root) {
  std::error_code error;
  auto place = fs::canonical(root, error);
  if (error) place = fs::absolute(root, error).lexically_normal();
  const auto digest = crypto::to_hex(crypto::view(crypto::sha256(place.string())));
  return fmt::format("{}/{}", kept, digest.substr(0, name_digits));
}

Result<> keep_trees(const std::string& kept, const std::set<std::string>& used) {
  std::error_code error;
  for (const auto& one : used) fs::last_write_time(one, fs::file_time_type::clock::now(), error);
  error.clear();
  std::vector<std::pair<fs::file_time_type, fs::path>> others;
  fs::directory_iterator all(kept, error);
  for (; !error && all != fs::directory_iterator(); all.increment(error)) {
    std::error_code gone;
    const bool is_tree = all->is_directory(gone) && !all->is_symlink(gone);
    if (!is_tree || used.contains(all->path().string())) continue;
    others.emplace_back(all->last_write_time(gone), all->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) return fault(error, kept);
  std::ranges::sort(others);
  for (std::size_t i = 0; i < others.size() && i + kept_trees < others.size() + used.size(); ++i) {
    fs::remove_all(others[i].second, error);
    if (error) return fault(error, others[i].second.string());
  }
  return {};
}

}  // namespace tenken::pipeline
