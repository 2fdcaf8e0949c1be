// Which instance of a cloud this host is, from the metadata service: AWS's, version 2 of its
// protocol first (a token), then version 1.
//
// Source: EC2 User Guide, "Instance metadata", "Use IMDSv2": PUT /latest/api/token, then
// GET /latest/dynamic/instance-identity/document at 169.254.169.254, and what that document lacks
// below /latest/meta-data: mac, network/interfaces/macs/MAC, public-ipv4, public-keys, iam/info.
//
// A host that is in no cloud answers nothing: the whole question takes at most limit_ms, and
// connecting at most 500 ms of it. Whether it is worth asking is told by DMI (sys/class/dmi/id,
// sys/hypervisor/uuid): elsewhere nothing is asked.
// Errors: none; unanswered is an empty instance, and an instance without what is not told. Thread
// rule: safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/host_facts.h"

namespace tenken::host {

// From files alone: whether this may be an instance of a cloud that has such a service.
bool may_be_cloud_instance(const std::string& sys = "/sys");

inline constexpr const char* metadata_address = "169.254.169.254:80";
// address: metadata_address, another in tests.
CloudInstance ask_cloud(const std::string& address, std::uint32_t limit_ms);

// The identity document. Errors: invalid, limit.
Result<CloudInstance> parse_identity_document(std::string_view json);

}  // namespace tenken::host
