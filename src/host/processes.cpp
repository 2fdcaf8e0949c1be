#include "host/processes.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <limits>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "host/proc_lines.h"

namespace tenken::host {
namespace {

constexpr std::size_t max_processes = 32'768;
constexpr std::size_t max_open_files = 4096;
constexpr std::size_t max_outdated = 65'536;
constexpr std::size_t max_text_bytes = std::size_t{64} << 10;
constexpr std::uint64_t flag_kernel_thread = 0x00200000;  // PF_KTHREAD
constexpr std::string_view deleted_mark = " (deleted)";

}  // namespace

// pid (name) state ppid … flags is the 9th field, starttime the 22nd; a name may hold anything.
std::optional<ProcessStat> parse_stat(std::string_view text) {
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  const auto fields = split(trim(text.substr(name_end + 1)), ' ');
  if (fields.size() < 20) return std::nullopt;
  const auto flags = parse_uint(fields[6]);
  const auto started = parse_uint(fields[19]);
  if (!flags || !started) return std::nullopt;
  return ProcessStat{.kernel_thread = (*flags & flag_kernel_thread) != 0,
                     .started_ticks = *started};
}

std::optional<std::uint32_t> parse_status_uid(std::string_view text) {
  std::optional<std::uint32_t> uid;
  for_each_line(text, [&](std::string_view line) {
    if (uid || !line.starts_with("Uid:\t")) return;
    const auto ids = split(line.substr(5), '\t');  // real, effective, saved, of file systems
    const auto number = parse_uint(ids.size() < 2 ? "" : ids[1]);
    if (number && *number <= std::numeric_limits<std::uint32_t>::max())
      uid = static_cast<std::uint32_t>(*number);
  });
  return uid;
}

// start-end rwxp offset device inode   path
std::optional<std::string_view> parse_deleted_map(std::string_view line) {
  if (!line.ends_with(deleted_mark)) return std::nullopt;
  const auto after = line.find(' ');
  const auto permissions = line.substr(after + 1, 4);
  if (permissions.size() != 4 || permissions[2] != 'x') return std::nullopt;
  const auto slash = line.find(" /");
  if (slash == std::string_view::npos) return std::nullopt;
  line.remove_prefix(slash + 1);
  line.remove_suffix(std::min(line.size(), deleted_mark.size()));
  return line;
}

std::optional<std::uint64_t> parse_socket_link(std::string_view target) {
  constexpr std::string_view begin = "socket:[";
  if (!target.starts_with(begin) || !target.ends_with(']')) return std::nullopt;
  return parse_uint(target.substr(begin.size(), target.size() - begin.size() - 1));
}

LinkedProgram parse_program_link(std::string_view target) {
  const bool deleted = target.ends_with(deleted_mark);
  if (deleted) target.remove_suffix(deleted_mark.size());
  return {.path = target, .deleted = deleted};
}

namespace {

Result<std::string> read_link(int directory, const char* name) {
  std::array<char, PATH_MAX + 16> target;
  const auto length = ::readlinkat(directory, name, target.data(), target.size());
  if (length < 0) return from_errno(errno, name);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Result<std::string> read_text(int directory, const char* name) {
  const Fd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return from_errno(errno, name);
  return read_stream(fd.get(), name, max_text_bytes);
}

// Calls f(name) for each entry until it returns false.
template <typename F>
Result<> for_each_entry(int parent, const char* name, F&& f) {
  Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return from_errno(errno, name);
  const std::unique_ptr<DIR, decltype([](DIR* open) { ::closedir(open); })> directory(
      ::fdopendir(fd.get()));
  if (directory == nullptr) return from_errno(errno, name);
  const int at = fd.release();  // closedir closes it
  while (const dirent* entry = ::readdir(directory.get())) {
    if (!f(at, entry->d_name)) break;
  }
  return {};
}

// What tells whether a process's paths are those of another.
struct View {
  std::string mounts;
  std::string users;
  dev_t device = 0;
  ino_t inode = 0;
};

std::uint64_t seconds_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec);
}

class Walk {
 public:
  Walk(const std::vector<std::uint64_t>& inodes, const ProcessesToLookAt& wanted)
      : inodes_(inodes),
        wanted_(wanted),
        now_s_(seconds_since_boot()),
        ticks_(static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)))),
        owners_(inodes.size()) {}

  Processes run() {
    proc_ = Fd(::open(wanted_.proc.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!proc_.valid()) {
      unseen(from_errno(errno, "proc").what);
      return std::move(out_);
    }
    view_ = view_of("self");
    for (const auto pid : list()) look_at(pid);
    return finish();
  }

 private:
  struct Owner {
    std::string executable;
    std::uint32_t pid = 0;  // 0: none yet
    std::uint64_t started_ticks = 0;
  };
  struct Process {
    std::uint32_t pid = 0;
    Fd directory;
    std::uint64_t started_ticks = 0;
    std::string executable;
  };

  std::vector<std::uint32_t> list() {
    std::vector<std::uint32_t> pids;
    const auto listed = for_each_entry(proc_.get(), ".", [&](int, std::string_view name) {
      const auto pid = parse_uint(name);
      if (!pid || *pid == 0 || *pid > INT_MAX) return true;
      if (pids.size() == max_processes) {
        unseen(fmt::format("more than {} processes", max_processes));
        return false;
      }
      pids.push_back(static_cast<std::uint32_t>(*pid));
      return true;
    });
    if (!listed) unseen(listed.error().what);
    std::ranges::sort(pids);
    return pids;
  }

  void look_at(std::uint32_t pid) {
    Process process{.pid = pid};
    process.directory =
        Fd(::openat(proc_.get(), fmt::format("{}", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!process.directory.valid()) return;  // it has ended meanwhile
    const int at = process.directory.get();
    const auto text = read_text(at, "stat");
    if (!text) return note_unread(text.error());
    const auto stat = parse_stat(*text);
    if (!stat) {
      ++unread_;
      return;
    }
    if (stat->kernel_thread) return;
    process.started_ticks = stat->started_ticks;
    const bool grown = now_s_ >= stat->started_ticks / ticks_ + wanted_.least_age_s;
    const auto program = read_link(at, "exe");
    const auto ours = program ? of_this_root(at) : Result<bool>(program.error());
    if (!ours) {
      if (grown) note_unread(ours.error());
      return;
    }
    if (!*ours) return;
    const auto linked = parse_program_link(*program);
    process.executable = linked.path;
    note_sockets(process);
    if (!grown) return;
    note_program(process);
    if (linked.deleted) note_outdated(process, linked.path);
    note_maps(process);
  }

  // What is of one that has ended is not found.
  void note_unread(const Error& error) {
    if (error.code == Errc::not_found) return;
    ++(error.code == Errc::denied ? unreadable_ : unread_);
  }

  // Mounts that are made for a service have the same root below them. Whoever has a user namespace
  // of his own can mount whatever he likes over its paths.
  Result<bool> of_this_root(int at) const {
    TRY(const auto mounts, read_namespace(at, "ns/mnt"));
    if (mounts == view_.mounts) return true;
    TRY(const auto users, read_namespace(at, "ns/user"));
    if (users != view_.users) return false;
    struct stat root{};
    if (::fstatat(at, "root", &root, 0) != 0) return from_errno(errno, "root");
    return root.st_dev == view_.device && root.st_ino == view_.inode;
  }

  // A kernel without such namespaces has no link: all processes are then in one.
  static Result<std::string> read_namespace(int at, const char* name) {
    auto link = read_link(at, name);
    if (!link && link.error().code == Errc::not_found) return std::string();
    return link;
  }

  View view_of(const char* process) const {
    View view;
    const Fd at(::openat(proc_.get(), process, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!at.valid()) return view;
    view.mounts = read_namespace(at.get(), "ns/mnt").value_or("");
    view.users = read_namespace(at.get(), "ns/user").value_or("");
    struct stat root{};
    if (::fstatat(at.get(), "root", &root, 0) == 0) {
      view.device = root.st_dev;
      view.inode = root.st_ino;
    }
    return view;
  }

  void note_sockets(const Process& process) {
    if (inodes_.empty()) return;
    std::size_t seen = 0;
    const auto listed =
        for_each_entry(process.directory.get(), "fd", [&](int files, const char* name) {
          if (++seen > max_open_files) {
            ++many_files_;
            return false;
          }
          std::array<char, 64> target;  // no link to a socket is longer
          const auto length = ::readlinkat(files, name, target.data(), target.size());
          if (length <= 0) return true;
          const auto inode = parse_socket_link({target.data(), static_cast<std::size_t>(length)});
          if (inode) note_owner(process, *inode);
          return true;
        });
    if (!listed && listed.error().code == Errc::denied) ++unreadable_;
  }

  // Of several the one that was there first, which the others have it from; but what process 1
  // has opened it has opened for the others.
  void note_owner(const Process& process, std::uint64_t inode) {
    const auto at = std::ranges::lower_bound(inodes_, inode);
    if (at == inodes_.end() || *at != inode) return;
    auto& owner = owners_[static_cast<std::size_t>(at - inodes_.begin())];
    const bool better =
        owner.pid <= 1 || (process.pid != 1 && process.started_ticks < owner.started_ticks);
    if (!better) return;
    owner = {process.executable, process.pid, process.started_ticks};
  }

  void note_program(const Process& process) {
    const auto text = read_text(process.directory.get(), "status");
    if (!text) return;
    if (const auto uid = parse_status_uid(*text)) {
      out_.programs.push_back({process.executable, *uid});
    } else {
      ++malformed_;
    }
  }

  void note_maps(const Process& process) {
    const Fd fd(::openat(process.directory.get(), "maps", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return note_unread(from_errno(errno, "maps"));
    const auto room =
        wanted_.most_maps_bytes_in_all - std::min(maps_bytes_, wanted_.most_maps_bytes_in_all);
    const auto end = for_each_proc_line(fd.get(), "maps", std::min(wanted_.most_maps_bytes, room),
                                        [&](std::string_view line) {
                                          maps_bytes_ += line.size() + 1;
                                          if (const auto path = parse_deleted_map(line))
                                            note_outdated(process, *path);
                                          return true;
                                        });
    if (!end) return note_unread(end.error());
    if (*end == LinesEnd::limit) ++large_maps_;
  }

  void note_outdated(const Process& process, std::string_view path) {
    const bool counts = std::ranges::any_of(wanted_.directories, [&](std::string_view directory) {
      return path.starts_with(directory);
    });
    if (!counts) return;
    OutdatedProgram outdated{
        .executable = process.executable, .file = std::string(path), .pid = process.pid};
    // A file is mapped in several parts, one after the other.
    if (!out_.outdated.empty() && out_.outdated.back() == outdated) return;
    if (out_.outdated.size() == max_outdated) {
      more_outdated_ = true;
    } else {
      out_.outdated.push_back(std::move(outdated));
    }
  }

  Processes finish() {
    for (std::size_t i = 0; i < inodes_.size(); ++i) {
      if (owners_[i].pid != 0)
        out_.owners.push_back({inodes_[i], std::move(owners_[i].executable)});
    }
    sort_unique(out_.programs);
    sort_unique(out_.outdated);
    if (unreadable_ > 0)
      unseen(fmt::format("processes that may not be read: {}; needs CAP_SYS_PTRACE", unreadable_));
    if (unread_ > 0) unseen(fmt::format("processes that cannot be read: {}", unread_));
    if (large_maps_ > 0)
      unseen(fmt::format("{} processes map more than is looked at", large_maps_));
    if (more_outdated_) unseen(fmt::format("more than {} outdated files", max_outdated));
    if (malformed_ > 0) skip(fmt::format("{} processes of an unknown form", malformed_));
    if (many_files_ > 0)
      skip(fmt::format("{} processes have more than {} open files, of which no more are looked at",
                       many_files_, max_open_files));
    return std::move(out_);
  }

  void unseen(std::string reason) {
    out_.skips.push_back({"proc", std::string(unseen_processes), std::move(reason)});
  }
  void skip(std::string reason) { out_.skips.push_back({"proc", "", std::move(reason)}); }

  const std::vector<std::uint64_t>& inodes_;
  const ProcessesToLookAt& wanted_;
  std::uint64_t now_s_;
  std::uint64_t ticks_;
  std::vector<Owner> owners_;  // of inodes_
  Fd proc_;
  View view_;  // this process's own
  Processes out_;
  std::size_t unreadable_ = 0;  // for lack of rights
  std::size_t unread_ = 0;
  std::size_t malformed_ = 0;
  std::size_t many_files_ = 0;
  std::size_t maps_bytes_ = 0;
  std::size_t large_maps_ = 0;
  bool more_outdated_ = false;
};

}  // namespace

Processes look_at_processes(const std::vector<std::uint64_t>& inodes,
                            const ProcessesToLookAt& wanted) {
  return Walk(inodes, wanted).run();
}

}  // namespace tenken::host
