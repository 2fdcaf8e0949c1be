// What the errata of RPM distributions say in texts instead of fields: the rating and the module
// stream, both in the summary ("Moderate: container-tools:rhel8 security update").
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"

namespace tenken::feeds {

// "Important" of an AlmaLinux or Rocky Linux erratum; empty where the summary has no rating.
std::string_view errata_rating(std::string_view id, std::string_view summary);

// Whether a fixed version is the build of a module: "1.2-3.module_el8.8.0+3587+ee652244".
bool fixed_in_module(const AffectedPackage& package);

// The stream of the package URL's rpmmod qualifier as "name:stream"; empty: not stated.
std::string module_of_purl(std::string_view purl);

// Each "name:stream" that the summary of this id names. Empty: none, or so many that it is no list
// of modules.
std::vector<std::string> modules_of_summary(std::string_view id, std::string_view summary);

}  // namespace tenken::feeds
