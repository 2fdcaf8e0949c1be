// The office: what every command of administration works on, the same store as a server's, which
// may run at the same time.
//
// Thread rule: one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "access/master_key.h"
#include "access/tokens.h"
#include "app/commands.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/agents.h"

namespace tenken::app {

struct Office {
  std::unique_ptr<sql::Connection> connection;
};

std::string directory_of(const AdminArguments& arguments);
std::string key_file_of(const AdminArguments& arguments);
// The store's secret key, for what seals with it. Conflict where the file named is another.
Result<access::MasterKey> master_key(Office& office, const AdminArguments& arguments);
// Errors: not_found. An account that was revoked is there.
Result<> check_account(Office& office, const AdminArguments& arguments);

// The exit code; what went wrong was said. A store that cannot be opened is exit_target, what it
// does not let be done exit_usage.
int ended(const Result<>& done);
int in_office(const AdminArguments& arguments, const std::function<Result<>(Office&)>& work);
// The store as it is, without bringing it to this program's schema.
int in_untouched_office(const AdminArguments& arguments,
                        const std::function<Result<>(Office&)>& work);

// By its id, or by that of its resource. Errors: not_found.
Result<store::Agent> agent_named(Office& office, const AdminArguments& arguments);

std::string shown_time(Seconds time);  // "-": never

// Of --tag NAME=VALUE.
Result<access::Tags> read_tags(const std::vector<std::string>& words);

}  // namespace tenken::app
