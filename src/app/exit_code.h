// How the program ends. A greater rank outranks a lesser: 2, 3 and 5 outrank 1, and 1 outranks 4.
#pragma once

namespace tenken::app {

enum ExitCode : int {
  exit_ok = 0,          // done; findings alone do not change the code
  exit_findings = 1,    // findings at or above --fail-on
  exit_usage = 2,       // wrong arguments, or a file named on the command line cannot be used
  exit_target = 3,      // the target cannot be read, or has no known format; so the store of a server
  exit_incomplete = 4,  // --strict: something could not be decided
  exit_database = 5,    // the database is missing, truncated, corrupt or of another format
  exit_server = 6,      // scan --server: the server did not acknowledge the inventory
};

}  // namespace tenken::app
