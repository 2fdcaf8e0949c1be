#include "aws/credentials.h"

#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"

namespace tenken::aws {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20;

using Settings = std::map<std::string, std::string, std::less<>>;

// The name of a section's profile: "[work]" in the credentials file, "[default]" and
// "[profile work]" in the configuration.
std::string_view profile_of(std::string_view line) {
  auto name = trim(split_once(line.substr(1), ']').first);
  if (name.starts_with("profile ") || name.starts_with("profile\t")) name = trim(name.substr(7));
  return name;
}

// Indented lines are settings of settings ("s3 =" and below), of which none is needed.
Settings read_settings(std::string_view text, std::string_view profile) {
  Settings settings;
  bool inside = false;
  for_each_line(text, [&](std::string_view line) {
    if (line.empty() || is_space(line.front()) || line.front() == '#' || line.front() == ';')
      return;
    if (line.front() == '[') {
      inside = profile_of(line) == profile;
      return;
    }
    const auto [name, value] = split_once(line, '=');
    if (!inside || !value) return;
    auto text_of_value = trim(*value);
    if (const auto comment = text_of_value.find(" #"); comment != text_of_value.npos)
      text_of_value = trim(text_of_value.substr(0, comment));
    settings.insert_or_assign(ascii_lower(trim(name)), std::string(text_of_value));
  });
  return settings;
}

struct Profile {
  std::string name;
  Settings settings;
  std::string sought;  // the files, for people
};

Result<Profile> read_profile(const Environment& environment) {
  Profile profile{.name = environment("AWS_PROFILE").value_or("default")};
  const auto home = environment("HOME").value_or("");
  const std::pair<const char*, const char*> files[] = {
      {"AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"}, {"AWS_CONFIG_FILE", "/.aws/config"}};
  // What the credentials file says outranks the configuration.
  for (const auto& [variable, usual] : files) {
    const auto path = environment(variable).value_or(home + usual);
    profile.sought += fmt::format("{}{}", profile.sought.empty() ? "" : ", ", path);
    if (path == "/dev/null") continue;  // the customary way to have no such file
    const auto text = read_file(path, longest_file);
    if (!text && text.error().code == Errc::not_found) continue;
    if (!text) return text.error();
    profile.settings.merge(read_settings(*text, profile.name));
  }
  return profile;
}

std::string setting(const Profile& profile, std::string_view name) {
  const auto found = profile.settings.find(name);
  return found == profile.settings.end() ? std::string() : found->second;
}

Error no_credentials(const Profile& profile) {
  for (const auto* elsewhere : {"role_arn", "sso_session", "sso_start_url", "credential_process",
                                "web_identity_token_file"}) {
    if (profile.settings.contains(elsewhere))
      return invalid(
          fmt::format("AWS profile {}: {} is not supported; set aws_access_key_id and "
                      "aws_secret_access_key",
                      printable(profile.name), elsewhere));
  }
  return not_found(
      fmt::format("no AWS credentials in the environment (AWS_ACCESS_KEY_ID, "
                  "AWS_SECRET_ACCESS_KEY) nor for profile {} in {}",
                  printable(profile.name), printable(profile.sought)));
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<Credentials> find_credentials(const Environment& environment) {
  auto id = environment("AWS_ACCESS_KEY_ID");
  auto secret = environment("AWS_SECRET_ACCESS_KEY");
  if (id && secret)
    return Credentials{std::move(*id), crypto::Secret(std::move(*secret)),
                       environment("AWS_SESSION_TOKEN").value_or("")};
  if (id || secret)
    return invalid("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one of them is set");
  TRY(const auto profile, read_profile(environment));
  auto profile_id = setting(profile, "aws_access_key_id");
  auto profile_secret = setting(profile, "aws_secret_access_key");
  if (profile_id.empty() || profile_secret.empty()) return no_credentials(profile);
  return Credentials{std::move(profile_id), crypto::Secret(std::move(profile_secret)),
                     setting(profile, "aws_session_token")};
}

Result<std::string> find_region(const Environment& environment) {
  for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto region = environment(name)) return std::move(*region);
  TRY(const auto profile, read_profile(environment));
  auto region = setting(profile, "region");
  return region.empty() ? std::string("us-east-1") : region;
}

}  // namespace tenken::aws
