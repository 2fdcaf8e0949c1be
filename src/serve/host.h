// What this machine is called: part of what names a node to the others of its store.
#pragma once

#include <string>

#include <unistd.h>

namespace tenken::serve {

inline std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace tenken::serve
