#include "pipeline/remote_copy.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"

namespace tenken::pipeline {
namespace {

constexpr std::string_view first_line = "tenken-copy 1\n";
constexpr std::size_t greeting_limit = std::size_t{64} << 10;
constexpr std::size_t line_limit = 4096;
constexpr std::size_t shown_of_another = 200;
constexpr std::size_t max_files = 100'000;

// Names are of letters that need no quotes; a name of a directory that is not stays unread, which
// is said. "-ef" is known to the shells of every distribution; one that has it not sends a file
// twice.
constexpr std::string_view script_begin = R"script(set -u
LC_ALL=C PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
seen=
finish() {
  [ "$before" = "$(state)" ] || echo changed
  echo end
}
denied() { printf 'denied %s\n' "$1"; }
send() {
  path=$1
  size=$(wc -c <"$root/$path") || { denied "$path"; return 0; }
  printf 'file %s %s\n' "$((size))" "$path"
  cat "$root/$path"
  printf '\nbytes %s\n' "$(($(wc -c <"$root/$path")))"
}
one() {
  if [ -d "$root/${1%/*}" ] && [ ! -x "$root/${1%/*}" ]; then denied "$1"; return 0; fi
  [ -f "$root/$1" ] || return 0
  for other in $seen; do
    if [ "$root/$1" -ef "$root/$other" ] 2>/dev/null; then
      printf 'same %s %s\n' "$1" "$other"
      return 0
    fi
  done
  if [ ! -r "$root/$1" ]; then denied "$1"; return 0; fi
  seen="$seen $1"
  send "$1"
}
all() {
  [ -d "$root/$1" ] || return 0
  if [ ! -r "$root/$1" ] || [ ! -x "$root/$1" ]; then denied "$1"; return 0; fi
  for each in "$root/$1"/*; do
    [ -f "$each" ] || continue
    case ${each##*/} in *[!A-Za-z0-9._+:~-]*) denied "$1"; continue ;; esac
    if [ -r "$each" ]; then send "$1/${each##*/}"; else denied "$1/${each##*/}"; fi
  done
}
full=--full-time
ls -d $full / >/dev/null 2>&1 || full=
before=$(state)
printf 'tenken-copy 1\n'
printf 'name %s\n' "$(uname -n)"
printf 'kernel %s\n' "$(uname -r)"
)script";

// By which a change is seen that leaves the size of each file as it was: rpm writes its databases
// in place, and SQLite's two files belong together.
constexpr std::string_view state_begin = R"script(state() {
  ls -Llni $full)script";
constexpr std::string_view state_end = R"script( 2>/dev/null
}
)script";

constexpr std::string_view after_bytes = "\nbytes ";
constexpr std::string_view script_end = "finish";

bool is_wanted(std::string_view path, std::span<const std::string_view> files) {
  return std::ranges::any_of(files, [&](std::string_view file) {
    if (!file.ends_with("/*")) return path == file;
    file.remove_suffix(1);
    if (!path.starts_with(file)) return false;
    const auto name = path.substr(file.size());
    return !name.empty() && !name.contains('/') && name != "." && name != "..";
  });
}

class Reader {
 public:
  Reader(std::string_view output, std::span<const std::string_view> files)
      : rest_(output), files_(files) {}

  Result<RemoteCopy> read() && {
    TRY_VOID(skip_greeting());
    while (true) {
      TRY(const auto line, next_line());
      if (line == "end") return std::move(copy_);
      const auto [word, rest] = split_once(line, ' ');
      TRY_VOID(take(word, rest.value_or("")));
    }
  }

 private:
  Result<> skip_greeting() {
    const auto at = rest_.substr(0, greeting_limit).find(first_line);
    if (at == std::string_view::npos)
      return invalid(fmt::format("its answer is no copy of its files: {}",
                                 printable(trim(rest_.substr(0, shown_of_another)))));
    rest_.remove_prefix(at + first_line.size());
    return {};
  }

  Result<std::string_view> next_line() {
    const auto end = rest_.substr(0, line_limit).find('\n');
    if (end == std::string_view::npos)
      return rest_.size() < line_limit ? ended_early() : invalid("its answer has a line too long");
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  static Error ended_early() {
    return unavailable("its answer ends too early: nothing of it counts");
  }

  Result<> take(std::string_view word, std::string_view rest) {
    if (word == "name") {
      copy_.name = rest;
      return {};
    }
    if (word == "kernel") {
      copy_.kernel = rest;
      return {};
    }
    if (word == "denied") {
      if (copy_.denied.size() == max_files) return limit_exceeded("its answer has too many files");
      copy_.denied.push_back(rest);
      return {};
    }
    if (word == "changed") return unavailable("its files changed while they were read");
    if (word == "file") return take_file(rest);
    if (word == "same") return take_same(rest);
    return invalid(fmt::format("its answer has a line that is not known: {}",
                               printable(word.substr(0, shown_of_another))));
  }

  Result<> check(std::string_view path) const {
    if (is_wanted(path, files_)) return {};
    return invalid(fmt::format("its answer has a file that was not asked for: {}",
                               printable(path.substr(0, shown_of_another))));
  }

  Result<> take_file(std::string_view rest) {
    const auto [size_text, path] = split_once(rest, ' ');
    const auto size = parse_uint(size_text);
    if (!size || !path) return invalid("its answer has a file without a size");
    TRY_VOID(check(*path));
    if (has(*path) || copy_.files.size() == max_files)
      return limit_exceeded("its answer has too many files");
    if (*size > rest_.size()) return ended_early();
    copy_.files.push_back({*path, rest_.substr(0, *size)});
    paths_.insert(*path);
    rest_.remove_prefix(*size);
    const auto line_end = std::string(after_bytes).append(size_text).append("\n");
    if (rest_.starts_with(line_end)) {
      rest_.remove_prefix(line_end.size());
      return {};
    }
    if (std::string_view(line_end).starts_with(rest_)) return ended_early();
    return unavailable(fmt::format("{}: it changed while it was read", *path));
  }

  Result<> take_same(std::string_view rest) {
    const auto [path, other] = split_once(rest, ' ');
    TRY_VOID(check(path));
    if (!other || !has(*other) || has(path) || copy_.same.size() == max_files)
      return invalid("its answer names a file that it has not");
    copy_.same.emplace_back(path, *other);
    paths_.insert(path);
    return {};
  }

  bool has(std::string_view path) const { return paths_.contains(path); }

  std::string_view rest_;
  std::span<const std::string_view> files_;
  RemoteCopy copy_;
  std::set<std::string_view> paths_;
};

std::string state_function(std::span<const std::string_view> files) {
  std::string out(state_begin);
  for (auto file : files) {
    const bool directory = file.ends_with("/*");
    if (directory) file.remove_suffix(2);
    out += fmt::format(" \\\n    \"$root/{}\"{}", file, directory ? "/*" : "");
  }
  return out.append(state_end);
}

}  // namespace

std::string copy_script(std::span<const std::string_view> files, std::string_view root) {
  auto out = fmt::format("root={}\n{}{}", root, state_function(files), script_begin);
  for (auto file : files) {
    const bool directory = file.ends_with("/*");
    if (directory) file.remove_suffix(2);
    out += fmt::format("{} {}\n", directory ? "all" : "one", file);
  }
  return out.append(script_end).append("\n");
}

Result<RemoteCopy> parse_copy(std::string_view output, std::span<const std::string_view> files) {
  return Reader(output, files).read();
}

Result<inventory::HostCopy> write_copy(const RemoteCopy& copy, const std::string& directory) {
  const auto make_parent = [&](std::string_view path) -> Result<std::string> {
    const auto file = fmt::format("{}/{}", directory, path);
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
    if (error) return from_errno(error.value(), file);
    return file;
  };
  for (const auto& [path, bytes] : copy.files) {
    TRY(const auto file, make_parent(path));
    const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return from_errno(errno, file);
    TRY_VOID(write_fd(fd.get(), bytes, file));
  }
  for (const auto& [path, other] : copy.same) {
    TRY(const auto file, make_parent(path));
    std::error_code error;
    std::filesystem::create_hard_link(fmt::format("{}/{}", directory, other), file, error);
    if (error) return from_errno(error.value(), file);
  }
  inventory::HostCopy out{.directory = directory, .name = copy.name, .kernel = copy.kernel};
  for (const auto path : copy.denied)
    out.skips.push_back({.file = std::string(path),
                         .record = "",
                         .reason = "the user of the connection may not read it"});
  return out;
}

}  // namespace tenken::pipeline
