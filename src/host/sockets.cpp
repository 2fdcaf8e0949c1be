#include "host/sockets.h"

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "base/text.h"
#include "host/proc_lines.h"

namespace tenken::host {
namespace {

constexpr std::size_t max_bytes = std::size_t{4} << 20;
constexpr std::size_t max_sockets = 65'536;
constexpr std::uint32_t tcp_listen = 10;  // TCP_LISTEN
constexpr std::uint32_t udp_no_peer = 7;  // TCP_CLOSE

// The whole text as a hexadecimal number.
std::optional<std::uint32_t> parse_hex(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The kernel prints each four bytes of an address as one number of the machine's byte order.
std::optional<std::string> parse_address(std::string_view text) {
  if (text.size() != 8 && text.size() != 32) return std::nullopt;
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < text.size() / 8; ++i) {
    const auto word = parse_hex(text.substr(i * 8, 8));
    if (!word) return std::nullopt;
    words[i] = *word;
  }
  std::array<char, INET6_ADDRSTRLEN> shown{};
  const int family = text.size() == 8 ? AF_INET : AF_INET6;
  if (::inet_ntop(family, words.data(), shown.data(), shown.size()) == nullptr) return std::nullopt;
  return std::string(shown.data());
}

// The next word; empty at the end.
std::string_view take_word(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(' ');
  rest.remove_prefix(begin == std::string_view::npos ? rest.size() : begin);
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace

// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
ParsedSocket parse_socket_line(std::string_view line, std::string_view protocol) {
  std::array<std::string_view, 10> words;
  for (auto& word : words) word = take_word(line);
  const auto state = parse_hex(words[3]);
  if (!state) return {};
  if (*state != (protocol == "tcp" ? tcp_listen : udp_no_peer)) return {.kind = SocketLine::other};
  const auto local = split_once(words[1], ':');
  auto address = parse_address(local.first);
  const auto port = parse_hex(local.second.value_or(""));
  const auto uid = parse_uint(words[7]);
  const auto inode = parse_uint(words[9]);
  if (!address || !port || *port > 65'535 || !uid || !inode ||
      *uid > std::numeric_limits<std::uint32_t>::max())
    return {};
  return {.kind = SocketLine::waiting,
          .socket = {.listener = {.protocol = std::string(protocol),
                                  .address = *std::move(address),
                                  .port = static_cast<std::uint16_t>(*port),
                                  .uid = static_cast<std::uint32_t>(*uid)},
                     .inode = *inode}};
}

namespace {

void read_table(const std::string& proc, const std::string& name, std::string_view protocol,
                Found<WaitingSocket>& out) {
  const std::string shown = "proc/net/" + name;
  const Fd fd(::open((proc + "/net/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    // Without IPv6 there is no table of it.
    if (errno != ENOENT) out.skips.push_back(not_read(shown, from_errno(errno, shown), "root"));
    return;
  }
  std::size_t malformed = 0;
  bool heading = true;
  const auto end = for_each_proc_line(fd.get(), shown, max_bytes, [&](std::string_view line) {
    if (std::exchange(heading, false)) return true;
    auto parsed = parse_socket_line(line, protocol);
    if (parsed.kind == SocketLine::other) return protocol != "tcp";
    if (parsed.kind == SocketLine::malformed) {
      ++malformed;
    } else if (out.items.size() < max_sockets) {
      out.items.push_back(std::move(parsed.socket));
    } else {
      return false;
    }
    return true;
  });
  if (!end) {
    out.skips.push_back(not_read(shown, end.error(), "root"));
  } else if (*end == LinesEnd::limit || out.items.size() == max_sockets) {
    out.skips.push_back({shown, "", "more sockets than are looked at"});
  }
  if (malformed > 0)
    out.skips.push_back({shown, "", fmt::format("{} lines of an unknown form", malformed)});
}

}  // namespace

Found<WaitingSocket> waiting_sockets(const std::string& proc) {
  Found<WaitingSocket> out;
  for (const std::string protocol : {"tcp", "udp"}) {
    read_table(proc, protocol, protocol, out);
    read_table(proc, protocol + "6", protocol, out);
  }
  return out;
}

}  // namespace tenken::host
