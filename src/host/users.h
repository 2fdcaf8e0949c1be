// The accounts of etc/passwd, all of them: name:password:uid:gid:comment:home:shell, a line each.
//
// Source: passwd(5). Lines of the NIS compatibility ("+", "-") name accounts that stand elsewhere:
// they are skips, as is what has another form. Bounds: 100,000 accounts, 4 MiB.
// Errors: none; they are skips. Thread rule: pure functions over the root.
#pragma once

#include <string_view>

#include "host/found.h"
#include "inventory/root.h"
#include "model/host_facts.h"

namespace tenken::host {

Found<UserAccount> parse_passwd(std::string_view text);
Found<UserAccount> users_of(const inventory::Root& root);

}  // namespace tenken::host
