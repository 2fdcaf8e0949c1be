#include "host/sshd.h"

#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::host {
namespace {

constexpr std::size_t max_depth = 16;
constexpr std::size_t max_files = 256;
constexpr std::size_t max_bytes = std::size_t{4} << 20;  // of all files
constexpr std::size_t max_settings = 4096;
constexpr std::size_t max_skips = 100;

// Their later lines add to the earlier ones.
constexpr auto lists = std::to_array<std::string_view>({
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostcertificate",
    "hostkey",
    "listenaddress",
    "port",
    "subsystem",
});

constexpr auto aliases = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"challengeresponseauthentication", "kbdinteractiveauthentication"},
    {"dsaauthentication", "pubkeyauthentication"},
    {"hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"},
    {"keepalive", "tcpkeepalive"},
    {"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
    {"skeyauthentication", "kbdinteractiveauthentication"},
});

std::string_view without_alias(std::string_view keyword) {
  for (const auto& [alias, name] : aliases) {
    if (keyword == alias) return name;
  }
  return keyword;
}

std::string_view skip_blanks(std::string_view text) {
  const auto begin = std::ranges::find_if_not(text, is_space);
  return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

// Takes one argument from the front of rest, which begins with its first byte.
Result<std::string> take_argument(std::string_view& rest) {
  std::string out;
  char quote = '\0';
  while (!rest.empty()) {
    const char c = rest.front();
    if (quote == '\0' && is_space(c)) break;
    rest.remove_prefix(1);
    const char next = rest.empty() ? '\0' : rest.front();
    const bool escapes = c == '\\' && (next == '"' || next == '\'' || next == '\\' ||
                                       (quote == '\0' && next == ' '));
    if (escapes) {
      out += next;
      rest.remove_prefix(1);
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else {
      out += c;
    }
  }
  if (quote != '\0') return invalid("a quote does not end");
  return out;
}

}  // namespace

Result<SshdLine> parse_sshd_line(std::string_view line) {
  if (line.contains('\0')) return invalid("holds a NUL");
  SshdLine out;
  auto rest = skip_blanks(line);
  if (rest.empty() || rest.front() == '#') return out;
  const auto end = std::ranges::find_if(rest, [](char c) { return is_space(c) || c == '='; });
  const auto length = static_cast<std::size_t>(end - rest.begin());
  out.keyword = ascii_lower(rest.substr(0, length));
  if (out.keyword.empty()) return invalid("no keyword");
  rest = skip_blanks(rest.substr(length));
  if (rest.starts_with('=')) rest = skip_blanks(rest.substr(1));
  while (!rest.empty() && rest.front() != '#') {
    TRY(auto argument, take_argument(rest));
    out.arguments.push_back(std::move(argument));
    rest = skip_blanks(rest);
  }
  return out;
}

namespace {

// Where the element of a pattern at `at` ends, and whether it is one that c belongs to.
struct Element {
  std::size_t end = 0;
  bool has = false;
};

Element element_at(std::string_view pattern, std::size_t at, char c) {
  if (pattern[at] == '?') return {at + 1, true};
  const auto close = pattern[at] == '[' && at + 2 < pattern.size() ? pattern.find(']', at + 2)
                                                                   : std::string_view::npos;
  if (close == std::string_view::npos) return {at + 1, pattern[at] == c};
  const bool negated = pattern[at + 1] == '!';
  const auto set = pattern.substr(at + 1, close - at - 1).substr(negated ? 1 : 0);
  bool has = false;
  for (std::size_t i = 0; i < set.size();) {
    const bool range = i + 2 < set.size() && set[i + 1] == '-';
    has = has || (c >= set[i] && c <= set[range ? i + 2 : i]);
    i += range ? 3 : 1;
  }
  return {close + 1, has != negated};
}

}  // namespace

bool matches_pattern(std::string_view name, std::string_view pattern) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  std::size_t at = 0;
  std::size_t in = 0;
  // The last star, and where in the name what follows it was tried last.
  std::size_t star = std::string_view::npos;
  std::size_t tried = 0;
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      tried = at;
      continue;
    }
    const auto element = in < pattern.size() ? element_at(pattern, in, name[at]) : Element{};
    if (element.has) {
      in = element.end;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++tried;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

namespace {

class Configuration {
 public:
  explicit Configuration(const inventory::Root& root) : root_(root) {}

  Found<Setting> read() {
    // SUSE keeps what it ships apart from what an administrator writes.
    if (!enter_first("etc/ssh/sshd_config")) enter_first("usr/etc/ssh/sshd_config");
    while (!files_.empty()) step();
    Found<Setting> out;
    for (auto& [name, value] : settings_) out.items.push_back({name, std::move(value)});
    if (has_match_)
      skips_.push_back(
          {"etc/ssh/sshd_config", "Match", "what holds for some connections only is left out"});
    out.skips = std::move(skips_);
    return out;
  }

 private:
  struct File {
    std::string path;
    std::size_t depth = 0;
    bool opened = false;
    std::string text = {};
    std::size_t at = 0;
    std::size_t line = 0;
    bool in_match = false;
  };

  bool enter_first(std::string path) {
    File file{.path = std::move(path)};
    const bool found = open(file);
    if (found) files_.push_back(std::move(file));
    return found || !skips_.empty();
  }

  // False where there is nothing to read.
  bool open(File& file) {
    file.opened = true;
    if (files_read_ == max_files) {
      skip(file.path, "", fmt::format("more than {} files", max_files));
      return false;
    }
    ++files_read_;
    auto text = root_.read(file.path, max_bytes - bytes_read_);
    if (!text) {
      if (text.error().code != Errc::not_found)
        add(not_read(file.path, text.error(), "CAP_DAC_READ_SEARCH"));
      return false;
    }
    bytes_read_ += text->size();
    file.text = *std::move(text);
    return true;
  }

  void step() {
    auto& file = files_.back();
    if (!file.opened && !open(file)) return files_.pop_back();
    if (file.at >= file.text.size()) return files_.pop_back();
    const auto end = std::min(file.text.find('\n', file.at), file.text.size());
    const auto line = parse_sshd_line(std::string_view(file.text).substr(file.at, end - file.at));
    file.at = end + 1;
    ++file.line;
    if (!line) return skip(file.path, fmt::format("line {}", file.line), line.error().what);
    if (!line->keyword.empty()) take(file, *line);
  }

  void take(File& file, const SshdLine& line) {
    if (line.keyword == "match") {
      const bool always = line.arguments.size() == 1 && ascii_lower(line.arguments[0]) == "all";
      file.in_match = !always;
      has_match_ = has_match_ || !always;
      return;
    }
    if (file.in_match) return;
    if (line.arguments.empty())
      return skip(file.path, fmt::format("line {}", file.line), "a keyword without a value");
    if (line.keyword == "include") {
      include(file.depth + 1, line.arguments);
    } else {
      set(file, line);
    }
  }

  void set(const File& file, const SshdLine& line) {
    const auto name = without_alias(line.keyword);
    const auto value = fmt::format("{}", fmt::join(line.arguments, " "));
    const auto there = settings_.find(name);
    if (there != settings_.end()) {
      if (std::ranges::binary_search(lists, name)) there->second.append(" ").append(value);
    } else if (settings_.size() < max_settings) {
      settings_.emplace(name, value);
    } else {
      skip(file.path, fmt::format("line {}", file.line),
           fmt::format("more than {} values", max_settings));
    }
  }

  // The files of all patterns in their order are read before the rest of this one.
  void include(std::size_t depth, const std::vector<std::string>& patterns) {
    if (depth > max_depth)
      return skip(files_.back().path, fmt::format("line {}", files_.back().line),
                  fmt::format("includes more than {} deep", max_depth));
    std::vector<std::string> paths;
    for (const auto& pattern : patterns) {
      auto found = expand(pattern.starts_with('/') ? pattern.substr(1) : "etc/ssh/" + pattern);
      std::ranges::move(found, std::back_inserter(paths));
    }
    if (files_.size() + paths.size() > max_files) {
      skip(files_.back().path, fmt::format("line {}", files_.back().line),
           fmt::format("more than {} files", max_files));
      paths.resize(max_files - std::min(max_files, files_.size()));
    }
    for (auto& path : paths | std::views::reverse)
      files_.push_back({.path = std::move(path), .depth = depth});
  }

  std::vector<std::string> expand(const std::string& pattern) {
    constexpr std::string_view wild = "*?[";
    if (pattern.find_first_of(wild) == std::string::npos) return {pattern};
    const auto slash = pattern.rfind('/');
    const auto directory = pattern.substr(0, slash);
    if (slash == std::string::npos || directory.find_first_of(wild) != std::string::npos) {
      skip(pattern, "Include", "a pattern in the name of a directory");
      return {};
    }
    const auto names = root_.list(directory);
    if (!names) {
      if (names.error().code != Errc::not_found)
        add(not_read(directory, names.error(), "CAP_DAC_READ_SEARCH"));
      return {};
    }
    std::vector<std::string> paths;
    for (const auto& name : *names) {
      if (matches_pattern(name, std::string_view(pattern).substr(slash + 1)))
        paths.push_back(directory + "/" + name);
    }
    return paths;
  }

  void skip(std::string file, std::string record, std::string reason) {
    add({std::move(file), std::move(record), std::move(reason)});
  }
  void add(Skip skip) {
    if (skips_.size() < max_skips) skips_.push_back(std::move(skip));
  }

  const inventory::Root& root_;
  std::vector<File> files_;  // the one that is read last, what waits for it before
  std::map<std::string, std::string, std::less<>> settings_;
  std::vector<Skip> skips_;
  std::size_t files_read_ = 0;
  std::size_t bytes_read_ = 0;
  bool has_match_ = false;
};

}  // namespace

Found<Setting> sshd_settings(const inventory::Root& root) {
  return Configuration(root).read();
}

}  // namespace tenken::host
