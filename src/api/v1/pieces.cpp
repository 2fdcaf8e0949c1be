#include "api/v1/pieces.h"

#include <algorithm>
#include <array>

#include "api/database_age.h"
#include "api/errors.h"
#include "base/json.h"
#include "base/text.h"
#include "findings/score.h"

namespace tenken::api::v1 {
namespace {

struct TypeWord {
  std::string_view word;
  std::string_view type;
};
constexpr std::array types{
    TypeWord{"host", "AWS_EC2_INSTANCE"},
    TypeWord{"image", "AWS_ECR_CONTAINER_IMAGE"},
    TypeWord{"function", "AWS_LAMBDA_FUNCTION"},
    TypeWord{"repository", "CODE_REPOSITORY"},
};

constexpr std::array<std::string_view, 6> severities{"CRITICAL", "HIGH",          "MEDIUM",
                                                     "LOW",      "INFORMATIONAL", "UNTRIAGED"};

void write_by_severity(json::Writer& out, const std::vector<store::FindingCount>& counts,
                       store::Lifecycle status) {
  std::array<std::int64_t, severities.size()> numbers{};
  std::int64_t total = 0;
  for (const auto& one : counts) {
    if (one.status != status) continue;
    const auto at = std::ranges::find(severities, findings::inspector_severity(one.score));
    CHECK(at != severities.end());
    numbers[static_cast<std::size_t>(at - severities.begin())] += one.findings;
    total += one.findings;
  }
  out.begin_object();
  out.key("total").integer(total);
  for (std::size_t i = 0; i < severities.size(); ++i)
    out.key(ascii_lower(severities[i])).integer(numbers[i]);
  out.end_object();
}

}  // namespace

void write_time(json::Writer& out, std::string_view name, Seconds time) {
  if (time > 0) out.member(name, format_time(time));
}

void write_age(json::Writer& out, Seconds newest, Seconds now) {
  write_time(out, "newestRecord", newest);
  if (newest > 0) out.key("ageSeconds").integer(std::max(Seconds{0}, now - newest));
}

void write_database(json::Writer& out, const Services& services) {
  out.key("database");
  const auto generation = services.generation();
  if (generation == nullptr) {
    out.null();
    return;
  }
  out.begin_object();
  out.member("generation", generation->generation());
  write_time(out, "newestRecord", generation->meta().newest_record);
  out.key("ageSeconds").integer(age_of(*generation, services.clock()));
  out.end_object();
}

std::string_view word_of_type(std::string_view type) {
  const auto at = std::ranges::find(types, type, &TypeWord::type);
  return at == types.end() ? type : at->word;
}

ApiResult<std::string> type_of_word(std::string_view word) {
  const auto at = std::ranges::find(types, word, &TypeWord::word);
  if (at == types.end())
    return validation_failed("type: one of host, image, function, repository is needed");
  return std::string(at->type);
}

ApiResult<std::pair<std::string, std::string>> read_tag(std::string_view text) {
  const auto [name, value] = split_once(text, '=');
  if (name.empty() || !value) return validation_failed("tag: name=value is needed");
  return std::pair(std::string(name), std::string(*value));
}

void Unknowns::add(const std::vector<store::UnknownCount>& documents) {
  json::Parser parser;
  for (const auto& one : documents) {
    const auto list = parser.parse(one.unknown);
    CHECK(list.has_value());
    list->for_each([&](const json::Value& unknown) {
      const auto subject = by_ == By::subject ? unknown["subject"].string() : std::string_view();
      counts_[{std::string(unknown["kind"].string()), std::string(subject),
               std::string(unknown["reason"].string())}] += one.packages;
    });
  }
}

void Unknowns::write(json::Writer& out, std::size_t limit) const {
  std::vector<const decltype(counts_)::value_type*> sorted;
  sorted.reserve(counts_.size());
  for (const auto& one : counts_) sorted.push_back(&one);
  std::ranges::sort(sorted, [](const auto* a, const auto* b) {
    return a->second != b->second ? a->second > b->second : a->first < b->first;
  });
  out.key("unknownTotal").integer(static_cast<std::int64_t>(sorted.size()));
  out.key("unknown").begin_array();
  for (std::size_t i = 0; i < std::min(limit, sorted.size()); ++i) {
    const auto& [kind, subject, reason] = sorted[i]->first;
    out.begin_object();
    out.member("kind", kind).member_if("subject", subject).member("reason", reason);
    out.key("count").integer(sorted[i]->second);
    out.end_object();
  }
  out.end_array();
}

void write_finding_counts(json::Writer& out, const std::vector<store::FindingCount>& counts) {
  out.key("findings").begin_object();
  out.key("active");
  write_by_severity(out, counts, store::Lifecycle::active);
  out.key("suppressed");
  write_by_severity(out, counts, store::Lifecycle::suppressed);
  out.key("closed");
  write_by_severity(out, counts, store::Lifecycle::closed);
  out.end_object();
}

}  // namespace tenken::api::v1
