// What answers of the own API have in common: times, how old the advisory data is, the words for
// kinds of resources, undecided things brought together.
//
// Thread rule: pure functions; Unknowns belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/call.h"
#include "base/json_writer.h"
#include "base/time.h"
#include "store/inventory_query.h"

namespace tenken::api::v1 {

// RFC 3339; nothing where it never came.
void write_time(json::Writer& out, std::string_view name, Seconds time);

// "database": {"generation", "newestRecord", "ageSeconds"} of the generation in use; null where
// there is none yet. The age is age_of() of it.
void write_database(json::Writer& out, const Services& services);
// The same of a feed, of which it may be unknown.
void write_age(json::Writer& out, Seconds newest, Seconds now);

// "host" for AWS_EC2_INSTANCE; a type without a word of its own stays as it is.
std::string_view word_of_type(std::string_view type);
// Errors: validation, for a word that names no type.
ApiResult<std::string> type_of_word(std::string_view word);

// "name=value". Errors: validation.
ApiResult<std::pair<std::string, std::string>> read_tag(std::string_view text);

// What could not be decided, the same thing once with its number of packages.
class Unknowns {
 public:
  enum class By : std::uint8_t { subject, reason };
  explicit Unknowns(By by) : by_(by) {}
  // documents are JSON arrays of {kind, subject, reason}, ours.
  void add(const std::vector<store::UnknownCount>& documents);
  // "unknown": [{kind, subject, reason, count}], at most `limit` of them, those that concern most
  // first; "unknownTotal" is their number.
  void write(json::Writer& out, std::size_t limit) const;

 private:
  By by_;
  std::map<std::tuple<std::string, std::string, std::string>, std::int64_t> counts_;
};

// "findings": {"active": {"total", "critical", …}, "suppressed", "closed"}.
void write_finding_counts(json::Writer& out, const std::vector<store::FindingCount>& counts);

}  // namespace tenken::api::v1
