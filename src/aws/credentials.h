// The credentials and the region of a client, found where the AWS tools look for them:
//   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN;
//   2. the profile $AWS_PROFILE, else "default", in AWS_SHARED_CREDENTIALS_FILE (else
//      ~/.aws/credentials) and AWS_CONFIG_FILE (else ~/.aws/config).
// Region: AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1.
//
// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". Profiles that
// take their credentials from elsewhere (roles, SSO, processes) are not supported, and the error
// says so.
//
// Errors: not_found (no credentials, with where they were sought), denied and limit (files),
// invalid (a profile that cannot be used).
// Thread rule: reads the environment it is given; no state.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aws/sigv4.h"
#include "base/result.h"

namespace tenken::aws {

// Answers an environment variable; an empty one counts as absent.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

Result<Credentials> find_credentials(const Environment& environment = process_environment);
Result<std::string> find_region(const Environment& environment = process_environment);

}  // namespace tenken::aws
