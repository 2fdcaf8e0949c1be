// The form in which the secret of an access key stands in its row. Of this folder only.
//
// Errors: invalid (another master key, or the row was changed).
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "access/master_key.h"
#include "crypto/secret.h"

namespace tenken::access {

std::string seal_secret(const crypto::Secret& sealing_key, const crypto::Secret& secret,
                        std::string_view access_key_id, std::string_view account);
Result<crypto::Secret> open_secret(const crypto::Secret& sealing_key, std::string_view sealed,
                                   std::string_view access_key_id, std::string_view account);

}  // namespace tenken::access
