#include "pipeline/running_packages.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"

namespace tenken::pipeline {
namespace {

constexpr std::size_t most_programs = 50;
constexpr std::size_t most_processes = 100;  // of a program
constexpr std::size_t most_files = 10;

struct Outdated {
  std::set<std::string_view> files;
  std::map<std::string_view, std::set<std::uint32_t>> processes;  // by program
};

std::string processes_document(const Outdated& outdated) {
  json::Writer out;
  out.begin_array();
  std::size_t programs = 0;
  for (const auto& [executable, processes] : outdated.processes) {
    if (++programs > most_programs) break;
    out.begin_object().member("executable", executable);
    out.key("pids").begin_array();
    std::size_t shown = 0;
    for (const auto pid : processes)
      if (++shown <= most_processes) out.integer(pid);
    out.end_array().end_object();
  }
  return out.end_array().take();
}

}  // namespace

std::vector<store::RunningPackage> running_packages(const HostFacts& facts) {
  std::map<std::string_view, Outdated> packages;
  for (const auto& one : facts.outdated) {
    if (one.package.empty()) continue;
    auto& outdated = packages[one.package];
    if (outdated.files.size() < most_files) outdated.files.insert(one.file);
    outdated.processes[one.executable].insert(one.pid);
  }
  std::vector<store::RunningPackage> out;
  for (const auto& [name, outdated] : packages)
    out.push_back({.name = std::string(name),
                   .files = fmt::format("{}", fmt::join(outdated.files, "\n")),
                   .processes = processes_document(outdated)});
  return out;
}

}  // namespace tenken::pipeline
