#include "agent/status.h"

#include <tuple>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"

namespace tenken::agent {

void put_status(const State& state, const Status& status) {
  const auto text = fmt::format("time={}\ncontact={}\nfault={}\nversion={}\npid={}\n",
                                format_time(now()),
                                status.contact == 0 ? "never" : format_time(status.contact),
                                status.fault, status.version, ::getpid());
  std::ignore = write_file_atomic(state.path("status"), text);
}

}  // namespace tenken::agent
