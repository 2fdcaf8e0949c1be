#include "serve/tls_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <set>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/file.h"
#include "pipeline/database_location.h"

namespace tenken::serve {
namespace {

constexpr std::size_t pem_limit = 1 << 20;
constexpr Seconds renew_before = 30 * 86'400;

Result<std::optional<crypto::Identity>> read_identity(const std::string& base) {
  auto certificate = read_file(base + ".pem", pem_limit);
  auto key = read_file(base + ".key", pem_limit);
  const auto missing = [](const Result<std::string>& file) {
    return !file && file.error().code == Errc::not_found;
  };
  if (missing(certificate) && missing(key)) return std::optional<crypto::Identity>();
  if (!certificate) return std::move(certificate).error();
  if (!key) return std::move(key).error();
  return std::optional(crypto::Identity{*std::move(certificate), *std::move(key)});
}

// The key first: a certificate never stands without it.
Result<> write_identity(const std::string& base, const crypto::Identity& identity) {
  TRY_VOID(write_file_atomic(base + ".key", identity.key, 0600));
  return write_file_atomic(base + ".pem", identity.certificate, 0644);
}

std::string tls_directory(const std::string& data_directory) {
  return data_directory + "/tls";
}

bool good_for(const crypto::Identity& kept, const crypto::Identity& ca,
              std::span<const std::string> names, Seconds now) {
  const auto facts = crypto::certificate_facts(kept.certificate);
  if (!facts || facts->not_after - now < renew_before) return false;
  if (!crypto::key_matches(kept.certificate, kept.key).value_or(false)) return false;
  if (!crypto::is_signed_by(kept.certificate, ca.certificate).value_or(false)) return false;
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(facts->names, name) != facts->names.end();
  });
}

bool is_every_address(const std::string& address) {
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) return four.s_addr == INADDR_ANY;
  in6_addr six{};
  return ::inet_pton(AF_INET6, address.c_str(), &six) == 1 && IN6_IS_ADDR_UNSPECIFIED(&six);
}

// Empty: of no use to others (link-local addresses hold on one link only).
std::string text_of(const sockaddr* address) {
  if (address == nullptr) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &four->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr)) return {};
    ::inet_ntop(AF_INET6, &six->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

void add_interface_addresses(std::set<std::string>& names) {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return;
  for (const auto* one = first; one != nullptr; one = one->ifa_next) {
    if ((one->ifa_flags & IFF_UP) == 0) continue;
    if (auto text = text_of(one->ifa_addr); !text.empty()) names.insert(std::move(text));
  }
  ::freeifaddrs(first);
}

struct OwnName {
  std::string name;
  std::string full;  // empty: the name does not resolve
};

OwnName own_name() {
  OwnName out;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return out;
  out.name = host.data();
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (out.name.empty() || ::getaddrinfo(host.data(), nullptr, &hints, &found) != 0) return out;
  out.full = found->ai_canonname != nullptr ? found->ai_canonname : out.name;
  ::freeaddrinfo(found);
  return out;
}

}  // namespace

Result<std::optional<crypto::Identity>> kept_authority(const std::string& data_directory) {
  return read_identity(tls_directory(data_directory) + "/ca");
}

Result<> keep_authority(const std::string& data_directory, const crypto::Identity& authority) {
  TRY_VOID(pipeline::make_directories(tls_directory(data_directory)));
  return write_identity(tls_directory(data_directory) + "/ca", authority);
}

Result<crypto::Identity> new_authority(Seconds now) {
  return crypto::make_ca("tenken CA", now);
}

Result<crypto::Identity> own_authority(const std::string& data_directory, Seconds now) {
  TRY(auto kept, kept_authority(data_directory));
  if (kept) return *std::move(kept);
  TRY(auto made, new_authority(now));
  TRY_VOID(keep_authority(data_directory, made));
  return made;
}

std::string authority_file(const std::string& data_directory) {
  return tls_directory(data_directory) + "/ca.pem";
}

Result<http::TlsFiles> own_certificate(const std::string& data_directory,
                                       std::span<const std::string> names, Seconds now) {
  const auto directory = tls_directory(data_directory);
  TRY(const auto ca, own_authority(data_directory, now).within(directory));
  http::TlsFiles files{.certificate = directory + "/server.pem", .key = directory + "/server.key"};
  const auto kept = read_identity(directory + "/server");
  // One half of a pair is no loss: another pair is made.
  if (!kept && kept.error().code != Errc::not_found) return kept.error();
  if (kept && *kept && good_for(**kept, ca, names, now)) return files;
  TRY(const auto issued, crypto::issue_server_certificate(ca, names, now));
  TRY_VOID(write_identity(directory + "/server", issued));
  return files;
}

Result<> forget_own_certificate(const std::string& data_directory, const http::TlsFiles& given) {
  for (const auto* end : {".pem", ".key"}) {
    std::error_code error;
    const auto path = tls_directory(data_directory) + "/server" + end;
    for (const auto& file : {given.certificate, given.key})
      if (std::filesystem::equivalent(path, file, error)) return {};
    std::filesystem::remove(path, error);
    if (error) return unavailable(fmt::format("{}: {}", path, error.message()));
  }
  return {};
}

bool shows_own_certificate(const std::string& data_directory) {
  std::error_code error;
  return std::filesystem::exists(tls_directory(data_directory) + "/server.pem", error);
}

HostNames names_of_host(const std::string& listen_address) {
  HostNames out;
  std::set<std::string> names{"localhost", "127.0.0.1", "::1"};
  const auto own = own_name();
  for (const auto& name : {own.name, own.full})
    if (!name.empty()) names.insert(name);
  if (is_every_address(listen_address)) {
    add_interface_addresses(names);
    if (!own.full.empty()) out.shown = {own.full, own.name};
    out.shown.emplace_back("localhost");
  } else {
    if (!listen_address.empty()) names.insert(listen_address);
    out.shown = {listen_address};
  }
  out.all = {names.begin(), names.end()};
  return out;
}

std::string name_to_show(std::span<const std::string> shown,
                         std::span<const std::string> certificate_names) {
  const auto is_in_certificate = [&](const std::string& name) {
    return std::ranges::find(certificate_names, name) != certificate_names.end();
  };
  if (const auto found = std::ranges::find_if(shown, is_in_certificate); found != shown.end())
    return *found;
  const auto other = std::ranges::find_if(
      certificate_names, [](const std::string& name) { return !name.starts_with("*"); });
  if (other != certificate_names.end()) return *other;
  return shown.empty() ? "localhost" : shown.front();
}

}  // namespace tenken::serve
