// For tests and benchmarks only: comparers that walk two versions side by side as the package
// managers do, written without keys, to check the keys against.
//
// Thread rule: pure functions.
#pragma once

#include <string_view>

namespace tenken::version::reference {

// Each returns <0, 0 or >0 for versions that the scheme can encode.
int compare_dpkg(std::string_view a, std::string_view b);
int compare_rpm(std::string_view a, std::string_view b);
int compare_apk(std::string_view a, std::string_view b);
int compare_pep440(std::string_view a, std::string_view b);  // no legacy versions
int compare_semver(std::string_view a, std::string_view b);

// Maven's comparison is no order everywhere: contested where it was decided by the kind of two
// items although their meaning against nothing says the opposite.
struct MavenOrder {
  int order = 0;
  bool contested = false;
};
MavenOrder compare_maven(std::string_view a, std::string_view b);

// vercmp(8), one part of a version, separators at its end included.
int compare_alpm_part(std::string_view a, std::string_view b);

}  // namespace tenken::version::reference
