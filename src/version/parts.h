// A version as its package manager divides it: "1:2.3-4.el9" is epoch 1, version 2.3 and release
// 4.el9. dpkg and rpm: [epoch:]version[-release], the release after the last "-"; apk: "-rN".
// Every other kind of package has a version alone.
//
// Source: rpm-version(7), deb-version(7), apk-package(5). Thread rule: a pure function; the parts
// are views of the text.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenken::version {

struct VersionParts {
  std::int64_t epoch = 0;
  std::string_view version;
  std::string_view release;  // empty: none
};
// kind: "deb", "rpm", "apk", or a purl type. An epoch that is no number stays in the version.
VersionParts split_version(std::string_view kind, std::string_view text);

}  // namespace tenken::version
