// Which operating system a root holds: os-release(5); where there is none, the older files that one
// distribution or another keeps (etc/alpine-release, etc/debian_version, etc/redhat-release). A
// derivative ships those of its parent beside its own os-release: where that is there and does not
// say which distribution it is, nothing does.
//
// Source: os-release(5), freedesktop.org.
//
// Thread rule: values and pure functions; read_os_release only reads its root.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "inventory/root.h"
#include "model/inventory.h"
#include "model/skip.h"

namespace tenken::inventory {

struct OsRelease {
  OperatingSystem os;  // every field empty where nothing is known
  std::vector<Skip> skips;
};

// Lines that are no assignment are skips, the first 100 of them.
OsRelease parse_os_release(std::string_view text, std::string_view location);

// "AlmaLinux release 9.4 (Seafoam Ocelot)". An unknown name leaves id empty.
OperatingSystem parse_redhat_release(std::string_view text);

// "12.5". "trixie/sid", as testing, unstable and derivatives have it, leaves id empty.
OperatingSystem parse_debian_version(std::string_view text);

// All files that are looked for.
std::vector<std::string_view> os_release_files();

// Files that cannot be read, and a root without any of them, are skips. unread: what this copy of a
// host lacks.
OsRelease read_os_release(const Root& root, std::span<const Skip> unread = {});

}  // namespace tenken::inventory
