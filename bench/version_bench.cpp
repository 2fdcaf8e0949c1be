// Ordering versions: nanoseconds to encode one version per scheme, to compare two keys, and to
// compare two Debian versions without keys.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "version/reference_comparers.h"
#include "version/scheme.h"

namespace {

using tenken::version::find_scheme;
using tenken::version::Key;

using Versions = std::array<std::string_view, 8>;

struct Sample {
  const char* scheme;
  Versions versions;
};

constexpr Sample samples[] = {
    {"dpkg",
     {"1.2.3-4", "2:7.4.052-1ubuntu3.1", "5.10.162-1~deb10u1", "1:1.10.1+submodules+notgz-9",
      "0.5.2+dfsg-2+deb10u1", "2.38.0-1~deb11u1", "20230311ubuntu0.22.04.1", "9.0.31-1~deb10u6"}},
    {"rpm",
     {"5.14.0-427.13.1.el9_4", "1:3.0.7-27.el9", "0:4.4.20-3.el8", "2.4.57-8.el9",
      "8.0.26-1.module+el8.4.0+12359+d8e3d2e2", "1.0~rc1-1", "239-58.el8", "32:9.16.23-18.el9"}},
    {"apk",
     {"1.36.1-r5", "3.1.4-r1", "1.1.1w-r1", "9.12.3_p4-r0", "2.12.0_git20230101-r0", "1.2.4-r2",
      "20230506-r0", "0.9.36-r0"}},
    {"semver",
     {"1.2.3", "v4.17.21", "0.0.0-20230101", "1.0.0-beta.11", "10.20.30", "2.0.0-rc.1+build.1",
      "5.3.1", "16.14.0"}},
    {"go",
     {"v0.17.0", "v1.2.3-0.20200101000000-abcdef123456", "v2.0.0+incompatible", "1.20.0-0",
      "go1.21.3", "v0.0.0-20180116102854-5a71ef0e047d", "1.19.4", "v1.58.3"}},
    {"pep440",
     {"1.2.3", "2.0.0rc1", "1.0.post1", "2023.7.22", "1.0.dev3", "4.2b1", "0.21.1", "1.0+local.1"}},
    {"maven",
     {"1.2.3", "2.9.10.8", "5.3.20.RELEASE", "1.0-alpha-1", "4.1.94.Final", "31.1-jre",
      "9.4.51.v20230217", "2.0-SNAPSHOT"}},
    {"rubygems",
     {"1.2.3", "6.1.4.1", "2.0.0.rc1", "0.9.8", "1.13.10", "5.2.4.3", "4.0.0.beta2", "3.12.0"}},
    {"nuget",
     {"1.2.3", "13.0.1", "4.3.0-preview1-2530", "6.0.0-rc.2.21480.5", "2.1.0", "1.0.0.1", "5.0.17",
      "3.1.32"}},
    {"composer",
     {"v5.4.3", "1.0.0", "2.0-RC1", "3.0.0-beta2", "dev-main", "9.5.0", "1.2.3-p1", "4.4.50"}},
};

const Sample& sample_of(std::string_view scheme) {
  for (const auto& sample : samples)
    if (sample.scheme == scheme) return sample;
  return samples[0];
}

void encode(benchmark::State& state, const Sample& sample) {
  const auto& scheme = *find_scheme(sample.scheme);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(scheme.encode(sample.versions[i++ % 8]));
}

void compare_keys(benchmark::State& state) {
  std::vector<Key> keys;
  for (const auto version : sample_of("dpkg").versions)
    keys.push_back(find_scheme("dpkg")->encode(version).value());
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(keys[i % 8] < keys[(i + 3) % 8]);
    ++i;
  }
}

void compare_directly(benchmark::State& state) {
  const auto& versions = sample_of("dpkg").versions;
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        tenken::version::reference::compare_dpkg(versions[i % 8], versions[(i + 3) % 8]));
    ++i;
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& sample : samples)
    benchmark::RegisterBenchmark((std::string("encode/") + sample.scheme).c_str(),
                                 [&](benchmark::State& state) { encode(state, sample); });
  benchmark::RegisterBenchmark("compare_keys/dpkg", compare_keys);
  benchmark::RegisterBenchmark("compare_directly/dpkg", compare_directly);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
