// By what a host is known again: hashes of its machine id and of its SSH host key, of which nothing
// of the host's own can be told (machine-id(5) asks for that).
//
// Errors: not_found, invalid (no machine id stands there; no host key). Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "inventory/root.h"

namespace tenken::host {

// 64 hexadecimal digits: HMAC-SHA-256 of "tenken resource id" under the 32 digits of
// etc/machine-id.
Result<std::string> machine_hash(const inventory::Root& root);
// 64 hexadecimal digits: SHA-256 of the first public host key there is: Ed25519, ECDSA, RSA.
Result<std::string> host_key_hash(const inventory::Root& root);

// The resource id of a host of which only the machine is known: "mi-" and 17 digits.
std::string resource_of_machine(std::string_view machine_hash);

}  // namespace tenken::host
