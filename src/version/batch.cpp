#include "version/batch.h"

#include "base/text.h"
#include "version/ecosystem.h"

namespace tenken::version {
namespace {

Result<Key> encode(const Scheme& scheme, std::string_view version, std::string_view which) {
  if (version.empty()) return invalid("missing").within(which);
  return scheme.encode(version).within(which);
}

}  // namespace

Result<std::string> compare_versions(std::string_view ecosystem, std::string_view a,
                                     std::string_view b) {
  const auto* row = find_ecosystem(split_release(ecosystem).ecosystem);
  if (row == nullptr) return not_found("the ecosystem is not known");
  if (row->scheme == nullptr) return invalid("versions of this ecosystem have no order");
  TRY(const auto key_a, encode(*row->scheme, a, "first version"));
  TRY(const auto key_b, encode(*row->scheme, b, "second version"));
  const auto order = key_a <=> key_b;
  return order < 0 ? "<" : order > 0 ? ">" : "=";
}

std::string compare_batch_line(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() != 3) return "?\tthe line is not ecosystem, version, version between tabs";
  const auto order = compare_versions(fields[0], fields[1], fields[2]);
  return order ? *order : "?\t" + order.error().what;
}

}  // namespace tenken::version
