// The packages of which processes run files that were replaced, as the store keeps them with what
// is installed: a fixed package helps only who starts anew. Of one package at most 50 programs with
// 100 processes each and 10 files are kept; the facts of the host name all.
//
// Thread rule: a pure function.
#pragma once

#include <vector>

#include "model/host_facts.h"
#include "store/resources.h"

namespace tenken::pipeline {

// By name, each once. Files whose package is not known are left out.
std::vector<store::RunningPackage> running_packages(const HostFacts& facts);

}  // namespace tenken::pipeline
