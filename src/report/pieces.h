// What the formats share: a JSON writer that hands its text on in pieces, and small facts about a
// finding that more than one format states.
//
// Thread rule: one Pieces per thread.
#pragma once

#include <string_view>

#include "base/json_writer.h"
#include "model/finding.h"
#include "report/format.h"

namespace tenken::report {

// A JSON document on its way out. flush() after each finding keeps memory small.
class Pieces {
 public:
  Pieces(const RenderOptions& options, const Output& out) : json(options.indent), out_(out) {}

  Result<> flush();   // hands on what has gathered, once it is worth a write
  Result<> finish();  // the rest, with the last line's end

  json::Writer json;

 private:
  const Output& out_;
};

const Vulnerability& vulnerability(const ScanResult& result, const Finding& finding);
const Package& package(const ScanResult& result, const Finding& finding);

// The summary, else the first sentence of the details, on one line: as published, not translated.
std::string title(const Vulnerability& vulnerability);

std::string_view target_kind(Inventory::Target target);  // "host", "root", "sbom"

}  // namespace tenken::report
