// Where accounts may have exports written: buckets that the operator named for them, and one
// directory of the server's own. Without either nothing is written anywhere.
//
// Thread rule: a value.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tenken::api::exports {

struct Policy {
  std::vector<std::pair<std::string, std::string>> buckets;  // account, bucket
  std::string directory;                                     // empty: no local exports

  bool allows(std::string_view account, std::string_view bucket) const;
};

// "111122223333=my-bucket", as the operator writes it. Errors: invalid.
Result<std::pair<std::string, std::string>> parse_bucket(std::string_view text);

}  // namespace tenken::api::exports
