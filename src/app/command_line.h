// The command line of `tenken`: what can be typed, what it means, and its help.
//
// Thread rule: once a process.
#pragma once

namespace tenken::app {

// Parses and runs; returns the exit code.
int run(int argc, char** argv);

}  // namespace tenken::app
