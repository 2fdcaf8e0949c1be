// A mirror that is a plain directory, "<root>/<host>/<path>": a disk carried into an air-gapped
// site, a network share. Size and time of change serve as the validator.
//
// Thread rule: one per thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "fetch/transport.h"

namespace tenken::fetch {

// Errors: not_found where root is no directory. A document that is not there is a Response 404.
Result<std::unique_ptr<Transport>> directory_reader(std::string root);

}  // namespace tenken::fetch
