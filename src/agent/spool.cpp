#include "agent/spool.h"

#include <algorithm>
#include <memory>

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/files.h"
#include "base/file.h"
#include "base/text.h"

namespace tenken::agent {
namespace {

constexpr std::size_t largest_report = std::size_t{64} << 20;
constexpr std::size_t digest_digits = 64;
constexpr unsigned file_mode = 0600;

bool is_digest(std::string_view text) {
  return text.size() == digest_digits &&
         std::ranges::all_of(text, [](char c) { return hex_value(c) >= 0; });
}

// "BASE DIGEST\nBODY"; a whole has "-" for its base.
std::optional<SpooledReport> parse(std::uint64_t sequence, std::string_view text) {
  const auto [head, body] = split_once(text, '\n');
  const auto [base, digest] = split_once(head, ' ');
  if (!body || !digest || !is_digest(*digest) || (base != "-" && !is_digest(base)))
    return std::nullopt;
  return SpooledReport{.sequence = sequence,
                       .base = base == "-" ? std::string() : std::string(base),
                       .digest = std::string(*digest),
                       .body = std::string(*body)};
}

}  // namespace

Result<Spool> Spool::open(std::string directory, std::size_t limit_bytes) {
  TRY_VOID(make_directory(directory));
  Spool out(std::move(directory), limit_bytes);
  TRY(const auto names, names_in(out.directory_));
  for (const auto& name : names) {
    const auto sequence = parse_uint(name);
    struct stat facts{};
    const auto path = out.directory_ + "/" + name;
    if (!sequence || ::stat(path.c_str(), &facts) != 0) {
      ::unlink(path.c_str());
      continue;
    }
    out.files_.push_back({*sequence, static_cast<std::size_t>(facts.st_size)});
  }
  std::ranges::sort(out.files_, {}, &File::sequence);
  return out;
}

std::string Spool::path_of(std::uint64_t sequence) const {
  return fmt::format("{}/{:020}", directory_, sequence);
}

Result<> Spool::put(const SpooledReport& report) {
  const auto text =
      fmt::format("{} {}\n{}", report.base.empty() ? "-" : report.base, report.digest, report.body);
  if (text.size() > largest_report)
    return limit_exceeded(fmt::format("a report of {} MiB, of which {} are read again",
                                      text.size() >> 20U, largest_report >> 20U));
  auto bytes = text.size();
  for (const auto& file : files_) bytes += file.bytes;
  if (bytes > limit_bytes_ && !files_.empty())
    return limit_exceeded(fmt::format("the spool holds {} MiB", limit_bytes_ >> 20U));
  TRY_VOID(write_file_atomic(path_of(report.sequence), text, file_mode));
  files_.push_back({report.sequence, text.size()});
  return {};
}

std::optional<SpooledReport> Spool::oldest() {
  if (files_.empty()) return std::nullopt;
  const auto sequence = files_.front().sequence;
  const auto text = read_file(path_of(sequence), largest_report);
  auto report = text ? parse(sequence, *text) : std::nullopt;
  if (!report) clear();
  return report;
}

void Spool::remove(std::uint64_t sequence) {
  std::erase_if(files_, [&](const File& file) {
    if (file.sequence != sequence) return false;
    ::unlink(path_of(sequence).c_str());
    return true;
  });
}

void Spool::clear() {
  for (const auto& file : files_) ::unlink(path_of(file.sequence).c_str());
  files_.clear();
}

}  // namespace tenken::agent
