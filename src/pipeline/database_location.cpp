#include "pipeline/database_location.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace tenken::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view current_name = "advisories.db";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Generations other than the current one, oldest first, beyond the number that is kept.
void remove_old(const std::string& directory, const std::string& current) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> old;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("advisories-") || !name.ends_with(".db") || entry.path() == current)
      continue;
    old.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::ranges::sort(old);
  for (std::size_t i = 0; i + kept_generations <= old.size(); ++i) fs::remove(old[i].second, error);
}

}  // namespace

std::string data_directory() {
  auto set = environment("TENKEN_DB");
  return set.empty() ? home_directory() : set;
}

std::string home_directory() {
  if (::geteuid() == 0) return "/var/lib/tenken";
  if (auto set = environment("XDG_DATA_HOME"); !set.empty()) return set + "/tenken";
  return environment("HOME") + "/.local/share/tenken";
}

std::string database_path(const std::string& given) {
  const auto path = given.empty() ? data_directory() : given;
  std::error_code error;
  const bool file = fs::is_regular_file(path, error);
  // $TENKEN_DB and --db may name either; what does not exist yet is a directory unless it ends so.
  if (file || (!fs::is_directory(path, error) && path.ends_with(".db"))) return path;
  return path + "/" + std::string(current_name);
}

Result<> make_directories(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return from_errno(error.value(), directory);
  return {};
}

Result<std::string> publish(const std::string& directory, const std::string& built,
                            const std::string& generation) {
  std::error_code error;
  const auto name = fmt::format("advisories-{}.db", generation);
  const auto path = directory + "/" + name;
  fs::rename(built, path, error);
  if (error) return from_errno(error.value(), path);
  const auto current = directory + "/" + std::string(current_name);
  const auto link = fmt::format("{}.{}", current, ::getpid());
  fs::remove(link, error);
  fs::create_symlink(name, link, error);
  if (!error) fs::rename(link, current, error);
  if (error) return from_errno(error.value(), current);
  remove_old(directory, path);
  return path;
}

}  // namespace tenken::pipeline
