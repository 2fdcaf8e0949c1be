// Debian and Ubuntu: [epoch:]upstream[-revision], as dpkg --compare-versions orders it.
#include "base/text.h"
#include "version/debian_text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace dpkg_ {

bool only(std::string_view part, std::string_view punctuation) {
  for (const char c : part)
    if (!is_alnum(c) && punctuation.find(c) == std::string_view::npos) return false;
  return true;
}

// The checks are those of dpkg's parser; an underscore, which it only warns of, stands in the
// versions of packages converted from rpm.
Result<Key> encode(std::string_view version) {
  if (version.empty()) return invalid("version is empty");
  std::string_view epoch;
  if (const auto colon = version.find(':'); colon != std::string_view::npos) {
    epoch = version.substr(0, colon);
    if (!all_digits(epoch)) return invalid("epoch is not a number");
    version.remove_prefix(colon + 1);
  }
  std::string_view revision;
  if (const auto dash = version.rfind('-'); dash != std::string_view::npos) {
    revision = version.substr(dash + 1);
    if (revision.empty()) return invalid("revision is empty");
    if (!only(revision, "+.~_")) return invalid("revision holds a character dpkg forbids");
    version = version.substr(0, dash);
  }
  if (version.empty() || !is_digit(version.front()))
    return invalid("version does not start with a digit");
  if (!only(version, ".-+~:_")) return invalid("version holds a character dpkg forbids");

  Key key;
  key.reserve(2 * (version.size() + revision.size()) + 16);
  put_number(key, epoch);
  put_debian_text(key, version);
  put_debian_text(key, revision);
  return key;
}

}  // namespace dpkg_

extern constinit const Scheme dpkg{.id = "dpkg", .encode = dpkg_::encode};

}  // namespace tenken::version
