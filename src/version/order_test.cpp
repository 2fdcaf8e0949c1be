// Keys against comparers that work without keys, and against dpkg and rpm where they are installed,
// on random versions of the alphabets that packages use.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "version/reference_comparers.h"
#include "version/scheme.h"

namespace tenken::version {
namespace {

using Pieces = std::vector<std::string_view>;

// Random versions the scheme can encode: a start, then pieces.
class Versions {
 public:
  // lowest: versions below it are left out.
  Versions(std::string_view scheme, Pieces starts, Pieces pieces, std::string_view lowest = {})
      : scheme_(*find_scheme(scheme)), starts_(std::move(starts)), pieces_(std::move(pieces)) {
    if (!lowest.empty()) lowest_ = scheme_.encode(lowest).value();
  }

  const Scheme& scheme() const { return scheme_; }

  std::string next() { return grown({pick(starts_)}, 6); }

  // Often close to the version given last, so that the order is decided late.
  std::string next_near_last() {
    if (random_() % 2 == 0) return next();
    const auto kept = 1 + random_() % last_.size();
    return grown({last_.begin(), last_.begin() + static_cast<std::ptrdiff_t>(kept)}, 3);
  }

 private:
  bool fits(const std::string& version) const {
    const auto key = scheme_.encode(version);
    return key && *key >= lowest_;
  }
  std::string grown(const Pieces& start, std::size_t limit) {
    for (;;) {
      last_ = start;
      for (auto count = random_() % limit; count > 0; --count) last_.push_back(pick(pieces_));
      std::string version;
      for (const auto piece : last_) version += piece;
      if (fits(version)) return version;
    }
  }
  std::string_view pick(const Pieces& from) { return from[random_() % from.size()]; }

  const Scheme& scheme_;
  Pieces starts_;
  Pieces pieces_;
  Key lowest_;
  Pieces last_;
  std::mt19937_64 random_{20240229};
};

Versions debian() {
  return {"dpkg",
          {"0", "1", "1:0", "2:1", "10", "0:1"},
          {".", "0", "1",  "2",  "10",  "01",      "~",       "~rc1",     "+",     "a", "b",
           "Z", "-", "-1", "-0", "+b1", "deb12u1", "ubuntu1", "~bpo12+1", ".dfsg", "_"}};
}
Versions rpm() {
  return {"rpm",
          {"0", "1", "1:0", "2:1", "10", "a", "0:1"},
          {".", "0", "1", "2", "10", "01", "~", "^", "~rc1", "^git1", "+", "a", "b", "Z", "-1",
           "-0", ".el9", "_4", ".module+el8"}};
}
Versions alpine() {
  return {"apk",
          {"0", "1", "2.0", "10", "1.2"},
          {".0",    ".1",   ".2",  ".10",  ".01",          ".010",
           ".",     "a",    "b",   "p1",   "_alpha",       "_beta2",
           "_pre",  "_rc1", "_p",  "_p1",  "_git20200101", "_cvs",
           "~0a1f", "-r0",  "-r1", "-r10", ".r1"}};
}
// Legacy versions, all below, have no normal form.
Versions python() {
  return {"pep440",
          {"0", "1", "1.0", "1!0", "2!1.0", "10"},
          {".0", ".1", ".10", "a0", "a1", "b2", "rc1", "rc10", ".post0", ".post1", ".dev0", ".dev2",
           "+a", "+1", "+a.1", "+1.a"},
          "0.dev0"};
}
Versions semver() {
  return {"semver",
          {"0", "1", "1.0", "v1.0.0", "10.0.0", "1.2.3"},
          {".0", ".1", ".10", "-0", "-1", "-alpha", "-rc", "-a-b", ".x", ".2", "+b", "+1"}};
}
Versions maven() {
  return {
      "maven",
      {"0", "1", "1.0", "10", "2.1"},
      {".0", ".1",  ".10",       "-0",     "-1",  "-",   ".",    "-alpha", "-beta-2", "a1",  "b2",
       "m3", "-rc", "-SNAPSHOT", ".Final", "-ga", "-sp", "-jre", ".GA",    "-xyz",    ".x1", "_2"}};
}

int as_int(std::strong_ordering order) {
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

using Comparer = std::function<int(std::string_view, std::string_view)>;

void expect_keys_agree(Versions versions, const Comparer& reference) {
  for (int i = 0; i < 20'000; ++i) {
    const auto a = versions.next();
    const auto b = versions.next_near_last();
    const auto order = compare(versions.scheme(), a, b);
    ASSERT_TRUE(order.has_value()) << order.error().what;
    ASSERT_EQ(as_int(*order), reference(a, b)) << a << " against " << b;
    ASSERT_EQ(as_int(*order), -reference(b, a)) << b << " against " << a;
  }
}

TEST(VersionOrder, KeysSortAsDpkgWalks) {
  expect_keys_agree(debian(), reference::compare_dpkg);
}
TEST(VersionOrder, KeysSortAsRpmWalks) {
  expect_keys_agree(rpm(), reference::compare_rpm);
}
TEST(VersionOrder, KeysSortAsApkWalks) {
  expect_keys_agree(alpine(), reference::compare_apk);
}
TEST(VersionOrder, KeysSortAsPep440Compares) {
  expect_keys_agree(python(), reference::compare_pep440);
}
TEST(VersionOrder, KeysSortAsSemverCompares) {
  expect_keys_agree(semver(), reference::compare_semver);
}

TEST(VersionOrder, KeysSortAsMavenComparesWhereThatIsAnOrder) {
  auto versions = maven();
  int contested = 0;
  constexpr int pairs = 20'000;
  for (int i = 0; i < pairs; ++i) {
    const auto a = versions.next();
    const auto b = versions.next_near_last();
    const auto reference = reference::compare_maven(a, b);
    const auto order = compare(versions.scheme(), a, b);
    ASSERT_TRUE(order.has_value()) << order.error().what;
    if (reference.contested) {
      ++contested;
      ASSERT_EQ(as_int(*order), -reference.order) << a << " against " << b;
    } else {
      ASSERT_EQ(as_int(*order), reference.order) << a << " against " << b;
    }
  }
  EXPECT_LT(contested, pairs / 20);
}

// The whole table of a sample: what the keys say about a < b and b < c holds for a and c without
// keys too.
void expect_total(Versions versions, const Comparer& reference) {
  std::vector<std::string> sample;
  for (int i = 0; i < 40; ++i)
    sample.push_back(i % 3 == 0 ? versions.next() : versions.next_near_last());
  for (const auto& a : sample)
    for (const auto& b : sample)
      for (const auto& c : sample) {
        if (reference(a, b) > 0 || reference(b, c) > 0) continue;
        ASSERT_LE(reference(a, c), 0) << a << " <= " << b << " <= " << c;
      }
}

TEST(VersionOrder, OfEachReferenceIsTransitive) {
  expect_total(debian(), reference::compare_dpkg);
  expect_total(rpm(), reference::compare_rpm);
  expect_total(alpine(), reference::compare_apk);
  expect_total(python(), reference::compare_pep440);
  expect_total(semver(), reference::compare_semver);
}

// The reasons why some schemes leave the real tool at a few strings.
TEST(VersionOrder, OfMavenHasACycleThatKeysLeaveByMeaning) {
  const auto order = [](auto a, auto b) { return reference::compare_maven(a, b); };
  EXPECT_LT(order("3.7.0.rc.3", "3.7").order, 0);
  EXPECT_LT(order("3.7", "3.7-1").order, 0);
  EXPECT_LT(order("3.7-1", "3.7.0.rc.3").order, 0);
  EXPECT_TRUE(order("3.7-1", "3.7.0.rc.3").contested);
  EXPECT_TRUE(compare(*find_scheme("maven"), "3.7-1", "3.7.0.rc.3").value() > 0);
}

TEST(VersionOrder, OfPacmanHasACycleAtTrailingSeparatorsWhichHaveNoKey) {
  EXPECT_LT(reference::compare_alpm_part("1..a", "1."), 0);
  EXPECT_LT(reference::compare_alpm_part("1.", "1.1"), 0);
  EXPECT_LT(reference::compare_alpm_part("1.1", "1..a"), 0);
  EXPECT_FALSE(find_scheme("alpm")->encode("1.").has_value());
}

TEST(VersionOrder, OfConanHasACycleThatKeysLeaveByNumber) {
  const auto as_text = [](std::string_view a, std::string_view b) { return a < b; };
  EXPECT_LT(2, 10);                  // two numbers by value
  EXPECT_TRUE(as_text("10", "1w"));  // a number and a text as texts
  EXPECT_TRUE(as_text("1w", "2"));
  EXPECT_TRUE(compare(*find_scheme("conan"), "1w", "2").value() < 0);
  EXPECT_TRUE(compare(*find_scheme("conan"), "2", "10").value() < 0);
}

bool installed(const char* tool) {
  return std::system((std::string("command -v ") + tool + " >/dev/null 2>&1").c_str()) == 0;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                             ::pclose);
  std::string out;
  std::array<char, 4096> block{};
  while (pipe != nullptr) {
    const auto count = std::fread(block.data(), 1, block.size(), pipe.get());
    if (count == 0) break;
    out.append(block.data(), count);
  }
  return out;
}

// All pairs in one shell, each a process of dpkg.
TEST(VersionOrder, AgreesWithTheInstalledDpkg) {
  if (!installed("dpkg")) GTEST_SKIP() << "dpkg is not installed";
  auto versions = debian();
  std::string script;
  for (int i = 0; i < 200; ++i) {
    const auto a = versions.next();
    const auto b = versions.next_near_last();
    const int order = as_int(compare(versions.scheme(), a, b).value());
    const auto* relation = order < 0 ? "lt" : order > 0 ? "gt" : "eq";
    script += "dpkg --compare-versions '" + a + "' " + relation + " '" + b +
              "' 2>/dev/null || echo '" + a + ' ' + relation + ' ' + b + "'\n";
  }
  EXPECT_EQ(output_of(script), "");
}

TEST(VersionOrder, AgreesWithTheInstalledRpm) {
  if (!installed("rpm")) GTEST_SKIP() << "rpm is not installed";
  auto versions = rpm();
  std::string script;
  std::string ours;
  for (int i = 0; i < 1500; ++i) {
    const auto a = versions.next();
    const auto b = versions.next_near_last();
    script += "print(rpm.vercmp(\"" + a + "\",\"" + b + "\")..\" \")";
    ours += std::to_string(as_int(compare(versions.scheme(), a, b).value())) + " ";
  }
  const auto theirs = output_of("rpm --eval '%{lua:" + script + "}' 2>/dev/null");
  EXPECT_EQ(trim(theirs), trim(ours));
}

}  // namespace
}  // namespace tenken::version
