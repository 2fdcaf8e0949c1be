// A host's report: inventory and facts as text, one JSON object a line, the lines sorted as bytes,
// each once and ended by "\n" (docs/adr/0013-agent-reports.md). The same host gives the same bytes.
//
// Each object has the member "k", its kind: "package", "os", "inventory", "host", "skip", "cloud",
// "address", "listener", "program", "outdated", "user", "sshd", "sysctl", "reboot". A reader passes
// over kinds that it does not know.
//
// Errors of reading: invalid with the line, limit. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/host_facts.h"
#include "model/inventory.h"

namespace tenken::host {

struct HostReport {
  Inventory inventory;
  HostFacts facts;
};

// Without their line ends, sorted, each once.
std::vector<std::string> report_lines(const HostReport& report);

// What the lines of a report of this program say, without reading all of it.
std::size_t count_packages(const std::vector<std::string>& lines);
CloudInstance cloud_of(const std::vector<std::string>& lines);  // empty: nothing of it
// The line of a skip of the inventory.
std::string skip_line(const Skip& skip);

struct ReportLimits {
  std::size_t bytes = std::size_t{32} << 20;
  std::size_t line_bytes = 64 * 1024;
  std::size_t lines = 250'000;
};
Result<HostReport> read_report(std::string_view text, const ReportLimits& limits = {});

// What changed between two reports.
struct ReportDelta {
  std::vector<std::string> gone;  // the names of lines: 16 hexadecimal digits of their SHA-256
  std::vector<std::string> came;  // lines
};

// The name of a line in a delta.
std::string line_name(std::string_view line);
// 64 hexadecimal digits.
std::string report_digest(const std::vector<std::string>& lines);

// As a body is sent: "+LINE" for one that came, "-NAME" for one that is gone. Both lists are
// sorted.
std::string whole_body(const std::vector<std::string>& lines);
std::string difference_body(const std::vector<std::string>& before,
                            const std::vector<std::string>& after);

// The text that results. Errors: conflict where the delta does not fit the text (a name of no line,
// a line that is there already), limit.
Result<std::string> apply_delta(std::string_view text, const ReportDelta& delta,
                                const ReportLimits& limits = {});

}  // namespace tenken::host
