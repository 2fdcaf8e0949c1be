// The statements of a list of findings. There are two ways to a page:
//
// window: the next so many findings in the order of an index, whatever they are, and of these the
// ones that meet the criteria. Its cost is that of the window, at any depth.
//
// gathered: what can meet the criteria is brought together by another index (a driver), sorted and
// cut. Its cost is that of what the driver brings, which `driven` tells up to a limit.
//
// Thread rule: values; borrow what they were made from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/finding_conditions.h"
#include "store/finding_query.h"
#include "store/sql_text.h"

namespace tenken::store {

struct KeyColumn {
  enum class Kind : char { integer, number, text };
  std::string_view expression;
  Kind kind = Kind::integer;
};
// The columns of an order's key, each walked in the same direction.
std::span<const KeyColumn> key_of(FindingOrder order);

enum class FindingDriver : std::uint8_t {
  resources,
  vulnerabilities,
  first_observed,
  last_observed,
  updated,
  status_and_score,
};

struct ResolvedQuestion {
  FindingQuestion question;  // in any order but by account and by status
  std::vector<std::string> accounts;
  ColumnConditions columns;
  ArnAnswer arns;
  bool by_packages = false;  // packages choose few vulnerabilities
  sql::Engine engine = sql::Engine::sqlite;
};
// A statement has so many parts at most, some for each account.
std::size_t most_accounts_at_once(const ResolvedQuestion& question);

class FindingStatements {
 public:
  explicit FindingStatements(const ResolvedQuestion& question);

  // Whether every finding in the window is one of the list.
  bool unconditional() const;
  std::vector<FindingDriver> drivers() const;

  // Whether the criteria read what does not stand in the index that is walked.
  bool reads_rows() const;
  // Whether gathering by the driver looks for each finding by itself, beside the driver's index.
  bool reads_rows(FindingDriver driver) const;

  // "finding_columns, key": at most limit + 1 of them.
  SqlText window(std::size_t rows) const;
  SqlText gathered(FindingDriver driver) const;
  // "key" of the last finding of a window that is full.
  SqlText window_end(std::size_t rows) const;
  // How many findings the driver brings; no more than `most`.
  SqlText driven(FindingDriver driver, std::size_t most) const;

  // From now on windows are of the findings of the vulnerabilities chosen, all of them sorted.
  void walk_driver() { by_driver_ = true; }

  // In the order of scores, few vulnerabilities are walked each by its own index.
  std::size_t most_walked_vulnerabilities() const;
  SqlText chosen_vulnerabilities(std::size_t most) const;
  void walk_vulnerabilities(std::vector<std::string> ids) { walked_ = std::move(ids); }

 private:
  class Writer;
  const ResolvedQuestion& question_;
  std::vector<std::string> walked_;
  bool by_driver_ = false;
};

}  // namespace tenken::store
