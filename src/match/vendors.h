// Whose package it is: a distribution's advisories speak of its own builds only.
//
// Thread rule: pure functions.
#pragma once

#include "model/package.h"

namespace tenken::match {

// The package states a vendor (rpm Vendor, dpkg Origin) that is not its distribution.
bool is_third_party(const Package& package);

}  // namespace tenken::match
