// libpq, loaded when a PostgreSQL server is first asked for: as a library that is linked it would
// bring Kerberos, LDAP and SASL into every start of the program, for 2.7 ms each.
//
// Thread rule: any thread.
#pragma once

#include "base/result.h"

namespace tenken::sql {

// Before the first call of a PQ… function. Errors: unavailable where libpq.so.5 is not installed.
Result<> load_libpq();

}  // namespace tenken::sql
