#include "host/outdated_packages.h"

#include <utility>

#include "host/found.h"
#include "inventory/file_owners.h"

namespace tenken::host {

void OutdatedPackages::name(const inventory::Root& root, std::vector<OutdatedProgram>& outdated) {
  std::map<std::string, std::string> present;
  std::vector<std::string> files;
  for (const auto& one : outdated) {
    if (const auto known = packages_.find(one.file); known != packages_.end())
      present.insert(*known);
    else
      files.push_back(one.file);
  }
  sort_unique(files);
  if (!files.empty()) {
    auto owners = inventory::owners_of(root, files);
    for (std::size_t i = 0; i < files.size(); ++i)
      present.emplace(std::move(files[i]), std::move(owners[i]));
  }
  packages_ = std::move(present);
  for (auto& one : outdated) one.package = packages_.at(one.file);
}

}  // namespace tenken::host
