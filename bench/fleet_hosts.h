// The hosts of the benchmarks: built from 200 images of 500 packages, 5 % of which are a host's
// own. The same number gives the same host.
#pragma once

#include <map>
#include <random>

#include <fmt/format.h>

#include "model/inventory.h"

namespace tenken {

inline constexpr int images = 200;
inline constexpr int packages_per_host = 500;
inline constexpr int own_packages = packages_per_host / 20;
inline constexpr int names = 2'000;
inline constexpr int versions = 50;

inline Package package(int name, int version) {
  return {.ecosystem = "Debian",
          .release = "12",
          .kind = "deb",
          .name = fmt::format("package-{}", name),
          .version = fmt::format("1.{}-1", version),
          .arch = "amd64"};
}

inline Inventory fleet_host(int number) {
  std::mt19937 image(static_cast<unsigned>(number % images));
  std::mt19937 own(static_cast<unsigned>(1'000'000 + number));
  std::map<int, int> installed;
  while (installed.size() < packages_per_host - own_packages)
    installed.emplace(static_cast<int>(image() % names), static_cast<int>(image() % versions));
  while (installed.size() < packages_per_host)
    installed[static_cast<int>(own() % names)] = static_cast<int>(own() % versions);
  Inventory out;
  out.databases_read = 1;
  out.os = {.id = "debian", .version_id = "12", .ecosystem = "Debian", .release = "12"};
  for (const auto& [name, version] : installed) out.packages.push_back(package(name, version));
  return out;
}

}  // namespace tenken
