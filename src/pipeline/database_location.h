// Where the advisory database lives, and how a new generation takes the place of the old one.
//
// A directory of generations holds "advisories-<generation>.db" files and the link
// "advisories.db" to the current one, renamed into place: readers see the old generation or the
// new one. The last generations are kept.
//
// Thread rule: functions over the file system; publishing from two processes at once is safe, the
// last one wins.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace tenken::pipeline {

inline constexpr std::size_t kept_generations = 3;

// /var/lib/tenken for root, else $XDG_DATA_HOME/tenken or ~/.local/share/tenken.
std::string home_directory();
// $TENKEN_DB, which may name a file, else home_directory().
std::string data_directory();

// The file to open: `given` where not empty (a file, or a directory of generations), else the
// current generation of data_directory().
std::string database_path(const std::string& given);

// Takes the finished file `built` (in the same directory) in as the current generation. Returns
// its path. Errors: those of the file system.
Result<std::string> publish(const std::string& directory, const std::string& built,
                            const std::string& generation);

Result<> make_directories(const std::string& directory);

}  // namespace tenken::pipeline
