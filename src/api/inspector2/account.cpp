// The state of accounts: Enable, Disable, BatchGetAccountStatus and their kin.
#include <array>

#include "api/call.h"

namespace tenken::api {
namespace account_ {
namespace {

constexpr std::array<HandledOperation, 0> operations{};

}  // namespace
}  // namespace account_

extern constinit const Family account{.id = "account", .operations = account_::operations};

}  // namespace tenken::api
