// Packages from purls and back. Qualifiers as syft, Trivy and claircore write them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "inventory/distributions.h"
#include "sbom/purl.h"

namespace tenken::sbom {
namespace {

struct Pair {
  std::string_view from;
  std::string_view to;
};

template <std::size_t count>
std::string_view look_up(const std::array<Pair, count>& table, std::string_view from) {
  const auto found = std::ranges::find(table, from, &Pair::from);
  return found == table.end() ? std::string_view() : found->to;
}

// Purl type → OSV's ecosystem.
constexpr std::array ecosystems{
    Pair{"bitnami", "Bitnami"},
    Pair{"cargo", "crates.io"},
    Pair{"composer", "Packagist"},
    Pair{"conan", "ConanCenter"},
    Pair{"cran", "CRAN"},
    Pair{"gem", "RubyGems"},
    Pair{"githubactions", "GitHub Actions"},
    Pair{"golang", "Go"},
    Pair{"hackage", "Hackage"},
    Pair{"hex", "Hex"},
    Pair{"julia", "Julia"},
    Pair{"maven", "Maven"},
    Pair{"npm", "npm"},
    Pair{"nuget", "NuGet"},
    Pair{"opam", "opam"},
    Pair{"pub", "Pub"},
    Pair{"pypi", "PyPI"},
    Pair{"swift", "SwiftURL"},
};

// Other names of distributions → os-release's ID.
constexpr std::array distribution_aliases{
    Pair{"alma", "almalinux"},
    Pair{"alpine linux", "alpine"},
    Pair{"amazon", "amzn"},
    Pair{"amazon linux", "amzn"},
    Pair{"cbl-mariner", "mariner"},
    Pair{"debian gnu/linux", "debian"},
    Pair{"opensuse", "opensuse-leap"},
    Pair{"opensuse.leap", "opensuse-leap"},
    Pair{"opensuse.tumbleweed", "opensuse-tumbleweed"},
    Pair{"oracle", "ol"},
    Pair{"oracle linux", "ol"},
    Pair{"red hat enterprise linux", "rhel"},
    Pair{"red hat enterprise linux server", "rhel"},
    Pair{"redhat", "rhel"},
    Pair{"rocky linux", "rocky"},
    Pair{"rockylinux", "rocky"},
    Pair{"suse", "sles"},
    Pair{"suse linux enterprise server", "sles"},
};

// OSV's ecosystem → os-release's ID, where the release does not change it.
constexpr std::array distribution_ids{
    Pair{"AlmaLinux", "almalinux"},
    Pair{"Alpaquita", "alpaquita"},
    Pair{"Alpine", "alpine"},
    Pair{"Azure Linux", "azurelinux"},
    Pair{"Chainguard", "chainguard"},
    Pair{"Debian", "debian"},
    Pair{"Echo", "echo"},
    Pair{"Mageia", "mageia"},
    Pair{"MinimOS", "minimos"},
    Pair{"openEuler", "openeuler"},
    Pair{"Photon OS", "photon"},
    Pair{"Red Hat", "rhel"},
    Pair{"Rocky Linux", "rocky"},
    Pair{"Ubuntu", "ubuntu"},
    Pair{"Wolfi", "wolfi"},
};

// Releases that a purl may name by their code name alone. Debian's later ones are known to the
// table of distributions.
constexpr std::array codenames{
    Pair{"wheezy", "7"},       Pair{"jessie", "8"},     Pair{"stretch", "9"},
    Pair{"trusty", "14.04"},   Pair{"xenial", "16.04"}, Pair{"bionic", "18.04"},
    Pair{"focal", "20.04"},    Pair{"jammy", "22.04"},  Pair{"kinetic", "22.10"},
    Pair{"lunar", "23.04"},    Pair{"mantic", "23.10"}, Pair{"noble", "24.04"},
    Pair{"oracular", "24.10"}, Pair{"plucky", "25.04"}, Pair{"questing", "25.10"},
};

constexpr std::string_view server_product = "Linux Enterprise Server ";
constexpr std::string_view sap_product = "Linux Enterprise Server for SAP Applications ";
constexpr std::string_view desktop_product = "Linux Enterprise Desktop ";

void set_release(OperatingSystem& os, std::string_view text) {
  if (const auto version = look_up(codenames, text); !version.empty())
    os.version_id = version;
  else if (os.id == "alpine" || (!text.empty() && is_digit(text[0])))
    os.version_id = text;
  else
    os.codename = text;
}

// "debian-12", "opensuse-leap-15.4", "12.5", "bookworm".
OperatingSystem read_distro(std::string_view distro, std::string_view namespace_id) {
  OperatingSystem os;
  for (auto end = distro.size(); end != std::string_view::npos && end > 0;
       end = distro.rfind('-', end - 1)) {
    os.id = distribution_id(distro.substr(0, end));
    if (inventory::find_distribution(os.id) == nullptr) continue;
    if (end < distro.size()) set_release(os, distro.substr(end + 1));
    return os;
  }
  os.id = namespace_id;
  set_release(os, distro);
  return os;
}

// The namespace decides; a distro qualifier of another distribution tells no release.
OperatingSystem distribution_of(const Purl& purl) {
  const auto namespace_id = purl.ns.empty() ? std::string() : distribution_id(purl.ns);
  auto os = read_distro(purl.qualifier("distro"), namespace_id);
  const bool family = purl.ns == "opensuse" || purl.ns == "suse";
  const bool agree = namespace_id.empty() || os.id == namespace_id ||
                     (family && (os.id.starts_with("opensuse-") || os.id.starts_with("sle")));
  return agree ? os : OperatingSystem{.id = namespace_id};
}

void set_distribution(Package& package, const Purl& purl) {
  const auto os = distribution_of(purl);
  const auto* distribution = inventory::find_distribution(os.id);
  if (distribution == nullptr || distribution->kind != purl.type) return;
  package.ecosystem = distribution->ecosystem;
  if (!package.ecosystem.empty())
    package.release = distribution->release(distribution->ecosystem, os);
}

// syft writes upstream, claircore source, others origin.
Source source_of(const Purl& purl) {
  for (const std::string_view key : {"upstream", "source", "origin"}) {
    const auto source = read_source(purl.qualifier(key));
    if (!source.name.empty() && is_os_kind(purl.type)) return source;
  }
  return {};
}

std::string upstream_of(const Package& package) {
  const auto& version = package.source_version;
  if (version.empty()) return package.source_name;
  const bool fits_file_name =
      package.kind == "rpm" && std::ranges::count(version, '-') == 1 && !version.contains(':');
  return fits_file_name ? fmt::format("{}-{}.src.rpm", package.source_name, version)
                        : fmt::format("{}@{}", package.source_name, version);
}

std::string package_name(const Purl& purl) {
  if (purl.ns.empty() || is_os_kind(purl.type) || purl.type == "alpm" || purl.type == "conan")
    return purl.name;
  return fmt::format("{}{}{}", purl.ns, purl.type == "maven" ? ':' : '/', purl.name);
}

bool has_epoch(std::string_view version) {
  const auto [epoch, rest] = split_once(version, ':');
  return rest && parse_uint(epoch);
}

void set_name(Purl& purl, const Package& package) {
  const bool keeps_namespace =
      is_os_kind(package.kind) || package.kind == "alpm" || package.kind == "conan";
  const auto cut =
      keeps_namespace ? std::string::npos : package.name.rfind(package.kind == "maven" ? ':' : '/');
  if (!keeps_namespace) purl.ns = cut == std::string::npos ? "" : package.name.substr(0, cut);
  purl.name = cut == std::string::npos ? package.name : package.name.substr(cut + 1);
}

// The distribution's ID and its own release number: {"sles", "15.4"}.
struct IdAndVersion {
  std::string_view id;
  std::string version;
};
IdAndVersion distribution_of(const Package& package) {
  std::string_view release = package.release;
  if (package.ecosystem == "openSUSE") {
    if (release == "Tumbleweed") return {"opensuse-tumbleweed", ""};
    return {"opensuse-leap", std::string(release.substr(release.find(' ') + 1))};
  }
  for (const auto& [id, product] : {Pair{"sles_sap", sap_product}, Pair{"sled", desktop_product},
                                    Pair{"sles", server_product}}) {
    if (package.ecosystem != "SUSE" || !release.starts_with(product)) continue;
    std::string version(release.substr(product.size()));
    if (const auto pack = version.find(" SP"); pack != std::string::npos)
      version.replace(pack, 3, ".");
    return {id, version};
  }
  if (package.ecosystem == "Alpine" && release.starts_with('v')) release.remove_prefix(1);
  if (package.ecosystem == "Ubuntu" && release.ends_with(":LTS"))
    release.remove_suffix(std::string_view(":LTS").size());
  const auto id =
      package.ecosystem == "SUSE" ? "sles" : look_up(distribution_ids, package.ecosystem);
  return {id, std::string(release)};
}

std::string_view namespace_of(std::string_view id) {
  if (id == "rhel") return "redhat";
  if (id.starts_with("opensuse-")) return "opensuse";
  return id.starts_with("sle") ? "suse" : id;
}

void set_distro(Purl& purl, const Package& package, const OperatingSystem& os) {
  auto [id, version] = distribution_of(package);
  if (package.ecosystem.empty()) {
    // A distribution that OSV does not have, such as Fedora.
    const auto* distribution = inventory::find_distribution(os.id);
    if (!purl.ns.empty() || distribution == nullptr || distribution->kind != package.kind) return;
    id = distribution->id;
    version = os.version_id;
  }
  const auto given = package_from_purl(purl);
  const bool same = given.ecosystem == package.ecosystem && given.release == package.release;
  if (id.empty() || (same && !package.ecosystem.empty())) return;
  purl.ns = namespace_of(id);
  if (version.empty() && id != "opensuse-tumbleweed")
    purl.qualifiers.erase("distro");
  else
    purl.qualifiers["distro"] =
        version.empty() ? std::string(id) : fmt::format("{}-{}", id, version);
}

}  // namespace

bool is_os_kind(std::string_view kind) {
  return kind == "deb" || kind == "rpm" || kind == "apk";
}

std::string with_epoch(std::string_view kind, std::string_view version, std::string_view epoch) {
  const bool says_more = is_os_kind(kind) && parse_uint(epoch).value_or(0) != 0;
  if (!says_more || version.empty() || has_epoch(version)) return std::string(version);
  return fmt::format("{}:{}", epoch, version);
}

Source read_source(std::string_view upstream) {
  for (const std::string_view suffix : {".src.rpm", ".nosrc.rpm"}) {
    if (!upstream.ends_with(suffix)) continue;
    upstream.remove_suffix(suffix.size());
    const auto release = upstream.rfind('-');
    if (release == 0 || release == std::string_view::npos) return {};
    const auto version = upstream.rfind('-', release - 1);
    if (version == 0 || version == std::string_view::npos) return {};
    return {upstream.substr(0, version), upstream.substr(version + 1)};
  }
  const auto [name, version] = split_once(upstream, '@');
  return name.empty() ? Source{} : Source{name, version.value_or("")};
}

std::string distribution_id(std::string_view name) {
  auto lower = ascii_lower(trim(name));
  const auto id = look_up(distribution_aliases, lower);
  return id.empty() ? lower : std::string(id);
}

Package package_from_purl(const Purl& purl) {
  Package package{.kind = purl.type, .name = package_name(purl), .version = purl.version};
  package.purl = to_string(purl);
  package.arch = purl.qualifier("arch");
  if (is_os_kind(purl.type))
    set_distribution(package, purl);
  else
    package.ecosystem = look_up(ecosystems, purl.type);

  package.version = with_epoch(package.kind, package.version, purl.qualifier("epoch"));
  const auto source = source_of(purl);
  package.source_name = source.name;
  package.source_version = source.version;
  for (const std::string_view key : {"rpmmod", "modularitylabel"})
    if (package.module_label.empty()) package.module_label = purl.qualifier(key);
  // Images are not packages, and public keys are no software.
  package.listed_only = purl.type == "oci" || purl.type == "docker" ||
                        (purl.type == "rpm" && purl.name == "gpg-pubkey");
  return package;
}

std::optional<Purl> purl_from_package(const Package& package, const OperatingSystem& os) {
  if (package.kind.empty() || package.name.empty()) return std::nullopt;
  Purl purl;
  if (auto given = parse_purl(package.purl, KeyCase::any); given.has_value())
    purl = *std::move(given);
  purl.type = package.kind;
  if (package_name(purl) != package.name) set_name(purl, package);
  purl.version = package.version;
  const auto set = [&](const std::string& key, std::string_view value) {
    if (!value.empty()) purl.qualifiers[key] = value;
  };
  set("arch", package.arch);
  if (!is_os_kind(package.kind)) return purl;

  const auto [epoch, rest] = split_once(package.version, ':');
  const bool apart = package.kind == "rpm" && rest && !rest->empty() && !has_epoch(*rest);
  if (apart && parse_uint(epoch).value_or(0) != 0) {
    set("epoch", epoch);
    purl.version = std::string(*rest);
  }
  set_distro(purl, package, os);
  const auto source = source_of(purl);
  if (source.name != package.source_name || source.version != package.source_version)
    set("upstream", upstream_of(package));
  set("rpmmod", package.module_label);
  return purl;
}

}  // namespace tenken::sbom
