#include "store/ids.h"

#include <charconv>

#include <fmt/format.h>

#include "base/result.h"
#include "crypto/encode.h"
#include "crypto/hash.h"

namespace tenken::store {
namespace {

// Fields with their lengths before them: no two lists give the same bytes.
class Identity {
 public:
  Identity& add(std::string_view field) {
    const fmt::format_int length(field.size());
    bytes_.append(length.data(), length.size()).append(1, ':').append(field);
    return *this;
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::uint64_t number_at(const crypto::Digest& digest, std::size_t at) {
  std::uint64_t out = 0;
  for (std::size_t i = at; i < at + 8; ++i)
    out = (out << 8) | static_cast<unsigned char>(digest[i]);
  return out;
}
std::int64_t id_of(const crypto::Digest& digest) {
  return static_cast<std::int64_t>(number_at(digest, 0) >> 1);
}

constexpr int resource_digits = 12;  // of the 16 that a resource's id has

}  // namespace

ResourceId resource_id(std::string_view account, std::string_view external_id) {
  return {id_of(crypto::sha256(Identity().add(account).add(external_id).bytes()))};
}

PackageVersionHash package_version_hash(const PackageVersion& version) {
  const auto& p = version.package;
  Identity identity;
  for (const std::string_view field :
       {std::string_view(p.ecosystem), std::string_view(p.release), std::string_view(p.kind),
        std::string_view(p.name), std::string_view(p.version), std::string_view(p.arch),
        std::string_view(p.source_name), std::string_view(p.source_version),
        std::string_view(p.module_label), std::string_view(p.vendor), std::string_view(p.purl),
        std::string_view(version.host_state)})
    identity.add(field);
  const auto digest = crypto::sha256(identity.bytes());
  return {.id = {id_of(digest)}, .rest = number_at(digest, 8)};
}

PackageVersionId package_version_id(const PackageVersion& version) {
  return package_version_hash(version).id;
}

std::string finding_id(std::string_view account, ResourceId resource,
                       std::string_view vulnerability, std::int64_t episode) {
  auto out = fmt::format("{:016x}", resource.value).substr(0, resource_digits);
  const auto digest = crypto::sha256(Identity()
                                         .add(account)
                                         .add(fmt::format("{}", resource.value))
                                         .add(vulnerability)
                                         .add(fmt::format("{}", episode))
                                         .bytes());
  out += crypto::to_hex(crypto::view(digest)).substr(0, 32 - resource_digits);
  return out;
}

bool is_finding_id(std::string_view text) {
  if (text.size() != 32) return false;
  for (const char c : text) {
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return false;
  }
  return true;
}

ResourceRange resources_of(std::string_view finding_id) {
  CHECK(is_finding_id(finding_id));
  constexpr int rest_bits = 4 * (16 - resource_digits);
  std::uint64_t start = 0;
  std::from_chars(finding_id.data(), finding_id.data() + resource_digits, start, 16);
  const auto first = static_cast<std::int64_t>((start << rest_bits) & ~(std::uint64_t{1} << 63));
  return {{first}, {first + (std::int64_t{1} << rest_bits) - 1}};
}

}  // namespace tenken::store
