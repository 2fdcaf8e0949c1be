#include "inventory/distributions.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "version/ecosystem.h"

namespace tenken::inventory {
namespace {

std::string no_release(std::string_view, const OperatingSystem&) {
  return {};
}

std::string normal_release(std::string_view ecosystem, const OperatingSystem& os) {
  return os.version_id.empty() ? std::string() : version::normal_release(ecosystem, os.version_id);
}

std::string major_release(std::string_view, const OperatingSystem& os) {
  return std::string(split_once(os.version_id, '.').first);
}

// Testing and unstable have no VERSION_ID; the code name is the one of the next release.
std::string debian_release(std::string_view ecosystem, const OperatingSystem& os) {
  if (!os.version_id.empty()) return normal_release(ecosystem, os);
  struct Codename {
    std::string_view name;
    std::string_view release;
  };
  // https://www.debian.org/releases/
  constexpr std::array codenames{Codename{"buster", "10"},   Codename{"bullseye", "11"},
                                 Codename{"bookworm", "12"}, Codename{"trixie", "13"},
                                 Codename{"forky", "14"},    Codename{"duke", "15"}};
  const auto found = std::ranges::find(codenames, os.codename, &Codename::name);
  return found == codenames.end() ? std::string() : std::string(found->release);
}

// Edge calls itself by the next version and the day of the snapshot: "3.21_alpha20240923".
std::string alpine_release(std::string_view ecosystem, const OperatingSystem& os) {
  if (os.version_id.contains("_alpha")) return "edge";
  return normal_release(ecosystem, os);
}

// "15.4" is service pack 4: "Linux Enterprise Server 15 SP4"; "15" and "15.0" have none.
std::string service_pack(std::string_view product, const OperatingSystem& os) {
  if (os.version_id.empty()) return {};
  const auto [major, minor] = split_once(os.version_id, '.');
  if (!minor || *minor == "0") return fmt::format("{} {}", product, major);
  return fmt::format("{} {} SP{}", product, major, *minor);
}
std::string sles_release(std::string_view, const OperatingSystem& os) {
  return service_pack("Linux Enterprise Server", os);
}
std::string sles_sap_release(std::string_view, const OperatingSystem& os) {
  return service_pack("Linux Enterprise Server for SAP Applications", os);
}
std::string sled_release(std::string_view, const OperatingSystem& os) {
  return service_pack("Linux Enterprise Desktop", os);
}

std::string leap_release(std::string_view, const OperatingSystem& os) {
  return os.version_id.empty() ? std::string() : fmt::format("Leap {}", os.version_id);
}
std::string tumbleweed_release(std::string_view, const OperatingSystem&) {
  return "Tumbleweed";
}

// "openEuler 22.03 (LTS-SP2)" is "22.03-LTS-SP2"; VERSION_ID has no service pack.
std::string openeuler_release(std::string_view, const OperatingSystem& os) {
  const auto [before, after] = split_once(os.pretty_name, '(');
  if (os.version_id.empty() || !after) return os.version_id;
  return fmt::format("{}-{}", os.version_id, trim(split_once(*after, ')').first));
}

constexpr std::array distributions{
    Distribution{"almalinux", "AlmaLinux", "rpm", normal_release},
    Distribution{"alpaquita", "Alpaquita", "apk", normal_release},
    Distribution{"alpine", "Alpine", "apk", alpine_release},
    Distribution{"amzn", "", "rpm", no_release},
    Distribution{"azurelinux", "Azure Linux", "rpm", major_release},
    Distribution{"centos", "", "rpm", no_release},
    Distribution{"chainguard", "Chainguard", "apk", no_release},
    Distribution{"debian", "Debian", "deb", debian_release},
    Distribution{"echo", "Echo", "deb", no_release},
    Distribution{"fedora", "", "rpm", no_release},
    Distribution{"mageia", "Mageia", "rpm", normal_release},
    Distribution{"mariner", "Azure Linux", "rpm", major_release},
    Distribution{"minimos", "MinimOS", "apk", no_release},
    Distribution{"ol", "", "rpm", no_release},
    Distribution{"openeuler", "openEuler", "rpm", openeuler_release},
    Distribution{"opensuse-leap", "openSUSE", "rpm", leap_release},
    Distribution{"opensuse-tumbleweed", "openSUSE", "rpm", tumbleweed_release},
    Distribution{"photon", "Photon OS", "rpm", normal_release},
    Distribution{"rhel", "Red Hat", "rpm", normal_release},
    Distribution{"rocky", "Rocky Linux", "rpm", normal_release},
    Distribution{"sled", "SUSE", "rpm", sled_release},
    Distribution{"sles", "SUSE", "rpm", sles_release},
    Distribution{"sles_sap", "SUSE", "rpm", sles_sap_release},
    Distribution{"ubuntu", "Ubuntu", "deb", normal_release},
    Distribution{"wolfi", "Wolfi", "apk", no_release},
};

}  // namespace

const Distribution* find_distribution(std::string_view id) {
  const auto found = std::ranges::find(distributions, ascii_lower(id), &Distribution::id);
  return found == distributions.end() ? nullptr : &*found;
}

}  // namespace tenken::inventory
