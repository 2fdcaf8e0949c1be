#include "sbom/purl.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "support/test_data.h"

namespace tenken::sbom {
namespace {

Purl purl_from_json(json::Value value) {
  const auto text = [&](std::string_view key) { return std::string(value[key].string()); };
  Purl purl{.type = text("type"),
            .ns = text("namespace"),
            .name = text("name"),
            .version = text("version"),
            .qualifiers = {},
            .subpath = text("subpath")};
  value["qualifiers"].for_each_member([&](std::string_view key, json::Value member) {
    purl.qualifiers.emplace(key, member.string());
  });
  return purl;
}

std::string shown(const Result<Purl>& purl) {
  return purl.has_value() ? to_string(*purl) : purl.error().what;
}

void check_case(json::Value test) {
  const auto type = test["test_type"].string();
  const auto input = test["input"];
  const auto name = std::string(input.string()) + " " + to_string(purl_from_json(input)) + ": " +
                    std::string(test["description"].string());
  const auto purl = type == "build"   ? normal_purl(purl_from_json(input))
                    : type == "parse" ? parse_purl(input.string())
                                      : parse_purl(input.string(), KeyCase::any);
  const bool must_fail = test["expected_failure"].boolean().value_or(false);
  EXPECT_EQ(purl.has_value(), !must_fail) << name << ": " << shown(purl);
  if (!purl.has_value() || must_fail) return;
  if (type == "parse")
    EXPECT_EQ(*purl, purl_from_json(test["expected_output"])) << name << ": " << shown(purl);
  else
    EXPECT_EQ(to_string(*purl), test["expected_output"].string()) << name;
}

TEST(Purl, the_cases_of_the_specification_hold) {
  NEED_TEST_DATA("vectors/purl/purl-spec.json");
  const auto text = read_file(test::data_path("vectors/purl/purl-spec.json"), 1 << 24);
  ASSERT_TRUE(text.has_value());
  json::Parser parser;
  const auto cases = parser.parse(*text);
  ASSERT_TRUE(cases.has_value());
  EXPECT_GT(cases->size(), 400U);
  cases->for_each(check_case);
}

TEST(Purl, what_it_prints_reads_back_the_same) {
  for (const std::string_view text :
       {"pkg:npm/%40angular/animation@12.3.1", "pkg:npm/@angular/animation",
        "pkg:brew/node@20@20.1", "pkg:generic/a%20b/c%2Fd@1%3F?k=%26%3D#x/../y//z",
        "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64"}) {
    const auto first = parse_purl(text);
    ASSERT_TRUE(first.has_value()) << text << ": " << first.error().what;
    const auto again = parse_purl(to_string(*first));
    ASSERT_TRUE(again.has_value()) << to_string(*first);
    EXPECT_EQ(*again, *first) << text;
  }
}

TEST(Purl, the_reason_says_what_is_wrong) {
  EXPECT_EQ(shown(parse_purl("npm/x@1")), "a purl begins with 'pkg:'");
  EXPECT_EQ(shown(parse_purl("pkg:npm")), "a purl needs a type and a name");
  EXPECT_EQ(shown(parse_purl("pkg:npm/")), "a purl needs a name");
  EXPECT_EQ(shown(parse_purl("pkg:n&m/x")), "'n&m' is no purl type");
  EXPECT_EQ(shown(parse_purl("pkg:npm/%zz")), "'%' without two hexadecimal digits");
  EXPECT_EQ(shown(parse_purl("pkg:npm/%ff")), "not UTF-8");
  EXPECT_EQ(shown(parse_purl("pkg:npm/a%2Fb/c")), "a path segment holds an encoded '/'");
  EXPECT_EQ(shown(parse_purl("pkg:npm/x?a=1&a=2")), "qualifier 'a' stands twice");
  EXPECT_EQ(shown(parse_purl("pkg:npm/" + std::string(20'000, 'x'))), "the purl is too long");
}

TEST(Purl, a_question_mark_in_a_url_does_not_reach_the_version) {
  const auto purl = parse_purl("pkg:generic/x@1.0?download_url=https://e.example/?q=1");
  ASSERT_TRUE(purl.has_value());
  EXPECT_EQ(purl->version, "1.0");
}

Package package_of(std::string_view text) {
  const auto purl = parse_purl(text, KeyCase::any);
  EXPECT_TRUE(purl.has_value()) << text;
  return purl.has_value() ? package_from_purl(*purl) : Package();
}

struct Named {
  std::string_view purl, ecosystem, release, name, version;
};

TEST(PurlPackage, type_namespace_and_distro_name_the_ecosystem) {
  for (const auto& want : {
           Named{"pkg:deb/debian/curl@7.88.1-10?distro=debian-12", "Debian", "12", "curl",
                 "7.88.1-10"},
           Named{"pkg:deb/debian/curl@1?distro=debian-12.5", "Debian", "12", "curl", "1"},
           Named{"pkg:deb/debian/curl@1?distro=bookworm", "Debian", "12", "curl", "1"},
           Named{"pkg:deb/debian/curl@1?distro=debian-jessie", "Debian", "8", "curl", "1"},
           Named{"pkg:deb/debian/curl@1?distro=ubuntu-22.04", "Debian", "", "curl", "1"},
           Named{"pkg:deb/ubuntu/curl@1?distro=focal", "Ubuntu", "20.04:LTS", "curl", "1"},
           Named{"pkg:deb/ubuntu/curl@1?distro=ubuntu-23.10", "Ubuntu", "23.10", "curl", "1"},
           Named{"pkg:apk/alpine/curl@1-r0?distro=3.20.3", "Alpine", "v3.20", "curl", "1-r0"},
           Named{"pkg:apk/alpine/curl@1-r0?distro=alpine-edge", "Alpine", "edge", "curl", "1-r0"},
           Named{"pkg:apk/wolfi/curl@1-r0?distro=20230201", "Wolfi", "", "curl", "1-r0"},
           Named{"pkg:rpm/almalinux/curl@1-1?epoch=2&distro=almalinux-9.2", "AlmaLinux", "9",
                 "curl", "2:1-1"},
           Named{"pkg:rpm/rocky/curl@1-1?epoch=0&distro=rocky-8.9", "Rocky Linux", "8", "curl",
                 "1-1"},
           Named{"pkg:rpm/opensuse/curl@1-1?distro=opensuse-leap-15.4", "openSUSE", "Leap 15.4",
                 "curl", "1-1"},
           Named{"pkg:rpm/suse/curl@1-1?distro=sles-15.4", "SUSE", "Linux Enterprise Server 15 SP4",
                 "curl", "1-1"},
           Named{"pkg:rpm/fedora/curl@1-1?distro=fedora-40", "", "", "curl", "1-1"},
           Named{"pkg:npm/%40angular/core@1.0.0", "npm", "", "@angular/core", "1.0.0"},
           Named{"pkg:maven/org.apache/io@1", "Maven", "", "org.apache:io", "1"},
           Named{"pkg:golang/github.com/BurntSushi/toml@v1.2.0#sub", "Go", "",
                 "github.com/BurntSushi/toml", "v1.2.0"},
           Named{"pkg:composer/Laravel/framework@1", "Packagist", "", "laravel/framework", "1"},
           Named{"pkg:conan/bincrafters/cctz@2.3?channel=stable", "ConanCenter", "", "cctz", "2.3"},
           Named{"pkg:githubactions/actions/checkout@v4", "GitHub Actions", "", "actions/checkout",
                 "v4"},
           Named{"pkg:swift/github.com/apple/swift-nio@2", "SwiftURL", "",
                 "github.com/apple/swift-nio", "2"},
           Named{"pkg:generic/openssl@3", "", "", "openssl", "3"},
       }) {
    const auto package = package_of(want.purl);
    EXPECT_EQ(package.ecosystem, want.ecosystem) << want.purl;
    EXPECT_EQ(package.release, want.release) << want.purl;
    EXPECT_EQ(package.name, want.name) << want.purl;
    EXPECT_EQ(package.version, want.version) << want.purl;
  }
}

TEST(PurlPackage, upstream_names_the_source) {
  auto package = package_of("pkg:deb/debian/libssl3@3.0.1-1?upstream=openssl%403.0.1-2");
  EXPECT_EQ(package.source_name, "openssl");
  EXPECT_EQ(package.source_version, "3.0.1-2");
  package = package_of("pkg:rpm/fedora/x@1-1?upstream=chkconfig-1.33-2.fc43.src.rpm");
  EXPECT_EQ(package.source_name, "chkconfig");
  EXPECT_EQ(package.source_version, "1.33-2.fc43");
  EXPECT_EQ(package_of("pkg:apk/alpine/x@1?origin=zlib").source_name, "zlib");
  EXPECT_EQ(package_of("pkg:npm/x@1?upstream=y").source_name, "");
  package = package_of("pkg:rpm/redhat/nodejs@18?rpmmod=nodejs:18:1:a");
  EXPECT_EQ(package.module_label, "nodejs:18:1:a");
  EXPECT_TRUE(package_of("pkg:rpm/rocky/gpg-pubkey@1-2").listed_only);
  EXPECT_TRUE(package_of("pkg:oci/app@sha256:00").listed_only);
}

TEST(PurlPackage, a_package_survives_the_way_through_its_purl) {
  for (const auto& [ecosystem, release, kind, name] :
       std::initializer_list<std::array<std::string_view, 4>>{
           {"Debian", "12", "deb", "libssl3"},
           {"Ubuntu", "22.04:LTS", "deb", "libssl3"},
           {"Alpine", "v3.18", "apk", "busybox"},
           {"Alpine", "edge", "apk", "busybox"},
           {"AlmaLinux", "9", "rpm", "nodejs"},
           {"Rocky Linux", "8", "rpm", "nodejs"},
           {"Red Hat", "9", "rpm", "nodejs"},
           {"openSUSE", "Leap 15.4", "rpm", "x"},
           {"openSUSE", "Tumbleweed", "rpm", "x"},
           {"SUSE", "Linux Enterprise Server 15 SP4", "rpm", "x"},
           {"SUSE", "Linux Enterprise Server for SAP Applications 15 SP4", "rpm", "x"},
           {"openEuler", "22.03-LTS-SP2", "rpm", "x"},
           {"Photon OS", "4.0", "rpm", "x"},
           {"Azure Linux", "3", "rpm", "x"},
           {"Wolfi", "", "apk", "x"},
           {"npm", "", "npm", "@a/b"},
           {"Maven", "", "maven", "g:a"},
           {"Go", "", "golang", "example.org/M/v2"},
       }) {
    Package package{.ecosystem = std::string(ecosystem),
                    .release = std::string(release),
                    .kind = std::string(kind),
                    .name = std::string(name),
                    .version = "1:2.3-4"};
    if (kind == "deb" || kind == "rpm" || kind == "apk") {
      package.arch = "x86_64";
      package.source_name = "src-name";
      package.source_version = "1:2.3-4";
    }
    if (kind == "rpm") package.module_label = "nodejs:18:9040:rhel9";
    const auto purl = purl_from_package(package);
    ASSERT_TRUE(purl.has_value());
    const auto again = package_of(to_string(*purl));
    const auto text = to_string(*purl);
    EXPECT_EQ(again.ecosystem, package.ecosystem) << text;
    EXPECT_EQ(again.release, package.release) << text;
    EXPECT_EQ(again.name, package.name) << text;
    EXPECT_EQ(again.version, package.version) << text;
    EXPECT_EQ(again.arch, package.arch) << text;
    EXPECT_EQ(again.source_name, package.source_name) << text;
    EXPECT_EQ(again.source_version, package.source_version) << text;
    EXPECT_EQ(again.module_label, package.module_label) << text;
  }
}

TEST(PurlPackage, a_distribution_without_ecosystem_is_named_by_the_system) {
  const Package package{.kind = "rpm", .name = "curl", .version = "1-1.fc40"};
  const auto purl = purl_from_package(package, {.id = "fedora", .version_id = "40"});
  ASSERT_TRUE(purl.has_value());
  EXPECT_EQ(to_string(*purl), "pkg:rpm/fedora/curl@1-1.fc40?distro=fedora-40");
  EXPECT_FALSE(purl_from_package({.name = "thing"}));
}

}  // namespace
}  // namespace tenken::sbom
