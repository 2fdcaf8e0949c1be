// CVSS: reads a vector of version 2.0, 3.0, 3.1 or 4.0, checks it as its specification demands
// and computes its scores. Scores run from 0.0 to 10.0 with one decimal.
//
// Errors: invalid, with the metric and the fault; limit where the text is longer than any vector.
// Thread rule: pure functions over constant tables.
// Source: FIRST, CVSS v2.0 guide, v3.0, v3.1 and v4.0 specification documents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::cvss {

enum class Version : std::uint8_t { v2, v3_0, v3_1, v4_0 };

// 3.x has all three scores, undefined metrics counting as X. 2.0 has a temporal or environmental
// score only where the vector defines a metric of that group (ND defines nothing). 4.0 has one
// score, in base, whichever groups the vector holds.
struct Scores {
  Version version = Version::v3_1;
  std::optional<double> base;
  std::optional<double> temporal;
  std::optional<double> environmental;
};

// 2.0 vectors have no prefix; the others begin with "CVSS:3.0/", "CVSS:3.1/" or "CVSS:4.0/".
// 3.x metrics may stand in any order; those of 2.0 and 4.0 must stand in the specification's.
Result<Scores> score(std::string_view vector);

std::string_view name(Version version);  // "2.0", "3.0", "3.1", "4.0"

// "none", "low", "medium", "high", "critical"; 2.0, by NVD's bands, only the middle three.
std::string_view severity(Version version, double score);

// One line of `cvss --batch`, tab-separated and without a newline: the vector made printable,
// version, base, temporal, environmental, severity of the base score; fields that the vector does
// not have are empty. An invalid vector gives "?" and the reason.
std::string batch_line(std::string_view vector);

}  // namespace tenken::cvss
