#include <algorithm>
#include <optional>

#include "base/text.h"
#include "store/finding_conditions.h"
#include "store/findings.h"

namespace tenken::store {
namespace {

using findings::Comparison;
using findings::Criteria;
using findings::TextField;

// The resources whose findings' ids begin with the digits; nullopt: none can.
std::optional<ResourceRange> resources_beginning(std::string_view digits) {
  std::string low(digits);
  std::string high(digits);
  low.resize(32, '0');
  high.resize(32, 'f');
  if (digits.size() > 32 || !is_finding_id(low) || low.front() > '7') return std::nullopt;
  if (digits.empty()) high.front() = '7';
  return ResourceRange{resources_of(low).first, resources_of(high).last};
}

// The account's findings on these resources whose ids begin so.
Result<std::vector<FindingKey>> keys_beginning(sql::Connection& connection,
                                               std::string_view account, ResourceRange range,
                                               std::string_view digits) {
  // The concatenation keeps SQLite to the key: an index by account would be walked whole.
  TRY(auto rows,
      connection.query("SELECT f.resource_id, f.vulnerability_id, f.episode FROM finding f "
                       "WHERE f.account_id || '' = ?1 AND f.resource_id BETWEEN ?2 AND ?3",
                       account, range.first.value, range.last.value));
  std::vector<FindingKey> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    FindingKey key{{row->integer(0)}, row->string(1), row->integer(2)};
    if (finding_id(account, key.resource, key.vulnerability, key.episode).starts_with(digits))
      out.push_back(std::move(key));
  }
}

// Digits of an id that are its resource's.
constexpr std::size_t resource_digits = 12;
constexpr std::string_view arn_head = "arn:aws:inspector2:";
constexpr std::string_view arn_kind = "finding/";

// An ARN or the beginning of one: "arn:aws:inspector2:R:ACCOUNT:finding/DIGITS".
struct ArnText {
  bool ours = false;           // as far as it goes
  bool whole_account = false;  // a ":" follows the account
  std::string_view account;
  std::string_view rest;  // what follows the account
  std::optional<std::string_view> digits;
};

ArnText read_arn(std::string_view text) {
  ArnText out;
  out.ours = arn_head.starts_with(text);
  if (!text.starts_with(arn_head)) return out;
  out.ours = true;
  const auto after_region = split_once(text.substr(arn_head.size()), ':').second;
  if (!after_region) return out;
  const auto [account, rest] = split_once(*after_region, ':');
  out.account = account;
  out.whole_account = rest.has_value();
  if (!rest) return out;
  out.rest = *rest;
  if (rest->starts_with(arn_kind)) out.digits = rest->substr(arn_kind.size());
  return out;
}

// Whether all findings of the account have ARNs that begin so.
bool begins_all(const ArnText& arn, std::string_view account) {
  if (!arn.ours) return false;
  if (!arn.whole_account) return account.starts_with(arn.account);
  return arn.account == account && arn_kind.starts_with(arn.rest);
}

}  // namespace

Result<std::optional<FindingKey>> find_finding(sql::Connection& connection,
                                               std::string_view account, std::string_view id) {
  const auto range = is_finding_id(id) ? resources_beginning(id) : std::nullopt;
  if (!range) return std::optional<FindingKey>();
  TRY(auto keys, keys_beginning(connection, account, *range, id));
  if (keys.empty()) return std::optional<FindingKey>();
  return std::optional(std::move(keys.front()));
}

Result<ArnAnswer> resolve_arns(sql::Connection& connection,
                               const std::vector<std::string>& accounts, const Criteria& criteria) {
  ArnAnswer out;
  const auto* const condition = criteria.find(TextField::finding_arn);
  if (condition == nullptr) return out;
  bool every_one = false;
  bool asked = false;
  for (const auto& test : condition->tests) {
    const bool prefix = test.comparison == Comparison::prefix;
    const bool unwanted = test.comparison == Comparison::not_equals;
    asked = asked || !unwanted;
    const auto arn = read_arn(test.value);
    for (const auto& account : accounts) {
      every_one = every_one || (prefix && begins_all(arn, account));
      if (arn.account != account || !arn.digits) continue;
      if (!prefix && !is_finding_id(*arn.digits)) continue;
      const auto range = resources_beginning(*arn.digits);
      if (!range) continue;
      if (prefix && arn.digits->size() <= resource_digits) {
        out.wanted_ranges.push_back(*range);
        continue;
      }
      TRY(const auto keys, keys_beginning(connection, account, *range, *arn.digits));
      auto& list = unwanted ? out.unwanted : out.wanted;
      list.insert(list.end(), keys.begin(), keys.end());
    }
  }
  out.all = every_one || !asked;
  return out;
}

}  // namespace tenken::store
