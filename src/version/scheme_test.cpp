// Our own cases: per scheme a chain of ascending classes of equal versions, and what it refuses.
#include "version/scheme.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"

namespace tenken::version {
namespace {

struct Chain {
  std::string_view scheme;
  std::string_view ascending;  // "1.0~rc1 < 1.0 = 1.00 < 1.1"
};

constexpr Chain chains[] = {
    {"alpm", "0.9 < 1.0~rc1 < 1.0rc < 1.0 < 1.0-1 = 1.00-01 < 1.0-2 < 1.0.a < 1.0.1 < 1.0..1"},
    {"alpm", "99-9 < 1:0.1 < 2:0"},
    {"apk", "1_alpha < 1_alpha1 < 1_beta < 1_pre < 1_rc2 < 1 < 1-r0 < 1-r1 = 1.r1 < 1_git2 < 1_p"},
    {"apk", "1_p1 < 1a < 1b < 1b2 < 1.0 < 1.01 < 1.1 < 1.2 < 1.10 < 2 < 10 < 99999999999999999999"},
    {"apk", "1.2~0a1 < 1.2~0b1"},
    {"composer", "dev-main < 0.9 < 1.0-dev < 1.0-alpha1 = 1.0a1 < 1.0-beta.2 = v1.0.0b2 < 1.0-RC1"},
    {"composer", "1.0-RC1 < 1 = 1.0.0 = v1.0 = 1.0.0-stable = 1.0+build < 1.0-p1 < 1.0.1 < 1.0.10"},
    {"conan", "0.9 < 1.0-alpha.3 < 1.0-alpha.22 < 1 = 1.0.0 < 1.0+b1 < 1.0+b2 < 1.1 < 1.1w < 1.a"},
    {"conan", "cci.20200101 < cci.20210101 < system"},
    {"cran", "0.9 < 0.75 < 1.9 < 1.9-0 = 1.9.0 < 1.9-10 < 1.10"},
    {"dpkg", "1~~ < 1~~a < 1~ < 1~rc1 < 1 = 0:1 = 1-0 < 1-0.1 < 1a < 1+ < 1. = 1.0-0 < 1.1 < 2"},
    {"dpkg", "1.9-1 < 1.10-1~bpo12+1 < 1.10-1 < 1.10-1+b1 < 1.10-1+deb12u1 < 1.10-2 < 1:0.1-1"},
    {"dpkg", "99999999999999999998 < 99999999999999999999 < 1:0 < 10:0 < 4294967296:0"},
    {"gentoo",
     "1_alpha < 1_beta2 < 1_pre < 1_rc < 1 = 1-r0 < 1-r1 < 1_p = 1_p0 < 1_p1 < 1a < 1.01"},
    {"gentoo", "1.01 = 1.010 < 1.02 < 1.1 < 1.10"},
    {"go", "v0.0.0-20170116102854-1ef0e047d5a7 < v0.0.0-20180116102854-5a71ef0e047d < 1.20.0-0"},
    {"go", "1.20.0-0 < 1.20.0-rc.1 = go1.20rc1 < go1.20 = 1.20.0 < v2.0.0 = v2.0.0+incompatible"},
    {"hackage", "0.9 < 1 < 1.0 < 1.0.0 < 1.2 < 1.10"},
    {"jvm", "1.7.0 = 7 < 8.0.13-ea+b2 = 1.8.0_13-ea-b001 < 1.8.0_13 = 8.0.13+8 = 8u13 < 8.0.14"},
    {"jvm", "9 < 11.0.2+9-LTS = 11.0.2 = 11.0.2-LTS < 17.0.1"},
    {"maven", "1-alpha-1 = 1.0.a1 < 1-b2 = 1.0.0-beta-2 < 1-m3 < 1-rc = 1-cr < 1-SNAPSHOT < 1"},
    {"maven", "1 = 1.0 = 1.0.GA = 1-final = 1.0.0.RELEASE < 1-sp < 1-jre < 1-1 < 1.1 < 1.9 < 1.10"},
    {"maven", "3.7-rc < 3.7.0.rc.2 < 3.7.0.rc.3 < 3.7 < 3.7-1 < 3.7.1"},
    {"nuget", "1.0.0-ALPHA = 1.0-alpha < 1.0.0-alpha.2 < 1.0.0-alpha.10 < 1.0-beta < 1 < 1.0.0.1"},
    {"opam", "v0.9 < v0.16.0 < v0.16.1"},
    {"opam", "4.14.0~rc1 < 4.14.0 < 4.14.0+options < 5"},
    {"openssl", "1.0.2-beta1 < 1.0.2 < 1.0.2a-dev < 1.0.2a = 1.0.2a-fips < 1.0.2z < 1.0.2za"},
    {"openssl", "1.1.1w < 3.0.0-dev < 3.0.0-alpha9 < 3.0.0-alpha17 < 3.0.0 < 3.0.10"},
    {"pep440", "0.1-bulbasaur < 0.9-doduo < 1.dev1 < 1a1.dev1 < 1a1 = 1.0.0alpha_1 < 1b2 < 1c1"},
    {"pep440",
     "1c1 = 1rc1 = 1-preview-1 < 1 = 1.0 = v1 < 1+a < 1+a.1 < 1+1 < 1.post1 = 1-1 = 1-r1"},
    {"pep440", "1.post1 < 1.post1+x < 1.1.dev1 < 1.1 < 99999999999999999999 < 1!0.1"},
    {"pub", "1.0.0-a < 1.0.0-a+1 < 1.0.0 < 1.0.0+1 < 1.0.0+2 < 1.0.0+10 < 1.0.0+a < 1.0.1"},
    {"rpm",
     "1~rc1 < 1 = 0:1 = (none):1 < 1-1 < 1-1.el9 < 1^git1 < 1^git1-1 < 1.a = 1_a < 1.1 < 1:0"},
    {"rpm", "1-2-1 < 1-2-2 < 1-3-1"},
    {"rpm", "5.14.0-70.13.1.el9_0 < 5.14.0-70.22.1.el9_0 < 5.14.0-162.6.1.el9_1"},
    {"rpm_nevra", "1-1 < 1-2 < a-1-1.x86_64 < a-1-1.1.x86_64 < a-1:0-1.x86_64 < b-c-1-1.noarch"},
    {"rpm_vercmp", "~1 < a = a+ = .a < 1~ < 1 = 01 = .1 < 1.0 = 1_0 < 1.0^ < 1.0.1"},
    {"rubygems", "1.a < 1.a.1 < 1-alpha = 1.pre.alpha < 1.rc1 < 1 = 1.0.0 < 1.1 < 1.1.1 < 1.10"},
    {"rubygems", "1.a.0.b < 1.a < 1.a.0.1 < 1.a.1"},
    {"semver", "0.0.0-0 < 0 < 1.0.0-0 < 1.0.0-1 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta"},
    {"semver", "1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1 = v1.0 = 1.0.0+b < 1.0.0.1 < 1.0.1"},
    {"semver", "99999999999999999998.0.0 < 99999999999999999999.0.0"},
};

struct Refused {
  std::string_view scheme;
  std::vector<std::string_view> versions;
};

const Refused refused[] = {
    {"alpm", {"", "1.0.", "1.0-1.", "1:", "1 0"}},
    {"apk", {"", "x y", "1-1", "1-x0", "1_y8", "1.-r1", "2.r-r1", "1-r", "1/2", "A1"}},
    {"composer", {"", "v", "master", "1.x-dev", "UNKNOWN", "@package_version@"}},
    {"conan", {"", "1 0"}},
    {"cran", {"", "1.a", "1..2", "1.", "-1"}},
    {"dpkg", {"", "a1", "1:", ":1", "a:1", "-1:1", "1-", "1 0", "1:a", "1/2", "<unfixed>"}},
    {"gentoo", {"", "a", "1.", "1.0_x1", "1-r", "1-1", "1ab"}},
    {"go", {"", "(devel)", "go", "go1.21-custom", "go1.20.3 X:boringcrypto", "v"}},
    {"hackage", {"", "1-2", "1.x"}},
    {"jvm", {"", "x", "1.8.0_", "8-", "8.", "8x"}},
    {"maven", {"", "1 0", "1.0\xC3\xA9"}},
    {"nuget", {"", "1.0-", "1.0-a..b", "x"}},
    {"openssl", {"", "1.0.", "fips", "1.0.2-x", "1.0.2a-fips-x"}},
    {"pep440", {"", "UNKNOWN", "master", "x@y", "1.0 beta"}},
    {"pub", {"", "1.0.0+", "1.0.0+a_b"}},
    {"rpm_nevra", {"", "a b"}},
    {"rubygems", {"", "x", "-", "1..2", "1/2", "1.", "1-"}},
    {"semver", {"", "v", "latest", "1.", "1..2", "1.0.0-", "1.0.0-a..b", "1.0.0-a_b", "1.x", "*"}},
};

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  for (const auto word : split(text, ' '))
    if (!word.empty()) out.push_back(word);
  return out;
}

TEST(Schemes, AreSortedByIdAndFoundByIt) {
  EXPECT_TRUE(std::ranges::is_sorted(schemes(), {}, &Scheme::id));
  for (const auto* scheme : schemes()) EXPECT_EQ(find_scheme(scheme->id), scheme);
  EXPECT_EQ(find_scheme("dpkg9"), nullptr);
  EXPECT_EQ(find_scheme(""), nullptr);
}

TEST(Schemes, EachHaveACaseHere) {
  for (const auto* scheme : schemes())
    EXPECT_NE(std::ranges::find(chains, scheme->id, &Chain::scheme), std::end(chains))
        << scheme->id;
}

TEST(Schemes, OrderTheirChains) {
  for (const auto& chain : chains) {
    const auto* scheme = find_scheme(chain.scheme);
    ASSERT_NE(scheme, nullptr) << chain.scheme;
    struct Place {
      std::string_view version;
      int rank;
    };
    std::vector<Place> places;
    int rank = 0;
    for (const auto word : words(chain.ascending)) {
      if (word == "<") ++rank;
      if (word != "<" && word != "=") places.push_back({word, rank});
    }
    for (const auto& a : places)
      for (const auto& b : places) {
        const auto order = compare(*scheme, a.version, b.version);
        ASSERT_TRUE(order.has_value()) << chain.scheme << ": " << order.error().what;
        EXPECT_EQ(*order, a.rank <=> b.rank)
            << chain.scheme << ": " << a.version << " against " << b.version;
      }
  }
}

TEST(Schemes, RefuseWhatTheyCannotOrder) {
  for (const auto& [id, versions] : refused)
    for (const auto version : versions) {
      const auto key = find_scheme(id)->encode(version);
      if (id == "rubygems" && version.empty()) continue;  // Gem::Version reads "" as "0"
      ASSERT_FALSE(key.has_value()) << id << ": \"" << version << '"';
      EXPECT_EQ(key.error().code, Errc::invalid);
      EXPECT_FALSE(key.error().what.empty());
    }
}

TEST(Schemes, OrderNumbersOfAnyLength) {
  for (const auto* scheme : schemes()) {
    const std::string longer = "1" + std::string(700, '0');
    const std::string shorter(700, '9');
    EXPECT_EQ(compare(*scheme, shorter, longer).value(), std::strong_ordering::less) << scheme->id;
    EXPECT_EQ(compare(*scheme, longer + "1", longer + "2").value(), std::strong_ordering::less);
  }
}

TEST(Compare, NamesTheVersionItCannotOrder) {
  const auto order = compare(*find_scheme("dpkg"), "1.0", "\x1B[31mred");
  ASSERT_FALSE(order.has_value());
  EXPECT_EQ(order.error().what, "version \"\\x1b[31mred\": version does not start with a digit");
}

}  // namespace
}  // namespace tenken::version
