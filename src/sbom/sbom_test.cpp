#include "sbom/sbom.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/archive.h"
#include "base/text.h"
#include "inventory/inspect.h"
#include "support/test_data.h"

namespace tenken::sbom {
namespace {

std::string shown(const Package& package) {
  return fmt::format("{}|{}|{}|{}|{}|{}", package.kind, package.ecosystem, package.release,
                     package.name, package.version, package.arch);
}

// What must survive a way through a document.
std::string identity(const Package& package) {
  return fmt::format("{}|{}|{}|{}|{}", shown(package), package.source_name, package.source_version,
                     package.module_label, package.listed_only);
}

Inventory read(std::string_view text) {
  auto inventory = read_sbom(text, "test");
  EXPECT_TRUE(inventory.has_value()) << inventory.error().what;
  return inventory.has_value() ? *std::move(inventory) : Inventory();
}

using Lines = std::vector<std::string>;

std::string error_of(std::string_view text) {
  const auto inventory = read_sbom(text, "f");
  return inventory.has_value() ? "" : inventory.error().what;
}

constexpr std::string_view cyclonedx_document = R"({"bomFormat":"CycloneDX","specVersion":"1.6",
  "metadata":{"component":{"type":"container","name":"image","components":[
     {"type":"library","name":"inner","purl":"pkg:npm/inner@1.0.0"}]}},
  "components":[
   {"type":"operating-system","name":"debian","version":"12.5","description":"Debian 12"},
   {"bom-ref":"a","type":"library","name":"libssl3","version":"3.0.1-1",
    "purl":"pkg:deb/debian/libssl3@3.0.1-1?arch=amd64",
    "properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"},
                  {"name":"aquasecurity:trivy:SrcVersion","value":"3.0.1"},
                  {"name":"aquasecurity:trivy:SrcRelease","value":"1"},
                  {"name":"aquasecurity:trivy:SrcEpoch","value":"2"}],
    "components":[{"type":"library","name":"deep","purl":"pkg:pypi/Deep_One@1"}]},
   {"bom-ref":"a","type":"library","name":"libssl3","version":"3.0.1-1",
    "purl":"pkg:deb/debian/libssl3@3.0.1-1?arch=amd64"},
   {"type":"application","name":"package-lock.json",
    "properties":[{"name":"aquasecurity:trivy:Class","value":"lang-pkgs"}]},
   {"type":"file","name":"/etc/passwd"},
   {"type":"library","name":"vendored","version":"1.2","licenses":[{"license":{"id":"MIT"}}]},
   {"type":"library","name":"broken","version":"1","purl":"pkg:npm"},
   {"type":"library"}, 7]})";

TEST(SbomCycloneDx, packages_are_what_it_declares_at_every_depth) {
  const auto inventory = read(cyclonedx_document);
  std::vector<std::string> packages;
  for (const auto& package : inventory.packages) packages.push_back(shown(package));
  EXPECT_EQ(packages, (std::vector<std::string>{
                          "npm|npm||inner|1.0.0|",
                          "deb|Debian|12|libssl3|3.0.1-1|amd64",
                          "pypi|PyPI||deep-one|1|",
                          "|||vendored|1.2|",
                          "|||broken|1|",
                      }));
  EXPECT_EQ(inventory.packages[1].source_name, "openssl");
  EXPECT_EQ(inventory.packages[1].source_version, "2:3.0.1-1");
  EXPECT_EQ(inventory.packages[3].license, "MIT");
}

TEST(SbomCycloneDx, the_operating_system_gives_its_release) {
  const auto inventory = read(cyclonedx_document);
  EXPECT_EQ(inventory.os.id, "debian");
  EXPECT_EQ(inventory.os.version_id, "12.5");
  EXPECT_EQ(inventory.os.ecosystem, "Debian");
  EXPECT_EQ(inventory.os.release, "12");
  EXPECT_EQ(inventory.os.pretty_name, "Debian 12");
}

TEST(SbomCycloneDx, what_cannot_be_read_is_a_skip) {
  const auto inventory = read(cyclonedx_document);
  ASSERT_EQ(inventory.skips.size(), 3U);
  EXPECT_EQ(inventory.skips[0].file, "test");
  EXPECT_EQ(inventory.skips[0].record, "broken@1");
  EXPECT_EQ(inventory.skips[0].reason, "purl 'pkg:npm': a purl needs a type and a name");
  EXPECT_EQ(inventory.skips[1].reason, "a component without name and purl");
  EXPECT_EQ(inventory.skips[2].reason, "a component that is no object");
}

TEST(SbomCycloneDx, properties_of_syft_complete_the_purl) {
  const auto inventory = read(R"({"bomFormat":"CycloneDX","specVersion":"1.5","components":[
    {"type":"operating-system","name":"Some OS","properties":[
      {"name":"syft:distro:id","value":"rhel"},{"name":"syft:distro:versionID","value":"8.9"}]},
    {"type":"library","name":"nodejs","version":"18.1-2.el8","purl":"pkg:rpm/nodejs@18.1-2.el8",
     "properties":[{"name":"syft:metadata:epoch","value":"1"},
                   {"name":"syft:metadata:sourceRpm","value":"nodejs-18.1-2.el8.src.rpm"},
                   {"name":"syft:metadata:modularityLabel","value":"nodejs:18:8:a"}]}]})");
  ASSERT_EQ(inventory.packages.size(), 1U);
  const auto& package = inventory.packages[0];
  EXPECT_EQ(package.ecosystem, "Red Hat");
  EXPECT_FALSE(package.release.empty());
  EXPECT_EQ(package.version, "1:18.1-2.el8");
  EXPECT_EQ(package.source_name, "nodejs");
  EXPECT_EQ(package.source_version, "18.1-2.el8");
  EXPECT_EQ(package.module_label, "nodejs:18:8:a");
}

// The packages of a CycloneDX document about `subject` with these components.
std::vector<std::string> packages_about(std::string_view subject, std::string_view components) {
  const auto inventory = read(fmt::format(R"({{"bomFormat":"CycloneDX","specVersion":"1.6",
        "metadata":{{"component":{}}},"components":[{}]}})",
                                          subject, components));
  std::vector<std::string> packages;
  for (const auto& package : inventory.packages) packages.push_back(shown(package));
  return packages;
}

TEST(SbomCycloneDx, capitals_of_a_go_module_are_those_of_its_name) {
  const auto inventory = read(R"({"bomFormat":"CycloneDX","specVersion":"1.5","components":[
    {"type":"library","name":"github.com/Masterminds/goutils","version":"v1.0.0",
     "purl":"pkg:golang/github.com/masterminds/goutils@v1.0.0"},
    {"type":"library","group":"github.com/Masterminds","name":"vcs","version":"v1.0.0",
     "purl":"pkg:golang/github.com/masterminds/vcs@v1.0.0"},
    {"type":"library","name":"Another","version":"v1.0.0",
     "purl":"pkg:golang/github.com/BurntSushi/toml@v1.0.0"}]})");
  Lines names;
  for (const auto& one : inventory.packages) names.push_back(one.name);
  EXPECT_EQ(names, (Lines{"github.com/Masterminds/goutils", "github.com/Masterminds/vcs",
                          "github.com/BurntSushi/toml"}));
}

TEST(SbomCycloneDx, a_subject_with_a_purl_is_a_package_after_its_parts) {
  using Packages = std::vector<std::string>;
  const std::string_view part = R"({"type":"library","name":"b","purl":"pkg:npm/b@2"})";
  EXPECT_EQ(packages_about(R"({"type":"application","name":"a","purl":"pkg:npm/a@1","components":[
                               {"type":"library","name":"c","purl":"pkg:npm/c@3"}]})",
                           part),
            (Packages{"npm|npm||c|3|", "npm|npm||b|2|", "npm|npm||a|1|"}));
  EXPECT_EQ(packages_about(R"({"type":"application","name":"a","version":"1"})", part),
            Packages{"npm|npm||b|2|"});
}

TEST(SbomCycloneDx, a_subject_that_is_its_own_component_is_one_package) {
  const std::string_view subject =
      R"({"bom-ref":"r","type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"})";
  const std::vector<std::string> one{"npm|npm||a|1|"};
  EXPECT_EQ(packages_about(subject, subject), one);
  EXPECT_EQ(packages_about(subject, R"({"type":"library","name":"a","purl":"pkg:npm/a@1"})"), one);
  EXPECT_EQ(packages_about(subject, R"({"bom-ref":"r","type":"library","name":"a"})"), one);
  EXPECT_EQ(packages_about(R"({"type":"library","name":"a","version":"2","purl":"pkg:npm/a"})",
                           R"({"type":"library","name":"a","version":"1","purl":"pkg:npm/a"})"),
            (std::vector<std::string>{"npm|npm||a|1|", "npm|npm||a|2|"}));
}

TEST(SbomSpdx, a_subject_with_a_purl_is_a_package_after_its_parts) {
  const auto two = read(R"({"spdxVersion":"SPDX-2.3","relationships":[
     {"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES",
      "relatedSpdxElement":"SPDXRef-root"}],"packages":[
     {"SPDXID":"SPDXRef-root","name":"a","versionInfo":"1","externalRefs":[
      {"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]},
     {"SPDXID":"SPDXRef-part","name":"b","versionInfo":"2","externalRefs":[
      {"referenceType":"purl","referenceLocator":"pkg:npm/b@2"}]}]})");
  const auto three = read(R"({"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
     {"type":"SpdxDocument","spdxId":"d","rootElement":["r"]},
     {"type":"software_Package","spdxId":"r","name":"a","software_packageUrl":"pkg:npm/a@1"},
     {"type":"software_Package","spdxId":"p","name":"b","software_packageUrl":"pkg:npm/b@2"}]})");
  for (const auto* inventory : {&two, &three}) {
    ASSERT_EQ(inventory->packages.size(), 2U);
    EXPECT_EQ(shown(inventory->packages[0]), "npm|npm||b|2|");
    EXPECT_EQ(shown(inventory->packages[1]), "npm|npm||a|1|");
  }
}

TEST(SbomSpdx2, a_subject_without_purl_and_sources_are_no_packages) {
  const auto inventory = read(R"json({"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT",
    "documentDescribes":["SPDXRef-root"],"packages":[
     {"SPDXID":"SPDXRef-root","name":"app","versionInfo":"1"},
     {"SPDXID":"SPDXRef-os","name":"Debian GNU/Linux","versionInfo":"12 (bookworm)",
      "primaryPackagePurpose":"OPERATING-SYSTEM"},
     {"SPDXID":"SPDXRef-src","name":"openssl","primaryPackagePurpose":"SOURCE"},
     {"SPDXID":"SPDXRef-1","name":"libssl3","versionInfo":"3.0.1-1","licenseDeclared":"NOASSERTION",
      "licenseConcluded":"Apache-2.0","supplier":"Organization: Someone","externalRefs":[
       {"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl",
        "referenceLocator":"pkg:deb/debian/libssl3@3.0.1-1"}]},
     {"SPDXID":"SPDXRef-2","name":"plain","versionInfo":"2"}]
})json");
  ASSERT_EQ(inventory.packages.size(), 2U);
  EXPECT_EQ(shown(inventory.packages[0]), "deb|Debian|12|libssl3|3.0.1-1|");
  EXPECT_EQ(inventory.packages[0].license, "Apache-2.0");
  EXPECT_EQ(inventory.packages[0].vendor, "");
  EXPECT_EQ(shown(inventory.packages[1]), "|||plain|2|");
}

TEST(SbomSpdx3, software_packages_of_the_graph_are_packages) {
  const auto inventory = read(R"({"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph":[
     {"type":"SpdxDocument","spdxId":"d","rootElement":["r"]},
     {"type":"software_Package","spdxId":"r","name":"app"},
     {"type":"software_File","spdxId":"f","name":"x"},
     {"type":"software_Package","spdxId":"p","name":"left-pad","software_packageVersion":"1.3.0",
      "software_packageUrl":"pkg:npm/left-pad@1.3.0"},
     {"type":"software_Package","spdxId":"q","name":"io","externalIdentifier":[
      {"externalIdentifierType":"packageUrl","identifier":"pkg:maven/g/io@2"}]}]})");
  ASSERT_EQ(inventory.packages.size(), 2U);
  EXPECT_EQ(shown(inventory.packages[0]), "npm|npm||left-pad|1.3.0|");
  EXPECT_EQ(shown(inventory.packages[1]), "maven|Maven||g:io|2|");
}

TEST(Sbom, other_formats_are_refused_by_name) {
  const std::string formats =
      "; formats read: CycloneDX JSON 1.0 to 1.7, SPDX JSON 2.2, 2.3 and 3.0";
  EXPECT_EQ(error_of(""), "f: the file is empty" + formats);
  EXPECT_EQ(error_of("<bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\"/>"),
            "f: CycloneDX XML is not read" + formats);
  EXPECT_EQ(error_of("SPDXVersion: SPDX-2.3\n"), "f: SPDX tag-value is not read" + formats);
  EXPECT_EQ(error_of("bogus\n"), "f: neither CycloneDX nor SPDX" + formats);
  EXPECT_EQ(error_of(R"({"artifacts":[],"descriptor":{}})"),
            "f: syft's own JSON is not read; write it as CycloneDX or SPDX" + formats);
  EXPECT_EQ(error_of(R"({"payloadType":"x","payload":"y"})"),
            "f: a signed envelope is not read" + formats);
  EXPECT_EQ(error_of("{}"), "f: JSON that is neither CycloneDX nor SPDX" + formats);
  EXPECT_EQ(error_of(R"({"bomFormat":"CycloneDX","specVersion":"9.9"})"),
            "f: CycloneDX '9.9' is not known; 1.0 to 1.7 are");
  EXPECT_NE(error_of(R"({"bomFormat":"CycloneDX",)"), "");
}

// Whether a document of the archive is one of the formats that are read.
bool is_readable(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('{') || !text.ends_with('}')) return false;
  return text.contains("\"CycloneDX\"") || text.contains("\"SPDX-2.") ||
         text.contains("spdx.org/rdf/3.");
}

Result<> for_each_sbom(const std::function<void(const std::string&, std::string_view)>& visit) {
  return for_each_member(
      test::data_path("inventories/sbom/sboms.tar.zst"), {}, [](auto) { return true; },
      [&](std::string_view name, std::string_view bytes) -> Result<> {
        visit(std::string(name), bytes);
        return {};
      });
}

TEST(SbomArchive, every_cyclonedx_and_spdx_json_reads_and_nothing_else_does) {
  NEED_TEST_DATA("inventories/sbom/sboms.tar.zst");
  std::size_t read_count = 0;
  std::size_t refused = 0;
  const auto walked = for_each_sbom([&](const std::string& name, std::string_view bytes) {
    const auto inventory = read_sbom(bytes, name);
    const bool is_envelope = name.ends_with(".att.json");
    EXPECT_EQ(inventory.has_value(), is_readable(bytes) && !is_envelope)
        << name << ": " << (inventory.has_value() ? "read" : inventory.error().what);
    ++(inventory.has_value() ? read_count : refused);
  });
  ASSERT_TRUE(walked.has_value()) << walked.error().what;
  EXPECT_EQ(read_count + refused, 254U);
  EXPECT_GT(read_count, 140U);
}

// Counted by an independent script over the same documents; all but four are about a subject with
// a purl, which counts.
TEST(SbomArchive, known_documents_give_their_packages) {
  NEED_TEST_DATA("inventories/sbom/sboms.tar.zst");
  struct Row {
    std::string_view name;
    std::size_t packages;
    std::size_t with_ecosystem;
  };
  std::map<std::string, Row, std::less<>> rows;
  for (const auto& row : {
           Row{"CycloneDX/bom-examples/SBOM/keycloak-10.0.2/bom.json", 904, 904},
           Row{"CycloneDX/bom-examples/SBOM/juice-shop/v11.1.2/bom.json", 841, 841},
           Row{"CycloneDX/bom-examples/SBOM/juice-shop/via_npm/flat/bom.1.4.json", 1116, 1116},
           Row{"CycloneDX/bom-examples/SBOM/juice-shop/via_npm/bare/bom.1.4.json", 1116, 1116},
           Row{"CycloneDX/bom-examples/SBOM/laravel-7.12.0/bom.1.4.json", 63, 63},
           Row{"CycloneDX/bom-examples/SBOM/dropwizard-1.3.15/bom.json", 168, 168},
           Row{"CycloneDX/bom-examples/SBOM/proton-bridge/proton-bridge-v1.8.0.bom.json", 202, 202},
           Row{"CycloneDX/bom-examples/SBOM/protonmail-webclient-v4-0912dff/bom.json", 884, 884},
           Row{"CycloneDX/dependency-track/apiserver/src/test/resources/unit/bom-issue4455.json",
               22, 22},
           Row{"CycloneDX/dependency-track/e2e/src/test/resources/dtrack-apiserver-4.5.0.bom.json",
               133, 133},
           Row{"CycloneDX/dependency-track/apiserver/src/test/resources/unit/"
               "bom-metadata-components.json",
               186, 186},
           Row{"claircore/purl/testdata/go-hummingbird.spdx.json", 597, 10},
           Row{"claircore/sbom/spdx/testdata/round-trip/ubi8-micro.spdx.json", 20, 0},
           Row{"syft/syft/format/spdxjson/testdata/spdx/alpine-3.10.syft.spdx.json", 3, 3},
           Row{"syft/syft/format/spdxjson/testdata/identify/3.0.json", 1, 0},
       })
    rows.emplace(row.name, row);
  const auto walked = for_each_sbom([&](const std::string& name, std::string_view bytes) {
    const auto row = rows.find(std::string_view(name).substr(name.starts_with("./") ? 2 : 0));
    if (row == rows.end()) return;
    const auto inventory = read(bytes);
    std::size_t with_ecosystem = 0;
    for (const auto& package : inventory.packages)
      with_ecosystem += package.ecosystem.empty() ? 0 : 1;
    EXPECT_EQ(inventory.packages.size(), row->second.packages) << name;
    EXPECT_EQ(with_ecosystem, row->second.with_ecosystem) << name;
    rows.erase(row);
  });
  ASSERT_TRUE(walked.has_value()) << walked.error().what;
  EXPECT_TRUE(rows.empty()) << rows.begin()->first;
}

TEST(SbomArchive, every_inventory_survives_both_formats) {
  NEED_TEST_DATA("inventories/sbom/sboms.tar.zst");
  const auto walked = for_each_sbom([&](const std::string& name, std::string_view bytes) {
    const auto inventory = read_sbom(bytes, name);
    if (!inventory.has_value()) return;
    for (const auto& text : {write_cyclonedx(*inventory, 0), write_spdx(*inventory, 0)}) {
      const auto again = read_sbom(text, name);
      ASSERT_TRUE(again.has_value()) << name << ": " << again.error().what;
      ASSERT_EQ(again->packages.size(), inventory->packages.size()) << name;
      for (std::size_t i = 0; i < again->packages.size(); ++i)
        EXPECT_EQ(identity(again->packages[i]), identity(inventory->packages[i])) << name;
      EXPECT_EQ(again->os.id, inventory->os.id) << name;
      EXPECT_EQ(again->os.release, inventory->os.release) << name;
    }
  });
  ASSERT_TRUE(walked.has_value()) << walked.error().what;
}

Inventory sample() {
  Inventory inventory{.target = Inventory::Target::root, .name = "/mnt/disk"};
  inventory.os = {.id = "almalinux",
                  .version_id = "9.4",
                  .codename = "",
                  .pretty_name = "AlmaLinux 9.4",
                  .id_like = {"rhel"},
                  .ecosystem = "AlmaLinux",
                  .release = "9"};
  inventory.packages.push_back({.ecosystem = "AlmaLinux",
                                .release = "9",
                                .kind = "rpm",
                                .name = "nodejs",
                                .version = "1:18.1-2.module_el9",
                                .arch = "x86_64",
                                .source_name = "nodejs",
                                .source_version = "1:18.1-2.module_el9",
                                .module_label = "nodejs:18:9040:rhel9",
                                .vendor = "AlmaLinux",
                                .location = "var/lib/rpm/rpmdb.sqlite",
                                .license = "MIT and ASL 2.0"});
  inventory.packages.push_back({.ecosystem = "AlmaLinux",
                                .release = "9",
                                .kind = "rpm",
                                .name = "gpg-pubkey",
                                .version = "1-2",
                                .listed_only = true});
  return inventory;
}

TEST(SbomWrite, the_same_inventory_gives_the_same_bytes) {
  const auto inventory = sample();
  EXPECT_EQ(write_cyclonedx(inventory, 1000), write_cyclonedx(inventory, 1000));
  EXPECT_NE(write_cyclonedx(inventory, 1000), write_cyclonedx(inventory, 1001));
  EXPECT_EQ(write_spdx(inventory, 1000), write_spdx(inventory, 1000));
}

TEST(SbomWrite, packages_come_back_with_all_that_matching_needs) {
  const auto inventory = sample();
  for (const auto& text : {write_cyclonedx(inventory, 0), write_spdx(inventory, 0)}) {
    const auto again = read(text);
    ASSERT_EQ(again.packages.size(), 2U) << text;
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_EQ(identity(again.packages[i]), identity(inventory.packages[i]));
    EXPECT_EQ(again.packages[0].vendor, "AlmaLinux");
    EXPECT_EQ(again.os.id, "almalinux");
    EXPECT_EQ(again.os.release, "9");
    EXPECT_TRUE(again.skips.empty());
  }
}

TEST(SbomWrite, the_packages_of_real_systems_come_back) {
  NEED_TEST_DATA("inventories");
  for (const std::string_view root :
       {"dpkg/debian-bookworm-server", "dpkg/debian-trixie-server", "dpkg/claircore-texlive",
        "rpm/alma8", "rpm/alma9-bulk", "rpm/go-rpmdb-cbl-mariner-2.0", "rpm/go-rpmdb-sle15-bci",
        "rpm/osquery-sqlite", "apk/alpine-3.11-aged"}) {
    const auto inventory =
        inventory::inspect_root(test::data_path(fmt::format("inventories/{}", root)));
    ASSERT_TRUE(inventory.has_value()) << root;
    ASSERT_FALSE(inventory->packages.empty()) << root;
    for (const auto& text : {write_cyclonedx(*inventory, 0), write_spdx(*inventory, 0)}) {
      const auto again = read(text);
      ASSERT_EQ(again.packages.size(), inventory->packages.size()) << root;
      for (std::size_t i = 0; i < again.packages.size(); ++i)
        ASSERT_EQ(identity(again.packages[i]), identity(inventory->packages[i])) << root;
    }
  }
}

Lines reasons(const Inventory& inventory) {
  Lines out;
  for (const auto& skip : inventory.skips) out.push_back(skip.reason);
  return out;
}

Lines reasons_of_compositions(std::string_view compositions) {
  return reasons(read(fmt::format(
      R"({{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"type":"library",)"
      R"("name":"a","purl":"pkg:npm/a@1"}}],"compositions":{}}})",
      compositions)));
}

std::string not_complete(std::string_view words) {
  return fmt::format("the document says itself that it is not complete: {}", words);
}

TEST(SbomCycloneDx, a_composition_says_whether_packages_may_be_missing) {
  for (const auto* complete :
       {"[]", "null", R"([{"aggregate":"complete"}])", R"([{"aggregate":"not_specified"}])",
        R"([{"aggregate":"incomplete","vulnerabilities":["v"]}])"})
    EXPECT_EQ(reasons_of_compositions(complete), Lines{}) << complete;
  for (const std::string_view aggregate :
       {"incomplete", "incomplete_first_party_only", "incomplete_first_party_proprietary_only",
        "incomplete_first_party_opensource_only", "incomplete_third_party_only",
        "incomplete_third_party_proprietary_only", "incomplete_third_party_opensource_only",
        "unknown", "a word of a later version", ""})
    EXPECT_EQ(reasons_of_compositions(fmt::format(
                  R"([{{"aggregate":"complete","assemblies":["s"]}},{{"aggregate":"{}"}},{{}}])",
                  aggregate)),
              Lines{not_complete(fmt::format("aggregate \"{}\"", aggregate))});
  for (const auto* part : {R"("assemblies":["a"])", R"("dependencies":["a"])",
                           R"("dependencies":["a"],"vulnerabilities":["v"])"})
    EXPECT_EQ(reasons_of_compositions(fmt::format(R"([{{"aggregate":"unknown",{}}}])", part)),
              Lines{not_complete("aggregate \"unknown\"")});
  EXPECT_EQ(reasons_of_compositions(R"({"aggregate":"complete"})"),
            Lines{"compositions is no array"});
}

TEST(SbomSpdx, known_unknowns_are_packages_that_may_be_missing) {
  const auto two = [](std::string_view type, std::string_view related) {
    return reasons(read(fmt::format(
        R"({{"spdxVersion":"SPDX-2.3","packages":[{{"SPDXID":"SPDXRef-a","name":"a","externalRefs":)"
        R"([{{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}}]}}],"relationships":)"
        R"([{{"spdxElementId":"SPDXRef-a","relationshipType":"{}","relatedSpdxElement":"{}"}}]}})",
        type, related)));
  };
  EXPECT_EQ(two("CONTAINS", "NOASSERTION"), Lines{not_complete("CONTAINS NOASSERTION")});
  EXPECT_EQ(two("DEPENDS_ON", "NOASSERTION"), Lines{not_complete("DEPENDS_ON NOASSERTION")});
  EXPECT_EQ(two("CONTAINS", "NONE"), Lines{});
  EXPECT_EQ(two("GENERATED_FROM", "NOASSERTION"), Lines{});
  const auto three = [](std::string_view relationship) {
    return reasons(read(fmt::format(
        R"({{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[)"
        R"({{"type":"software_Package","spdxId":"a","name":"a","software_packageUrl":"pkg:npm/a@1"}},)"
        R"({{"type":"Relationship","spdxId":"r","from":"a",{}}}]}})",
        relationship)));
  };
  EXPECT_EQ(three(R"("relationshipType":"contains","to":["b"],"completeness":"incomplete")"),
            Lines{not_complete("contains incomplete")});
  EXPECT_EQ(three(R"("relationshipType":"dependsOn",)"
                  R"("to":["https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"])"),
            Lines{not_complete("dependsOn NoAssertion")});
  EXPECT_EQ(three(R"("relationshipType":"contains","to":["b"],"completeness":"complete")"),
            Lines{});
}

TEST(Sbom, a_package_whose_text_has_a_nul_byte_is_a_skip_that_names_it) {
  const auto inventory =
      read(R"({"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"name":"s",)"
           R"("purl":"pkg:npm/s%00@1"}},"components":[{"name":"a","purl":"pkg:npm/a@1"},)"
           R"({"name":"b","version":"2","purl":"pkg:npm/b%00@2"},)"
           R"({"name":"c","purl":"pkg:npm/c\u0000@3"}]})");
  ASSERT_EQ(inventory.packages.size(), 1U);
  std::vector<std::string> named;
  for (const auto& skip : inventory.skips)
    if (skip.reason == "its text has a NUL byte") named.push_back(skip.record);
  EXPECT_EQ(named, (Lines{"b@2", "c", "s"}));
}

TEST(Sbom, one_that_names_no_package_that_can_be_identified_says_so) {
  for (const auto* components : {"[]", R"([{"type":"library","name":"a","version":"1"}])",
                                 R"([{"type":"library","name":"a","purl":"pkg:unknowntype/a@1"}])",
                                 R"([{"type":"container","name":"a","purl":"pkg:oci/a@1"}])"})
    EXPECT_EQ(
        reasons(read(fmt::format(
            R"({{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}}})", components))),
        Lines{"the document names no package that can be identified"})
        << components;
  EXPECT_EQ(reasons(read(R"({"spdxVersion":"SPDX-2.3","packages":[]})")).size(), 1U);
}

TEST(SbomWrite, what_was_not_read_makes_the_document_incomplete) {
  auto inventory = sample();
  EXPECT_FALSE(write_cyclonedx(inventory, 0).contains("incomplete"));
  inventory.skips.push_back({.file = "var/lib/dpkg/status", .record = "", .reason = "unreadable"});
  EXPECT_TRUE(write_cyclonedx(inventory, 0).contains(R"("aggregate": "incomplete")"));
  EXPECT_TRUE(write_spdx(inventory, 0).contains("entries that could not be read: 1"));
  for (const auto& text : {write_cyclonedx(inventory, 0), write_spdx(inventory, 0)})
    EXPECT_EQ(read(text).skips.size(), 1U) << text;
  inventory.skips.clear();
  for (const auto& text : {write_cyclonedx(inventory, 0), write_spdx(inventory, 0)})
    EXPECT_TRUE(read(text).skips.empty()) << text;
}

TEST(SbomWrite, what_is_known_of_packages_is_said_in_both_formats) {
  const Extras extras{.properties = {{"accountId", "111122223333"}},
                      .vulnerabilities = {{.id = "CVE-2024-1", .packages = {0, 1}}}};
  const auto cyclonedx = write_cyclonedx_1_4(sample(), 0, extras);
  EXPECT_TRUE(cyclonedx.contains(R"("specVersion": "1.4")"));
  EXPECT_TRUE(cyclonedx.contains(R"("name": "accountId")"));
  EXPECT_TRUE(cyclonedx.contains(R"("id": "CVE-2024-1")"));
  EXPECT_TRUE(cyclonedx.contains(R"("ref": "package-1")"));
  EXPECT_FALSE(cyclonedx.contains("platform"));  // a type of 1.5
  const auto spdx = write_spdx(sample(), 0, extras);
  EXPECT_TRUE(spdx.contains(R"("referenceCategory": "SECURITY")"));
  EXPECT_TRUE(spdx.contains(R"("referenceLocator": "CVE-2024-1")"));
  for (const auto& text : {cyclonedx, spdx}) {
    const auto again = read(text);
    ASSERT_EQ(again.packages.size(), 2U);
    EXPECT_EQ(identity(again.packages[0]), identity(sample().packages[0]));
  }
}

}  // namespace
}  // namespace tenken::sbom
