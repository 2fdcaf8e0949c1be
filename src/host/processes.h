// What runs: one walk over /proc, each process looked at once.
//
// Only processes whose paths are those of this root count: of its mount namespace, or of one made
// from it without a user namespace of its own (a service with a private /tmp). What a container
// runs lies in another root, whose paths mean other files.
//
// Source: proc_pid_stat(5), proc_pid_status(5), proc_pid_maps(5), namespaces(7).
// Bounds: 32,768 processes; of each 64 MiB of maps and 4,096 open files; 65,536 outdated files.
// Errors: none; they are skips, of the record `unseen_processes` where an outdated file may be
// missing. Thread rule: any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/found.h"
#include "model/host_facts.h"

namespace tenken::host {

struct ProcessStat {
  bool kernel_thread = false;
  std::uint64_t started_ticks = 0;  // since boot, sysconf(_SC_CLK_TCK) a second
};
std::optional<ProcessStat> parse_stat(std::string_view text);
// The effective user.
std::optional<std::uint32_t> parse_status_uid(std::string_view text);
// The record of the skips that say that processes, or all that they map, could not be looked at.
inline constexpr std::string_view unseen_processes = "processes";

// Where programs and libraries lie: only files below count as outdated.
inline constexpr std::array<std::string_view, 6> program_directories{"/usr/", "/lib/",  "/lib64/",
                                                                     "/bin/", "/sbin/", "/opt/"};
// The path of an executable mapping whose file is no longer there, wherever it was.
std::optional<std::string_view> parse_deleted_map(std::string_view line);
// The inode of "socket:[123]".
std::optional<std::uint64_t> parse_socket_link(std::string_view target);
// "/usr/bin/a (deleted)" is {"/usr/bin/a", true}.
struct LinkedProgram {
  std::string_view path;
  bool deleted = false;
};
LinkedProgram parse_program_link(std::string_view target);

struct ProcessesToLookAt {
  std::string proc = "/proc";
  std::uint64_t least_age_s = 60;  // of programs; younger ones come and go
  std::span<const std::string_view> directories = program_directories;
  // Libraries stand at the end; a process maps 65,530 areas where the host's limit was not raised.
  std::size_t most_maps_bytes = std::size_t{64} << 20;
  std::size_t most_maps_bytes_in_all = std::size_t{512} << 20;
};

struct SocketOwner {
  std::uint64_t inode = 0;
  std::string executable;
};

struct Processes {
  std::vector<RunningProgram> programs;
  std::vector<OutdatedProgram> outdated;
  std::vector<SocketOwner> owners;  // sorted by inode, each once
  std::vector<Skip> skips;
};
// inodes: of the sockets whose owners are wanted, sorted.
Processes look_at_processes(const std::vector<std::uint64_t>& inodes,
                            const ProcessesToLookAt& wanted = {});

}  // namespace tenken::host
