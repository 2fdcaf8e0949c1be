// The answer of ScanSbom: what matching found in an SBOM, in the forms of Amazon Inspector's scan
// API. CYCLONE_DX_1_5 is CycloneDX with the service's own properties
// ("amazon:inspector:sbom_scanner:…"), which the plug-ins for CI read; INSPECTOR is a plain list of
// vulnerabilities. INSPECTOR_ALT, of which no description is public, is answered as INSPECTOR.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/time.h"
#include "model/finding.h"

namespace tenken::api {

struct SbomReport {
  const ScanResult& result;
  // The bom-ref of each of the result's packages.
  const std::vector<std::string>& references;
  std::string serial;  // a UUID
  Seconds now = 0;
};
void write_cyclonedx_1_5(json::Writer& out, const SbomReport& report);
void write_inspector(json::Writer& out, const SbomReport& report);

}  // namespace tenken::api
