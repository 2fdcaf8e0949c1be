#include "inventory/package_list.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t max_packages = 500'000;
constexpr std::size_t usual_packages = 4096;
constexpr std::size_t max_skips = 1000;
constexpr std::size_t max_shown = 200;  // bytes of foreign text in a skip

}  // namespace

Result<> PackageList::add(Package&& package) {
  if (packages_.size() == max_packages)
    return limit_exceeded(fmt::format("{}: more than {} packages", location_, max_packages));
  // Memory that is not written to costs nothing; growing costs each page again.
  if (packages_.empty()) packages_.reserve(usual_packages);
  package.location = location_;
  packages_.push_back(std::move(package));
  return {};
}

Skip PackageList::shown(std::string_view record, std::string_view reason) const {
  return {.file = location_,
          .record = printable(record.substr(0, max_shown)),
          .reason = printable(reason.substr(0, max_shown))};
}

void PackageList::skip(std::string_view record, std::string_view reason) {
  if (skips_.size() >= max_skips && !record.empty()) {
    ++uncounted_skips_;
    return;
  }
  skips_.push_back(shown(record, reason));
}

void PackageList::skip_package(std::string_view kind, std::string_view name,
                               std::string_view reason) {
  const auto before = skips_.size();
  skip(name, reason);
  if (skips_.size() == before || !is_plain_word(name)) return;
  skips_.back().package = name;
  skips_.back().package_kind = kind;
}

void PackageList::skip_unsettled(std::string_view record, std::string_view reason) {
  skips_.push_back(shown(record, reason));
  skips_.back().may_pass = true;
}

Result<> PackageList::append(PackageList&& other) {
  if (packages_.size() + other.packages_.size() > max_packages)
    return limit_exceeded(fmt::format("{}: more than {} packages", location_, max_packages));
  std::ranges::move(other.packages_, std::back_inserter(packages_));
  const auto room = max_skips - std::min(max_skips, skips_.size());
  const auto taken = std::min(room, other.skips_.size());
  std::move(other.skips_.begin(), other.skips_.begin() + static_cast<std::ptrdiff_t>(taken),
            std::back_inserter(skips_));
  uncounted_skips_ += other.skips_.size() - taken + other.uncounted_skips_;
  return {};
}

std::vector<Skip> PackageList::take_skips() {
  if (uncounted_skips_ > 0)
    skips_.push_back(
        {.file = location_,
         .record = "",
         .reason = fmt::format("{} more records could not be read", uncounted_skips_)});
  uncounted_skips_ = 0;
  return std::move(skips_);
}

bool is_plain_word(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7F';
  });
}

}  // namespace tenken::inventory
