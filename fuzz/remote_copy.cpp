// What another host answers to the copy script: every file of a copy is one that was asked for, and
// each once; a copy that is cut anywhere is none.
#include "pipeline/remote_copy.h"

#include <set>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenken::pipeline::parse_copy;
  static const auto files = tenken::inventory::inspected_files();
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  const auto copy = parse_copy(answer, files);
  if (!copy) return 0;
  std::set<std::string_view> paths;
  const auto add = [&](std::string_view path) {
    CHECK(!path.contains("/../") && !path.ends_with("/.."));
    CHECK(!path.starts_with('/') && paths.insert(path).second);
  };
  for (const auto& file : copy->files) add(file.path);
  for (const auto& [path, other] : copy->same) {
    CHECK(paths.contains(other));
    add(path);
  }
  const auto again = parse_copy(answer.substr(0, answer.find("\nend\n")), files);
  CHECK(!again || again->files.size() <= copy->files.size());
  return 0;
}
