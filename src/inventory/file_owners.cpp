#include "inventory/file_owners.h"

#include <algorithm>
#include <utility>

#include "inventory/os_package_database.h"

namespace tenken::inventory {
namespace {

// "/usr/lib/a" as "/lib/a".
std::string_view without_usr(std::string_view path) {
  constexpr std::string_view usr = "/usr";
  if (!path.starts_with(usr)) return path;
  const auto rest = path.substr(usr.size());
  for (const std::string_view merged : {"/bin/", "/sbin/", "/lib"})
    if (rest.starts_with(merged)) return rest;
  return path;
}

// "/lib/libz.so.1.2.11" is "/lib/libz.so.1"; empty: it has no such name.
std::string_view soname_of(std::string_view path) {
  constexpr std::string_view mark = ".so.";
  const auto at = path.rfind(mark);
  if (at == std::string_view::npos || path.find('/', at) != std::string_view::npos) return {};
  const auto end = path.find('.', at + mark.size());
  return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
}

}  // namespace

FileOwners::FileOwners(std::span<const std::string> files) : owners_(files.size()) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto path = without_usr(files[i]);
    sought_.push_back({std::string(path), i, true});
    if (const auto soname = soname_of(path); !soname.empty())
      sought_.push_back({std::string(soname), i, false});
  }
  std::ranges::sort(sought_, {}, &Sought::path);
}

void FileOwners::add(std::string_view path, std::string_view package) {
  path = without_usr(path);
  for (auto one = std::ranges::lower_bound(sought_, path, {}, &Sought::path);
       one != sought_.end() && one->path == path; ++one) {
    auto& owner = owners_[one->file];
    if (owner.package.empty() || (one->exact && !owner.exact))
      owner = {std::string(package), one->exact};
  }
}

std::vector<std::string> FileOwners::take() {
  std::vector<std::string> out;
  out.reserve(owners_.size());
  for (auto& owner : owners_) out.push_back(std::move(owner.package));
  return out;
}

std::vector<std::string> owners_of(const Root& root, std::span<const std::string> files) {
  FileOwners query(files);
  for (const auto* database : os_package_databases()) database->list_files(root, query);
  return query.take();
}

}  // namespace tenken::inventory
