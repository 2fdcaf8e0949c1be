// The service models that the program carries: facts of AWS's public models (names, types, bounds,
// patterns), written by tools/service_model.py and linked into the program byte by byte.
//
// Thread rule: constant bytes.
#pragma once

#include <string_view>

namespace tenken::api {

std::string_view inspector2_json();
std::string_view inspector_scan_json();

}  // namespace tenken::api
