#include "api/agents/files.h"

#include <fmt/format.h>

#include "api/agents/install_script.h"
#include "api/agents/releases.h"
#include "base/text.h"

namespace tenken::api::agents {
namespace {

constexpr std::string_view release = "release/";
constexpr std::string_view signature = ".sig";

http::Response file(std::string body, std::string_view type) {
  http::Response out{.body = std::move(body)};
  out.headers.set("Content-Type", type);
  return out;
}

AgentAnswer release_answer(std::string_view name, const AgentServices& services) {
  const bool wants_signature = name.ends_with(signature);
  auto architecture = name.substr(0, name.size() - (wants_signature ? signature.size() : 0));
  std::string folder;
  if (const auto [version, rest] = split_once(architecture, '/'); rest && is_release(version)) {
    folder = fmt::format("{}/", version);
    architecture = *rest;
  }
  if (!is_architecture(architecture))
    return resource_not_found("The name of an architecture is needed, such as x86_64");
  if (services.releases.empty())
    return resource_not_found("This server has no releases of the agent: see --agent-releases");
  auto bytes = release_bytes(fmt::format("{}/{}tenken-agent-{}{}", services.releases, folder,
                                         architecture, wants_signature ? signature : ""));
  if (!bytes && bytes.error().code == Errc::not_found)
    return resource_not_found(fmt::format("There is no release for {}", architecture));
  if (!bytes) return to_api_error({Errc::internal, bytes.error().what});
  auto out = file({}, "application/octet-stream");
  out.shared_body = *std::move(bytes);
  return out;
}

// What the client says that it reached this server by is believed where the certificate says so
// too.
AgentAnswer script_answer(const http::Request& request, const AgentServices& services) {
  const auto url = server_url(request.headers.get("Host"));
  const bool named = url && is_named(*url, services.server_names);
  return file(install_script(named ? *url : std::string(), services.server_ca),
              "text/x-shellscript");
}

}  // namespace

AgentAnswer file_answer(const http::Request& request, std::string_view name,
                        const AgentServices& services) {
  if (name.starts_with(release)) return release_answer(name.substr(release.size()), services);
  if (name == "install") return script_answer(request, services);
  if (name == "ca.pem") {
    if (services.server_ca.empty())
      return resource_not_found(
          "This server's certificate is of another authority: install with that one's");
    return file(services.server_ca, "application/x-pem-file");
  }
  return resource_not_found("There is nothing at this path");
}

}  // namespace tenken::api::agents
