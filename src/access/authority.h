// The certificate authority that the nodes of one database share. Its key is stored sealed with the
// master key.
//
// Errors: conflict (sealed with another master key), and those of the engine.
// Thread rule: a function over the caller's connection, which is in no transaction.
#pragma once

#include "access/master_key.h"
#include "base/result.h"
#include "crypto/x509.h"
#include "sql/sql.h"

namespace tenken::access {

// The database's authority. Where it has none, `own` becomes it: of nodes that start at once, the
// first one's. From then on the database belongs to this master key.
Result<crypto::Identity> shared_authority(sql::Connection& connection, const MasterKey& master,
                                          const crypto::Identity& own);

}  // namespace tenken::access
