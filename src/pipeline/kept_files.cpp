#include "pipeline/kept_files.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace tenken::pipeline {
namespace {

namespace fs = std::filesystem;

// A copy that is not whole yet; no feed has a place of this name.
constexpr std::string_view incoming = ".incoming";

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

}  // namespace tenken::pipeline
