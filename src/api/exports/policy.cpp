#include "api/exports/policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::api::exports {

namespace {

// Amazon S3 User Guide, "Bucket naming rules".
bool is_bucket_name(std::string_view name) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
  };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, allowed);
}

}  // namespace

bool Policy::allows(std::string_view account, std::string_view bucket) const {
  return std::ranges::any_of(
      buckets, [&](const auto& one) { return one.first == account && one.second == bucket; });
}

Result<std::pair<std::string, std::string>> parse_bucket(std::string_view text) {
  const auto [account, bucket] = split_once(text, '=');
  const bool is_account = account.size() == 12 && std::ranges::all_of(account, is_digit);
  if (!is_account || !bucket || !is_bucket_name(*bucket))
    return invalid(fmt::format("--export-bucket {}: ACCOUNT=BUCKET is needed", printable(text)));
  return std::pair(std::string(account), std::string(*bucket));
}

}  // namespace tenken::api::exports
