#include "access/principal.h"

#include <fmt/format.h>

namespace tenken::access {

std::string arn(const Principal& principal) {
  return fmt::format("arn:aws:iam::{}:user/{}", principal.account, principal.user);
}

}  // namespace tenken::access
