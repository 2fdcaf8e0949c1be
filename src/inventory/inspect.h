// The two ways to take an inventory of an operating system: of a directory as if it were "/", and
// of the host this runs on. Nothing of the target is written or executed.
//
// A root without any package database gives an inventory without packages and a skip that says
// what was looked for: the caller decides what that means. Errors: the directory itself cannot be
// opened.
//
// Thread rule: safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "inventory/root.h"
#include "model/inventory.h"

namespace tenken::inventory {

Result<Inventory> inspect_root(const std::string& directory);

// Adds what only a running host knows: its name, its running kernel, its Ubuntu Pro attachment.
Result<Inventory> inspect_host();

// Every file that an inventory is taken from, relative to the root; "/*" at the end: all files of a
// directory.
std::vector<std::string_view> inspected_files();

// Whether a package manager is at work on the root: it holds the lock of its database. A lock that
// cannot be asked counts as free.
bool is_being_changed(const Root& root);

// Whether packages may be missing because of it, other than the one that it names. Of what else is
// read of a host none is, as long as its distribution is known, of whatever release.
bool hides_packages(const Skip& skip, const Inventory& inventory);

// A cut database says so, unless the cut is between two packages: then many are gone at once, which
// counts when a second look sees it too.
bool is_great_loss(std::size_t packages_before, std::size_t packages_now);

// A running host of which those files were copied into a directory.
struct HostCopy {
  std::string directory;
  std::string name;
  std::string kernel;
  std::vector<Skip> skips;  // what could not be copied
};
Result<Inventory> inspect_copy(const HostCopy& copy);

// Whether the status.json that Ubuntu's pro client writes says that the host is attached.
Result<bool> parse_ubuntu_pro_status(std::string_view json);

}  // namespace tenken::inventory
