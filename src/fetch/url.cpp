#include "fetch/url.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::fetch {
namespace {

constexpr std::size_t longest_url = 4096;
constexpr std::size_t longest_name = 200;  // of 255, leaving room for what a state file appends

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_safe_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name != "." && name != ".." &&
         std::ranges::none_of(name, [](char c) { return c == '/' || c == '\\' || is_control(c); });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return invalid(fmt::format("URL \"{}\": {}", printable(text.substr(0, 200)), why));
  };
  if (text.size() > longest_url) return bad("too long");
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c >= 0x7F || c == '\\'; }))
    return bad("blank, control or non-ASCII character");
  const auto colon = text.find("://");
  if (colon == text.npos) return bad("no scheme");
  Url url{.scheme = text.substr(0, colon)};
  if (url.scheme != "http" && url.scheme != "https") return bad("neither http nor https");
  auto rest = text.substr(colon + 3);
  if (rest.contains('#')) return bad("a fragment");
  const auto slash = std::min(rest.find_first_of("/?"), rest.size());
  url.host = rest.substr(0, slash);
  if (url.host.empty() || url.host.contains('@')) return bad("no host, or a user in it");
  const auto [path, query] = split_once(rest.substr(slash), '?');
  url.path = path.empty() ? "/" : path;
  url.query = query.value_or("");
  return url;
}

Result<std::string> mirror_path(const Url& url) {
  std::string out = ascii_lower(url.host);
  if (!is_safe_name(out) || out.front() == '.')
    return invalid("URL: host that cannot be a directory's name");
  const auto segments = split(url.path.substr(1), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    auto name = percent_decode(segments[i]);
    if (last && name.empty()) name = "index.html";
    if (last && !url.query.empty()) {
      name += fmt::format("@{}", url.query);
      std::ranges::replace(name, '/', '_');
    }
    if (!is_safe_name(name))
      return invalid(fmt::format("URL path \"{}\": a segment that cannot be a file's name",
                                 printable(url.path.substr(0, 200))));
    out += '/';
    out += name;
  }
  return out;
}

std::string sibling_url(std::string_view url, std::string_view name) {
  const auto path = split_once(url, '?').first;
  return fmt::format("{}{}", path.substr(0, path.rfind('/') + 1), name);
}

std::string percent_encode(std::string_view segment) {
  std::string out;
  for (const char c : segment) {
    if (is_alnum(c) || std::string_view("-._~:@").contains(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace tenken::fetch
