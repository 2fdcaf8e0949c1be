// Format: one way of writing a ScanResult. Writing is deterministic: the same result and options
// give the same bytes. Text goes out in pieces, so that a result of many thousand findings needs
// no second copy of itself in memory.
//
// Thread rule: rows are constants; write() may run on many threads.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/messages.h"
#include "base/result.h"
#include "base/time.h"
#include "model/finding.h"

namespace tenken::report {

struct RenderOptions {
  Lang lang = Lang::en;
  bool colour = false;    // ANSI colours; the table only
  std::size_t width = 0;  // columns of the terminal; 0: unlimited, for files and pipes
  int indent = 2;         // blanks per level in JSON formats; 0: everything on one line
  Seconds now = 0;        // time of the report
  std::string_view tool_version;
};

// Takes the next piece of the text. An error (a full disk) ends the writing and is returned.
using Output = std::function<Result<>(std::string_view piece)>;

struct Format {
  std::string_view id;  // the file's stem: "cyclonedx_vex"
  std::string_view media_type;
  Result<> (*write)(const ScanResult& result, const RenderOptions& options, const Output& out);
};

// Every format of formats/*.cpp, sorted by id.
std::span<const Format* const> formats();
// By the name of the command line, where "_" is written "-": "cyclonedx-vex"; nullptr: none.
const Format* find_format(std::string_view name);

// The whole text at once.
std::string render(const Format& format, const ScanResult& result, const RenderOptions& options);

}  // namespace tenken::report
