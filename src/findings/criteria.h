// FilterCriteria of the Inspector API as a value: which findings a list, a filter or a report
// means. AND between fields, OR within one, except NOT_EQUALS, which all hold.
//
// A value that a finding lacks is absent: EQUALS, PREFIX and ranges never hold of it, NOT_EQUALS
// always does. No finding of tenken has any of absent_fields, and some have no epssScore,
// inspectorScore, vpc, … Every resource counts as one of the provider AWS, whose types it has, so
// that a field of all clouds (cloudImageDigest) means the same as that of AWS (ecrImageHash).
//
// Source: FilterCriteria of inspector2 2020-06-08; spec: inspector B.7. What is read was checked
// against the model or is a filter's stored text, times as epoch seconds. Errors: invalid, limit.
// Thread rule: values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace tenken::findings {

inline constexpr std::string_view provider = "AWS";  // of every resource

enum class Comparison : std::uint8_t { equals, prefix, not_equals };

struct TextTest {
  Comparison comparison = Comparison::equals;
  std::string value;
};
using TextTests = std::vector<TextTest>;
bool passes(std::span<const TextTest> tests, std::string_view value);
bool passes_absent(std::span<const TextTest> tests);

// Both ends belong to it; an absent one is open.
struct NumberRange {
  std::optional<double> first;
  std::optional<double> last;
};

enum class TextField : std::uint8_t {
  account,
  finding_arn,
  finding_type,
  severity,
  status,
  title,
  resource_type,
  resource_id,
  vulnerability_id,
  vulnerability_source,
  vendor_severity,
  related_vulnerability,
  fix_available,
  exploit_available,
  region,
  image_repository,
  image_registry,
  image_hash,
  image_architecture,
  image_id,  // an instance was started from
  vpc,
  subnet,
  function_name,
  project_name,
};
enum class NumberField : std::uint8_t { score, epss, first_observed, last_observed, updated };

struct TextCondition {
  TextField field = TextField::account;
  TextTests tests;
};
struct NumberCondition {
  NumberField field = NumberField::score;
  std::vector<NumberRange> ranges;
};
struct TagTest {
  std::string name;
  std::optional<std::string> value;  // absent: any
};
// All of it holds of one and the same package.
struct PackageTest {
  std::optional<TextTest> name;
  std::optional<TextTest> version;
  std::optional<TextTest> release;
  std::optional<TextTest> architecture;
  std::optional<TextTest> file_path;
  std::optional<NumberRange> epoch;
  bool impossible = false;  // asks for a layer, which no package of ours has
};

struct Criteria {
  std::vector<TextCondition> texts;
  std::vector<NumberCondition> numbers;
  std::vector<TagTest> tags;          // one of them; empty: no condition
  std::vector<PackageTest> packages;  // one of them; empty: no condition
  bool impossible = false;            // no finding can meet it

  const TextCondition* find(TextField field) const;  // nullptr: no condition
};

// The fields of the model that no finding has.
std::span<const std::string_view> absent_fields();

// What is no object stands for no conditions.
Result<Criteria> read_criteria(json::Value criteria);
Result<Criteria> read_criteria(std::string_view json);

}  // namespace tenken::findings
