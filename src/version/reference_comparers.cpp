#include "version/reference_comparers.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"

namespace tenken::version::reference {
namespace {

template <typename T>
int sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// Numbers as texts: no zeros in front, then by length, then by digit.
using Number = std::pair<std::size_t, std::string>;
Number number(std::string_view digits) {
  std::string significant(digits);
  significant.erase(0, std::min(significant.find_first_not_of('0'), significant.size()));
  return {significant.size(), significant};
}

char at(std::string_view text, std::size_t i) {
  return i < text.size() ? text[i] : '\0';
}

// The end of the run of characters like the one at i.
template <typename Belongs>
std::size_t run_end(std::string_view text, std::size_t i, Belongs belongs) {
  while (i < text.size() && belongs(text[i])) ++i;
  return i;
}

int debian_weight(char c) {
  if (c == '~') return -1;
  if (c == '\0' || is_digit(c)) return 0;
  return is_alpha(c) ? c : c + 256;
}

int compare_debian_part(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !is_digit(a[i])) || (j < b.size() && !is_digit(b[j]))) {
      const int order = sign(debian_weight(at(a, i)), debian_weight(at(b, j)));
      if (order != 0) return order;
      ++i;
      ++j;
    }
    const auto i_end = run_end(a, i, [](char c) { return is_digit(c); });
    const auto j_end = run_end(b, j, [](char c) { return is_digit(c); });
    const int order = sign(number(a.substr(i, i_end - i)), number(b.substr(j, j_end - j)));
    if (order != 0) return order;
    i = i_end;
    j = j_end;
  }
  return 0;
}

struct Evr {
  std::string_view epoch;
  std::string_view version;
  std::optional<std::string_view> release;
};

Evr split_evr(std::string_view text) {
  Evr evr{.epoch = "0", .version = text, .release = std::nullopt};
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && number(text.substr(0, colon)) >= Number{} &&
      text.substr(0, colon).find_first_not_of("0123456789") == std::string_view::npos) {
    evr.epoch = text.substr(0, colon);
    evr.version = text.substr(colon + 1);
  }
  const auto dash = evr.version.rfind('-');
  if (dash == std::string_view::npos) return evr;
  evr.release = evr.version.substr(dash + 1);
  evr.version = evr.version.substr(0, dash);
  return evr;
}

bool separates(char c) {
  return !is_alnum(c) && c != '~' && c != '^';
}

int compare_rpm_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    a.remove_prefix(run_end(a, 0, separates));
    b.remove_prefix(run_end(b, 0, separates));
    if (at(a, 0) == '~' || at(b, 0) == '~') {
      if (at(a, 0) != '~') return 1;
      if (at(b, 0) != '~') return -1;
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    if (at(a, 0) == '^' || at(b, 0) == '^') {
      if (a.empty()) return -1;
      if (b.empty()) return 1;
      if (a[0] != '^') return 1;
      if (b[0] != '^') return -1;
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    if (a.empty() || b.empty()) break;
    const bool numeric = is_digit(a[0]);
    if (numeric != is_digit(b[0])) return numeric ? 1 : -1;
    const auto same = [&](char c) { return numeric ? is_digit(c) : is_alpha(c); };
    const auto part_a = a.substr(0, run_end(a, 0, same));
    const auto part_b = b.substr(0, run_end(b, 0, same));
    const int order = numeric ? sign(number(part_a), number(part_b)) : sign(part_a, part_b);
    if (order != 0) return order;
    a.remove_prefix(part_a.size());
    b.remove_prefix(part_b.size());
  }
  return a.empty() && b.empty() ? 0 : a.empty() ? -1 : 1;
}

// One step of an apk version: its kind (a smaller kind outranks a larger one when the versions were
// equal so far) and its text.
struct ApkStep {
  enum Kind { first, digits, letter, suffix, suffix_digits, hash, revision, end, unreadable };
  Kind kind = unreadable;
  std::string_view text;
};

constexpr std::array<std::string_view, 9> apk_suffixes = {"alpha", "beta", "pre", "rc", "cvs",
                                                          "svn",   "git",  "hg",  "p"};
constexpr int apk_pre_suffixes = 4;

int apk_suffix_rank(std::string_view word) {
  const auto* found = std::ranges::find(apk_suffixes, word);
  return found == apk_suffixes.end() ? -1 : static_cast<int>(found - apk_suffixes.begin());
}

class ApkWalk {
 public:
  explicit ApkWalk(std::string_view rest) : rest_(rest) { step_ = {ApkStep::first, digits()}; }
  const ApkStep& step() const { return step_; }

  void advance() {
    const auto was = step_.kind;
    step_ = {};
    if (rest_.empty()) {
      step_.kind = ApkStep::end;
    } else if (was == ApkStep::revision || was == ApkStep::unreadable) {
      return;
    } else if (rest_.starts_with("-r") || (rest_.starts_with(".r") && rest_.size() > 2)) {
      rest_.remove_prefix(2);
      if (is_digit(at(rest_, 0))) step_ = {ApkStep::revision, digits()};
    } else if (is_digit(rest_[0])) {
      step_ = {was == ApkStep::suffix ? ApkStep::suffix_digits : ApkStep::digits, digits()};
    } else if (rest_[0] == '.') {
      rest_.remove_prefix(1);
      step_ = {ApkStep::digits, digits()};
    } else if (rest_[0] == '_') {
      rest_.remove_prefix(1);
      step_ = {ApkStep::suffix, take(run_end(rest_, 0, [](char c) { return is_alpha(c); }))};
    } else if (rest_[0] == '~') {
      rest_.remove_prefix(1);
      step_ = {ApkStep::hash, take(std::min(rest_.find('-'), rest_.size()))};
    } else if (was == ApkStep::first || was == ApkStep::digits) {
      step_ = {ApkStep::letter, take(1)};
    }
  }

 private:
  std::string_view take(std::size_t count) {
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view digits() {
    return take(run_end(rest_, 0, [](char c) { return is_digit(c); }));
  }

  std::string_view rest_;
  ApkStep step_;
};

int compare_apk_step(const ApkStep& a, const ApkStep& b) {
  if (a.kind == ApkStep::suffix) return sign(apk_suffix_rank(a.text), apk_suffix_rank(b.text));
  const bool textual =
      a.kind == ApkStep::hash || a.kind == ApkStep::letter ||
      (a.kind == ApkStep::digits && (at(a.text, 0) == '0' || at(b.text, 0) == '0') &&
       !a.text.empty() && !b.text.empty());
  if (textual) return sign(a.text, b.text);
  if (a.kind == ApkStep::digits && a.text.empty() != b.text.empty()) {
    // Nothing between two dots: more than a fraction, less than a whole number.
    const bool fraction = (a.text.empty() ? b.text : a.text).front() == '0';
    return a.text.empty() == fraction ? 1 : -1;
  }
  return sign(number(a.text), number(b.text));
}

struct Pep440 {
  Number epoch;
  std::vector<Number> release;
  int pre = 4;  // -inf, a, b, rc, none
  Number pre_number;
  int has_post = 0;
  Number post;
  int no_dev = 1;
  Number dev;
  std::vector<std::tuple<int, Number, std::string>> local;
  auto key() const {
    return std::tie(epoch, release, pre, pre_number, has_post, post, no_dev, dev);
  }
};

// Only normal forms: "1!2.3a4.post5.dev6+local.7".
Pep440 read_pep440(std::string_view text) {
  Pep440 v;
  const auto take_number = [&] {
    const auto end = run_end(text, 0, [](char c) { return is_digit(c); });
    const auto digits = text.substr(0, end);
    text.remove_prefix(end);
    return number(digits);
  };
  const auto take = [&](std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  };
  const auto plus = split_once(text, '+');
  text = plus.first;
  v.release = {take_number()};
  if (take("!")) v.epoch = std::exchange(v.release[0], take_number());
  while (text.size() > 1 && text[0] == '.' && is_digit(text[1])) {
    take(".");
    v.release.push_back(take_number());
  }
  while (!v.release.empty() && v.release.back() == number("0")) v.release.pop_back();
  const int kind = take("rc") ? 3 : take("a") ? 1 : take("b") ? 2 : 4;
  if (kind != 4) std::tie(v.pre, v.pre_number) = std::tuple(kind, take_number());
  if (take(".post")) std::tie(v.has_post, v.post) = std::tuple(1, take_number());
  if (take(".dev")) std::tie(v.no_dev, v.dev) = std::tuple(0, take_number());
  if (v.pre == 4 && v.has_post == 0 && v.no_dev == 0) v.pre = 0;
  if (!plus.second) return v;
  for (const auto part : split(*plus.second, '.')) {
    const bool numeric = part.find_first_not_of("0123456789") == std::string_view::npos;
    v.local.emplace_back(numeric ? 1 : 0, numeric ? number(part) : Number{},
                         numeric ? "" : std::string(part));
  }
  return v;
}

int compare_identifiers(std::string_view a, std::string_view b) {
  const auto parts_a = split(a, '.');
  const auto parts_b = split(b, '.');
  for (std::size_t i = 0; i < std::min(parts_a.size(), parts_b.size()); ++i) {
    const auto numeric = [](std::string_view part) {
      return part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const bool numeric_a = numeric(parts_a[i]);
    if (numeric_a != numeric(parts_b[i])) return numeric_a ? -1 : 1;
    const int order =
        numeric_a ? sign(number(parts_a[i]), number(parts_b[i])) : sign(parts_a[i], parts_b[i]);
    if (order != 0) return order;
  }
  return sign(parts_a.size(), parts_b.size());
}

// Maven's items: a number, a qualifier, or a list of items.
struct MavenItem {
  enum Kind { qualifier, list, numeric };  // ascending
  Kind kind = list;
  Number value;
  std::string word;
  std::vector<MavenItem> items;
};

std::string maven_rank(const std::string& word) {
  static const std::vector<std::string> known = {"alpha",    "beta", "milestone", "rc",
                                                 "snapshot", "",     "sp"};
  const auto found = std::ranges::find(known, word);
  const auto index = std::to_string(found - known.begin());
  return found == known.end() ? index + "-" + word : index;
}

bool maven_null(const MavenItem& item) {
  if (item.kind == MavenItem::numeric) return item.value == number("0");
  return item.kind == MavenItem::qualifier ? item.word.empty() : item.items.empty();
}

class MavenParser {
 public:
  MavenItem parse(std::string_view text) {
    levels_.assign(1, {});
    for (const char c : text) feed(ascii_lower(c));
    if (!token_.empty()) {
      if (!digits_ && !levels_.back().items.empty()) levels_.emplace_back();
      flush(false);
    }
    while (levels_.size() > 1) {
      auto inner = std::move(levels_.back());
      levels_.pop_back();
      normalise(inner);
      levels_.back().items.push_back(std::move(inner));
    }
    normalise(levels_.front());
    return levels_.front();
  }

 private:
  void feed(char c) {
    if (c == '.' || c == '-') {
      if (token_.empty()) {
        levels_.back().items.push_back(
            {.kind = MavenItem::numeric, .value = {}, .word = {}, .items = {}});
      } else {
        flush(false);
      }
      if (c == '-') levels_.emplace_back();
      return;
    }
    if (!token_.empty() && is_digit(c) != digits_) {
      if (!digits_ && !levels_.back().items.empty()) levels_.emplace_back();
      flush(is_digit(c));
      levels_.emplace_back();
    }
    digits_ = is_digit(c);
    token_.push_back(c);
  }

  void flush(bool before_digit) {
    MavenItem item{.kind = digits_ ? MavenItem::numeric : MavenItem::qualifier,
                   .value = digits_ ? number(token_) : Number{},
                   .word = digits_ ? "" : token_,
                   .items = {}};
    if (before_digit && item.word == "a") item.word = "alpha";
    if (before_digit && item.word == "b") item.word = "beta";
    if (before_digit && item.word == "m") item.word = "milestone";
    if (item.word == "ga" || item.word == "final" || item.word == "release") item.word.clear();
    if (item.word == "cr") item.word = "rc";
    levels_.back().items.push_back(std::move(item));
    token_.clear();
  }

  static void normalise(MavenItem& list) {
    for (auto i = list.items.size(); i-- > 0;) {
      if (maven_null(list.items[i])) {
        list.items.erase(list.items.begin() + static_cast<std::ptrdiff_t>(i));
      } else if (list.items[i].kind != MavenItem::list) {
        break;
      }
    }
  }

  std::vector<MavenItem> levels_;
  std::string token_;
  bool digits_ = false;
};

int maven_against_nothing(const MavenItem& item) {
  if (item.kind == MavenItem::numeric) return maven_null(item) ? 0 : 1;
  if (item.kind == MavenItem::qualifier) return sign(maven_rank(item.word), maven_rank(""));
  for (const auto& inner : item.items)
    if (const int order = maven_against_nothing(inner); order != 0) return order;
  return 0;
}

int maven_tail(const MavenItem& list, std::size_t from) {
  for (auto i = from; i < list.items.size(); ++i)
    if (const int order = maven_against_nothing(list.items[i]); order != 0) return order;
  return 0;
}

MavenOrder compare_maven_lists(const MavenItem& a, const MavenItem& b) {
  for (std::size_t i = 0; i < std::max(a.items.size(), b.items.size()); ++i) {
    if (i >= a.items.size() || i >= b.items.size()) {
      const bool longer_a = i < a.items.size();
      const int order = maven_against_nothing((longer_a ? a : b).items[i]);
      if (order != 0) return {.order = longer_a ? order : -order};
      continue;
    }
    const auto& x = a.items[i];
    const auto& y = b.items[i];
    if (x.kind != y.kind) {
      const int order = sign(x.kind, y.kind);
      const int meaning = sign(maven_tail(a, i), maven_tail(b, i));
      return {.order = order, .contested = order * meaning < 0};
    }
    MavenOrder order;
    if (x.kind == MavenItem::list) order = compare_maven_lists(x, y);
    if (x.kind == MavenItem::numeric) order.order = sign(x.value, y.value);
    if (x.kind == MavenItem::qualifier) order.order = sign(maven_rank(x.word), maven_rank(y.word));
    if (order.order != 0) return order;
  }
  return {};
}

}  // namespace

int compare_dpkg(std::string_view a, std::string_view b) {
  const auto x = split_evr(a);
  const auto y = split_evr(b);
  if (const int order = sign(number(x.epoch), number(y.epoch)); order != 0) return order;
  if (const int order = compare_debian_part(x.version, y.version); order != 0) return order;
  return compare_debian_part(x.release.value_or(""), y.release.value_or(""));
}

int compare_rpm(std::string_view a, std::string_view b) {
  const auto x = split_evr(a);
  const auto y = split_evr(b);
  if (const int order = sign(number(x.epoch), number(y.epoch)); order != 0) return order;
  if (const int order = compare_rpm_part(x.version, y.version); order != 0) return order;
  if (!x.release || !y.release) return sign(x.release.has_value(), y.release.has_value());
  return compare_rpm_part(*x.release, *y.release);
}

int compare_apk(std::string_view a, std::string_view b) {
  ApkWalk x(a);
  ApkWalk y(b);
  while (x.step().kind == y.step().kind && x.step().kind < ApkStep::end) {
    if (const int order = compare_apk_step(x.step(), y.step()); order != 0) return order;
    x.advance();
    y.advance();
  }
  const auto pre = [](const ApkStep& step) {
    return step.kind == ApkStep::suffix && apk_suffix_rank(step.text) < apk_pre_suffixes;
  };
  if (pre(x.step()) != pre(y.step())) return pre(x.step()) ? -1 : 1;
  return sign(y.step().kind, x.step().kind);
}

int compare_pep440(std::string_view a, std::string_view b) {
  const auto x = read_pep440(a);
  const auto y = read_pep440(b);
  if (const int order = sign(x.key(), y.key()); order != 0) return order;
  return sign(x.local, y.local);
}

int compare_semver(std::string_view a, std::string_view b) {
  const auto [core_a, pre_a] = split_once(split_once(a, '+').first, '-');
  const auto [core_b, pre_b] = split_once(split_once(b, '+').first, '-');
  const auto parts_a = split(core_a.starts_with('v') ? core_a.substr(1) : core_a, '.');
  const auto parts_b = split(core_b.starts_with('v') ? core_b.substr(1) : core_b, '.');
  for (std::size_t i = 0; i < std::max(parts_a.size(), parts_b.size()); ++i) {
    const int order = sign(number(i < parts_a.size() ? parts_a[i] : "0"),
                           number(i < parts_b.size() ? parts_b[i] : "0"));
    if (order != 0) return order;
  }
  if (!pre_a || !pre_b) return sign(!pre_a.has_value(), !pre_b.has_value());
  return compare_identifiers(*pre_a, *pre_b);
}

MavenOrder compare_maven(std::string_view a, std::string_view b) {
  return compare_maven_lists(MavenParser().parse(a), MavenParser().parse(b));
}

int compare_alpm_part(std::string_view a, std::string_view b) {
  const auto separator = [](char c) { return !is_alnum(c); };
  while (!a.empty() && !b.empty()) {
    const auto gap_a = run_end(a, 0, separator);
    const auto gap_b = run_end(b, 0, separator);
    a.remove_prefix(gap_a);
    b.remove_prefix(gap_b);
    if (a.empty() || b.empty()) break;
    if (gap_a != gap_b) return sign(gap_a, gap_b);
    const bool numeric = is_digit(a[0]);
    if (numeric != is_digit(b[0])) return numeric ? 1 : -1;
    const auto same = [&](char c) { return numeric ? is_digit(c) : is_alpha(c); };
    const auto part_a = a.substr(0, run_end(a, 0, same));
    const auto part_b = b.substr(0, run_end(b, 0, same));
    const int order = numeric ? sign(number(part_a), number(part_b)) : sign(part_a, part_b);
    if (order != 0) return order;
    a.remove_prefix(part_a.size());
    b.remove_prefix(part_b.size());
  }
  if (a.empty() && b.empty()) return 0;
  return (a.empty() && !is_alpha(at(b, 0))) || is_alpha(at(a, 0)) ? -1 : 1;
}

}  // namespace tenken::version::reference
