#include "serve/tls_files.h"

#include <algorithm>
#include <set>

#include <netdb.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/x509.h"
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

Result<crypto::Identity> authority(const std::string& directory, Seconds now) {
  TRY(auto kept, read_identity(directory + "/ca"));
  if (kept) return *std::move(kept);
  TRY(auto made, crypto::make_ca("tenken CA", now));
  TRY_VOID(write_identity(directory + "/ca", made));
  return made;
}

bool good_for(const crypto::CertificateFacts& facts, std::span<const std::string> names,
              Seconds now) {
  if (facts.not_after - now < renew_before) return false;
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(facts.names, name) != facts.names.end();
  });
}

}  // namespace

Result<http::TlsFiles> own_certificate(const std::string& data_directory,
                                       std::span<const std::string> names, Seconds now) {
  const auto directory = data_directory + "/tls";
  TRY_VOID(pipeline::make_directories(directory));
  TRY(const auto ca, authority(directory, now).within(directory));
  http::TlsFiles files{.certificate = directory + "/server.pem", .key = directory + "/server.key"};
  TRY(const auto kept, read_identity(directory + "/server"));
  if (kept) {
    const auto facts = crypto::certificate_facts(kept->certificate);
    const auto fits = crypto::key_matches(kept->certificate, kept->key);
    if (facts && fits && *fits && good_for(*facts, names, now)) return files;
  }
  TRY(const auto issued, crypto::issue_server_certificate(ca, names, now));
  TRY_VOID(write_identity(directory + "/server", issued));
  return files;
}

std::vector<std::string> names_of_host(const std::string& listen_address) {
  std::set<std::string> names{"localhost", "127.0.0.1", "::1"};
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0 && host[0] != '\0') {
    names.emplace(host);
    addrinfo hints{};
    hints.ai_flags = AI_CANONNAME;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host, nullptr, &hints, &found) == 0) {
      if (found->ai_canonname != nullptr) names.emplace(found->ai_canonname);
      ::freeaddrinfo(found);
    }
  }
  if (!listen_address.empty() && listen_address != "0.0.0.0" && listen_address != "::")
    names.insert(listen_address);
  return {names.begin(), names.end()};
}

}  // namespace tenken::serve
