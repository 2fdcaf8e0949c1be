#include "host/users.h"

#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::host {
namespace {

constexpr std::string_view passwd = "etc/passwd";
constexpr std::size_t max_bytes = std::size_t{4} << 20;
constexpr std::size_t max_users = 100'000;
constexpr std::size_t max_skips = 100;

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto number = parse_uint(text);
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::optional<UserAccount> parse_account(std::string_view line) {
  if (line.contains('\0')) return std::nullopt;
  const auto parts = split(line, ':');
  if (parts.size() != 7 || parts[0].empty()) return std::nullopt;
  const auto uid = parse_id(parts[2]);
  const auto gid = parse_id(parts[3]);
  if (!uid || !gid) return std::nullopt;
  return UserAccount{.name = std::string(parts[0]),
                     .uid = *uid,
                     .gid = *gid,
                     .home = std::string(parts[5]),
                     .shell = std::string(parts[6])};
}

}  // namespace

Found<UserAccount> parse_passwd(std::string_view text) {
  Found<UserAccount> out;
  std::size_t number = 0;
  std::size_t more_users = 0;
  std::size_t more_skips = 0;
  const auto skip = [&](std::string reason) {
    if (out.skips.size() == max_skips) {
      ++more_skips;
      return;
    }
    out.skips.push_back({std::string(passwd), fmt::format("line {}", number), std::move(reason)});
  };
  for_each_line(text, [&](std::string_view line) {
    ++number;
    if (line.empty()) return;
    if (line.front() == '+' || line.front() == '-')
      return skip("accounts that stand elsewhere (NIS) are not seen");
    auto account = parse_account(line);
    if (!account) return skip("not an account of seven fields");
    if (out.items.size() == max_users) {
      ++more_users;
    } else {
      out.items.push_back(*std::move(account));
    }
  });
  if (more_skips > 0)
    out.skips.push_back({std::string(passwd), "", fmt::format("{} lines more", more_skips)});
  if (more_users > 0)
    out.skips.push_back({std::string(passwd), "", fmt::format("more than {} accounts", max_users)});
  sort_unique(out.items);
  return out;
}

Found<UserAccount> users_of(const inventory::Root& root) {
  const auto text = root.read(passwd, max_bytes);
  if (text) return parse_passwd(*text);
  if (text.error().code == Errc::not_found) return {};
  return {.skips = {not_read(std::string(passwd), text.error(), "CAP_DAC_READ_SEARCH")}};
}

}  // namespace tenken::host
