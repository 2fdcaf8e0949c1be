// Releases of the agent, as they lie in the directory of `tenken serve --agent-releases`:
//
//   tenken-agent-x86_64             what the install script fetches
//   0.2.0/tenken-agent-x86_64       what agents are updated to; beside each its signature, .sig
//
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::api::agents {

inline constexpr std::size_t longest_program = std::size_t{64} << 20;

// As uname -m says it; three numbers. Nothing else becomes part of a path.
bool is_architecture(std::string_view text);
bool is_release(std::string_view text);

struct ReleaseFacts {
  std::string version;
  std::string sha256;  // hexadecimal
  std::uint64_t size = 0;
};
// What agents are told of a program before they fetch it; read anew where the file has changed.
// Errors: not_found, invalid, those of files.
Result<ReleaseFacts> release_facts(const std::string& directory, std::string_view version,
                                   std::string_view architecture);

// The bytes of one of those files, once for all who fetch it at a time; read anew where the file
// has changed. Errors: those of files.
Result<std::shared_ptr<const std::string>> release_bytes(const std::string& path);

}  // namespace tenken::api::agents
