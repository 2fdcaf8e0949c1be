#include "fetch/mirror.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "fetch/retry.h"
#include "fetch/url.h"

namespace tenken::fetch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_state = 64 * 1024;
constexpr std::string_view private_directory = ".fetch";

Result<> make_parent(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return from_errno(error.value(), path);
  return {};
}

void remove_file(const std::string& path) {
  std::error_code ignored;  // absent is as good as removed
  fs::remove(path, ignored);
}

std::optional<std::uint64_t> file_size(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return static_cast<std::uint64_t>(status.st_size);
}

std::optional<State> load_state(const std::string& path, std::string_view url) {
  const auto bytes = read_file(path, longest_state);
  if (!bytes) return {};
  auto state = read_state(*bytes);
  if (!state || state->url != url) return {};
  return *std::move(state);
}

Result<bool> same_bytes(const std::string& left, const std::string& right) {
  const auto size = file_size(left);
  if (!size || size != file_size(right)) return false;
  TRY(const auto a, MappedFile::open(left));
  TRY(const auto b, MappedFile::open(right));
  return a.bytes() == b.bytes();
}

// The names with the suffix in the directory of the document, without the directory.
std::vector<std::string> sibling_names(const std::string& document, std::string_view suffix) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(fs::path(document).parent_path(), error), end; !error && it != end;
       it.increment(error)) {
    auto name = it->path().filename().string();
    if (name.ends_with(suffix)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::string write_state(const State& state) {
  json::Writer json(1);
  json.begin_object()
      .member("url", state.url)
      .member_if("etag", state.etag)
      .member_if("last_modified", state.last_modified)
      .member("fetched_at", format_time(state.fetched_at))
      .member("checked_at", format_time(state.checked_at))
      .key("size")
      .integer(static_cast<std::int64_t>(state.size))
      .end_object();
  return json.take() + "\n";
}

Result<State> read_state(std::string_view bytes) {
  json::Parser parser({.bytes = longest_state, .depth = 4});
  TRY(const auto root, parser.parse(bytes));
  const auto fetched_at = parse_time(root["fetched_at"].string());
  const auto checked_at = parse_time(root["checked_at"].string());
  const auto size = root["size"].integer();
  if (root["url"].string().empty() || !fetched_at || !checked_at || !size || *size < 0)
    return invalid("state of a download: url, fetched_at, checked_at or size is missing");
  return State{.url = std::string(root["url"].string()),
               .etag = std::string(root["etag"].string()),
               .last_modified = std::string(root["last_modified"].string()),
               .fetched_at = *fetched_at,
               .checked_at = *checked_at,
               .size = static_cast<std::uint64_t>(*size)};
}

Result<Fd> Mirror::lock(std::string_view feed) const {
  const auto path = fmt::format("{}/{}/{}.lock", root_, private_directory, feed);
  TRY_VOID(make_parent(path));
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return from_errno(errno, path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return from_errno(errno, path);
    return Error{Errc::conflict, fmt::format("{}: another process is downloading this feed", path)};
  }
  return fd;
}

Result<Entry> Mirror::entry(std::string_view url) const {
  TRY(const auto parts, parse_url(url));
  TRY(const auto path, mirror_path(parts));
  const auto hidden = fmt::format("{}/{}/{}", root_, private_directory, path);
  // The last two names tell one document of a feed from another.
  const auto last = path.rfind('/');
  const auto before = last == 0 ? path.npos : path.rfind('/', last - 1);
  return Entry{.url = std::string(url),
               .label = path.substr(before == path.npos ? 0 : before + 1),
               .document = fmt::format("{}/{}", root_, path),
               .state = hidden + ".state",
               .part = hidden + ".part",
               .part_state = hidden + ".part.state"};
}

std::optional<State> Mirror::state_of(const Entry& entry) const {
  auto state = load_state(entry.state, entry.url);
  if (state && file_size(entry.document) != state->size) state.reset();
  return state;
}

Result<> Mirror::touch(const Entry& entry, State state, Seconds checked_at) const {
  state.checked_at = checked_at;
  return write_file_atomic(entry.state, write_state(state));
}

std::optional<State> Mirror::part_of(const Entry& entry) const {
  const auto size = file_size(entry.part);
  auto state = load_state(entry.part_state, entry.url);
  if (!size || *size == 0 || !state) return {};
  state->size = *size;
  return state;
}

void Mirror::discard_part(const Entry& entry) const {
  remove_file(entry.part);
  remove_file(entry.part_state);
}

Result<bool> Mirror::accept(const Entry& entry, State state) const {
  TRY_VOID(make_parent(entry.document));
  TRY(const bool same, same_bytes(entry.part, entry.document));
  // The old state goes first: a state never describes bytes that it was not written for.
  const auto old = state_of(entry);
  if (same && old) state.fetched_at = old->fetched_at;
  remove_file(entry.state);
  if (!same && ::rename(entry.part.c_str(), entry.document.c_str()) != 0)
    return from_errno(errno, entry.document);
  TRY_VOID(write_file_atomic(entry.state, write_state(state)));
  discard_part(entry);
  return !same;
}

Result<> Mirror::remove_siblings(const Entry& entry, std::string_view suffix) const {
  const auto directory = fs::path(entry.document).parent_path().string();
  const auto hidden = fs::path(entry.state).parent_path().string();
  for (const auto& name : sibling_names(entry.document, suffix)) {
    remove_file(fmt::format("{}/{}.state", hidden, name));
    std::error_code error;
    fs::remove(fmt::format("{}/{}", directory, name), error);
    if (error) return from_errno(error.value(), name);
  }
  return {};
}

std::size_t Mirror::count_siblings(const Entry& entry, std::string_view suffix) const {
  return sibling_names(entry.document, suffix).size();
}

Result<> PartFile::begin(const Response& head) {
  const bool continues = head.status == 206;
  TRY_VOID(make_parent(entry_.part));
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_APPEND;
  fd_ = Fd(::open(entry_.part.c_str(), continues ? flags : flags | O_TRUNC, 0644));
  if (!fd_.valid()) return from_errno(errno, entry_.part);
  state_ = {.url = entry_.url,
            .etag = head.etag,
            .last_modified = head.last_modified,
            .fetched_at = now_,
            .checked_at = now_};
  // A 206 may leave out what the first answer said.
  if (const auto first = continues ? mirror_.part_of(entry_) : std::nullopt) {
    if (state_.etag.empty()) state_.etag = first->etag;
    if (state_.last_modified.empty()) state_.last_modified = first->last_modified;
  }
  const auto at_hand = continues ? file_size(entry_.part).value_or(0) : 0;
  if (progress_ != nullptr) progress_->begin(entry_.label, head.length.value_or(0), {}, at_hand);
  if (head.coded) {  // cannot be continued, and without a state will not be
    remove_file(entry_.part_state);
    return {};
  }
  return write_file_atomic(entry_.part_state, write_state(state_));
}

Result<> PartFile::write(std::string_view bytes) {
  received_ += bytes.size();
  if (progress_ != nullptr) progress_->advance(bytes.size());
  return write_fd(fd_.get(), bytes, entry_.part);
}

Result<State> PartFile::finish() {
  if (::fsync(fd_.get()) != 0) return from_errno(errno, entry_.part);
  const auto size = file_size(entry_.part);
  if (!size) return unavailable(fmt::format("{}: gone while it was written", entry_.part));
  state_.size = *size;
  return state_;
}

}  // namespace tenken::fetch
