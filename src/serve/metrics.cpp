#include "serve/metrics.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tenken::serve {
namespace {

constexpr double micro = 1e-6;

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * micro;
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::sample(double value, Labels labels, std::string_view suffix) {
  out_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [name, text] : labels) {
    out_ += fmt::format("{}{}=\"{}\"", before, name, escaped(text));
    before = ',';
  }
  out_ += fmt::format("{} {}\n", labels.size() == 0 ? "" : "}", value);
}

void RequestMetrics::add(std::string_view operation, int status, std::int64_t micros) {
  const std::lock_guard lock(mutex_);
  ++answered_[{std::string(operation), status}];
  auto& latency = latency_[std::string(operation)];
  const auto bucket = std::ranges::lower_bound(bounds, micros) - bounds.begin();
  ++latency.in_bucket[static_cast<std::size_t>(bucket)];
  ++latency.count;
  latency.micros += micros;
}

void RequestMetrics::write(Exposition& out) const {
  const std::lock_guard lock(mutex_);
  out.family("tenken_requests_total", "counter", "Requests answered.");
  for (const auto& [key, count] : answered_)
    out.sample(static_cast<double>(count),
               {{"operation", key.first}, {"status", fmt::to_string(key.second)}});
  out.family("tenken_request_seconds", "histogram",
             "From the last byte of a request to its answer's readiness.");
  for (const auto& [operation, latency] : latency_) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < latency.in_bucket.size(); ++i) {
      below += latency.in_bucket[i];
      const auto bound = i < bounds.size() ? fmt::to_string(static_cast<double>(bounds[i]) * micro)
                                           : std::string("+Inf");
      out.sample(static_cast<double>(below), {{"operation", operation}, {"le", bound}}, "_bucket");
    }
    out.sample(static_cast<double>(latency.micros) * micro, {{"operation", operation}}, "_sum");
    out.sample(static_cast<double>(latency.count), {{"operation", operation}}, "_count");
  }
}

void write_process_metrics(Exposition& out) {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    out.family("process_cpu_seconds_total", "counter", "Processor time used.");
    out.sample(seconds(used.ru_utime) + seconds(used.ru_stime));
  }
  std::uint64_t all_pages = 0;
  std::uint64_t resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> all_pages >> resident_pages) {
    out.family("process_resident_memory_bytes", "gauge", "Memory in use, mapped files included.");
    out.sample(static_cast<double>(resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  const std::filesystem::directory_iterator open_files("/proc/self/fd", error);
  if (error) return;
  out.family("process_open_fds", "gauge", "Open file descriptors.");
  out.sample(static_cast<double>(std::distance(begin(open_files), end(open_files))));
}

}  // namespace tenken::serve
