#include "api/agents/files.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/agents/install_script.h"
#include "base/file.h"
#include "base/text.h"

namespace tenken::api::agents {
namespace {

constexpr std::size_t longest_program = std::size_t{64} << 20;
constexpr std::size_t longest_architecture = 32;
constexpr std::string_view release = "release/";
constexpr std::string_view signature = ".sig";

http::Response file(std::string body, std::string_view type) {
  http::Response out{.body = std::move(body)};
  out.headers.set("Content-Type", type);
  return out;
}

// As uname -m says it. Nothing else becomes part of a path.
bool is_architecture(std::string_view text) {
  return !text.empty() && text.size() <= longest_architecture &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_'; });
}

AgentAnswer release_answer(std::string_view name, const AgentServices& services) {
  const bool wants_signature = name.ends_with(signature);
  const auto architecture = name.substr(0, name.size() - (wants_signature ? signature.size() : 0));
  if (!is_architecture(architecture))
    return resource_not_found("The name of an architecture is needed, such as x86_64");
  if (services.releases.empty())
    return resource_not_found("This server has no releases of the agent: see --agent-releases");
  auto bytes =
      read_file(fmt::format("{}/tenken-agent-{}", services.releases, name), longest_program);
  if (!bytes && bytes.error().code == Errc::not_found)
    return resource_not_found(fmt::format("There is no release for {}", architecture));
  if (!bytes) return to_api_error({Errc::internal, bytes.error().what});
  return file(*std::move(bytes), "application/octet-stream");
}

}  // namespace

AgentAnswer file_answer(std::string_view name, const AgentServices& services) {
  if (name.starts_with(release)) return release_answer(name.substr(release.size()), services);
  if (name == "install") return file(std::string(install_script()), "text/x-shellscript");
  if (name == "ca.pem") {
    if (services.server_ca.empty())
      return resource_not_found(
          "This server's certificate is of another authority: install with that one's");
    return file(services.server_ca, "application/x-pem-file");
  }
  return resource_not_found("There is nothing at this path");
}

}  // namespace tenken::api::agents
