// The tables account, app_user, access_key, audit_log, access_state, certificate_authority and
// enrolment_token. This folder is the only one that writes them. They are small and are not distributed.
//
// access_state is one row: `epoch` grows with every change to who may enter, so that other nodes
// notice (key_ring.h); `master_key` is the fingerprint of the key that secrets are sealed with.
//
// Thread rule: any node at any time (sql/migrate.h).
#pragma once

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::access {

// Brings the database to the newest version. Errors: see sql/migrate.h.
Result<> migrate(sql::Connection& connection);

}  // namespace tenken::access
