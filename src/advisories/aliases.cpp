#include "advisories/aliases.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace tenken::advisories {

bool is_cve(std::string_view id) {
  if (!id.starts_with("CVE-")) return false;
  const auto [year, number] = split_once(id.substr(4), '-');
  return year.size() == 4 && parse_uint(year) && number && number->size() >= 4 &&
         parse_uint(*number);
}

bool related_names_fixes(std::string_view id) {
  constexpr std::array<std::string_view, 13> prefixes{
      "ALSA-", "ALBA-", "ALEA-",     "RLSA-",  "RXSA-", "RHSA-", "RHBA-",
      "RHEA-", "SUSE-", "openSUSE-", "MGASA-", "USN-",  "LSN-"};
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return id.starts_with(p); });
}

namespace {

using Id = std::uint32_t;      // number of an id, in the order of first sight
using Record = std::uint32_t;  // number of a record

// Every id that occurs, numbered; alias sets of the ids that are no CVE by union-find.
class Ids {
 public:
  Id number(std::string_view text) {
    const auto [it, fresh] = numbers_.try_emplace(text, static_cast<Id>(texts_.size()));
    if (fresh) {
      texts_.push_back(text);
      is_cve_.push_back(advisories::is_cve(text));
      parents_.push_back(it->second);
    }
    return it->second;
  }
  std::string_view text(Id id) const { return texts_[id]; }
  bool is_cve(Id id) const { return is_cve_[id]; }
  std::size_t size() const { return texts_.size(); }

  Id root(Id id) {
    while (parents_[id] != id) {
      parents_[id] = parents_[parents_[id]];
      id = parents_[id];
    }
    return id;
  }
  void unite(Id a, Id b) { parents_[std::max(root(a), root(b))] = std::min(root(a), root(b)); }

 private:
  std::unordered_map<std::string_view, Id> numbers_;
  std::vector<std::string_view> texts_;
  std::vector<bool> is_cve_;
  std::vector<Id> parents_;
};

// Several numbers to a key, as sorted pairs: filled, then sealed, then asked.
class NumbersByKey {
 public:
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  void add(std::uint32_t key, std::uint32_t number) { pairs_.emplace_back(key, number); }
  void seal() {
    std::ranges::sort(pairs_);
    const auto rest = std::ranges::unique(pairs_);
    pairs_.erase(rest.begin(), rest.end());
  }
  auto of(std::uint32_t key) const {
    return std::ranges::equal_range(pairs_, key, {}, &Pair::first) |
           std::views::transform(&Pair::second);
  }
  bool contains(std::uint32_t key, std::uint32_t number) const {
    return std::ranges::binary_search(pairs_, Pair(key, number));
  }

 private:
  std::vector<Pair> pairs_;
};

void sort_unique(auto& numbers_or_texts) {
  std::ranges::sort(numbers_or_texts);
  const auto rest = std::ranges::unique(numbers_or_texts);
  numbers_or_texts.erase(rest.begin(), rest.end());
}

// A record's links as numbers.
struct Links {
  Id id = 0;
  std::vector<Id> aliases;
  std::vector<Id> upstream;
  std::vector<Id> fixes;  // what an erratum lists as related
};

class Resolver {
 public:
  Resolver(const std::vector<RecordLinks>& records,
           const std::vector<std::string_view>& extra_ids) {
    records_.reserve(records.size());
    for (const auto& record : records) records_.push_back(numbered(record));
    for (const auto id : extra_ids) extra_.push_back(ids_.number(id));
    seen_.resize(records.size());
    link_aliases();
  }

  Resolution run() {
    std::vector<std::vector<Id>> names(records_.size());
    for (Record i = 0; i < records_.size(); ++i) names[i] = names_of(i);
    auto out = number(names);
    for (Record i = 0; i < records_.size(); ++i) {
      if (names[i].size() == 1) describe(i, names[i][0], out.vulnerabilities[out.of_record[i][0]]);
    }
    for (auto& one : out.vulnerabilities) sort_unique(one.aliases);
    return out;
  }

 private:
  static constexpr Id none = ~Id{0};

  Links numbered(const RecordLinks& record) {
    const auto all = [&](const std::vector<std::string>& texts) {
      std::vector<Id> out;
      out.reserve(texts.size());
      for (const auto& text : texts) out.push_back(ids_.number(text));
      return out;
    };
    Links out{ids_.number(record.id), all(record.aliases), all(record.upstream), {}};
    if (related_names_fixes(record.id)) out.fixes = all(record.related);
    return out;
  }

  void link_aliases() {
    for (const auto& record : records_) {
      for (const auto alias : record.aliases) {
        if (!ids_.is_cve(alias) && !ids_.is_cve(record.id)) ids_.unite(record.id, alias);
      }
    }
    least_record_.resize(ids_.size(), none);
    for (Record i = 0; i < records_.size(); ++i) {
      const auto& record = records_[i];
      records_of_.add(record.id, i);
      for (const auto alias : record.aliases) {
        if (ids_.is_cve(alias) == ids_.is_cve(record.id)) continue;
        const bool cve_here = ids_.is_cve(record.id);
        set_cves_.add(ids_.root(cve_here ? alias : record.id), cve_here ? record.id : alias);
      }
      auto& least = least_record_[ids_.root(record.id)];
      if (least == none || ids_.text(record.id) < ids_.text(least)) least = record.id;
    }
    records_of_.seal();
    set_cves_.seal();
  }

  void add_set(Id id, std::vector<Id>& cves) {
    for (const auto cve : set_cves_.of(ids_.root(id))) cves.push_back(cve);
  }

  void add_direct(const Links& record, std::vector<Id>& cves) const {
    const auto add = [&](Id id) {
      if (ids_.is_cve(id)) cves.push_back(id);
    };
    add(record.id);
    std::ranges::for_each(record.aliases, add);
    std::ranges::for_each(record.fixes, add);
  }

  // The record's upstreams and theirs, each once.
  void add_upstream(Record record, std::vector<Id>& cves) {
    std::vector<Record> open{record};
    std::vector<Record> visited;
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (seen_[at]) continue;
      seen_[at] = true;
      visited.push_back(at);
      if (at != record) add_direct(records_[at], cves);
      for (const auto id : records_[at].upstream) {
        if (ids_.is_cve(id)) {
          cves.push_back(id);
          continue;
        }
        add_set(id, cves);
        for (const auto next : records_of_.of(id)) open.push_back(next);
      }
    }
    for (const auto at : visited) seen_[at] = false;
  }

  // The vulnerabilities a record stands for: the CVEs it names, else those of its alias set, else
  // the set itself under the least id of its records.
  std::vector<Id> names_of(Record record) {
    const auto& links = records_[record];
    if (ids_.is_cve(links.id)) return {links.id};
    std::vector<Id> cves;
    add_direct(links, cves);
    if (!links.upstream.empty()) add_upstream(record, cves);
    if (cves.empty()) add_set(links.id, cves);
    if (cves.empty()) return {least_record_[ids_.root(links.id)]};
    sort_unique(cves);
    return cves;
  }

  // A record is the vulnerability under another name where its aliases say so and name only this.
  void describe(Record record, Id name, ResolvedVulnerability& one) {
    const auto& links = records_[record];
    if (ids_.is_cve(name) && related_names_fixes(ids_.text(links.id))) return;
    const bool alias = links.id == name || !ids_.is_cve(name) ||
                       std::ranges::find(links.aliases, name) != links.aliases.end() ||
                       set_cves_.contains(ids_.root(links.id), name);
    if (!alias) return;
    one.described.push_back(record);
    if (links.id != name) one.aliases.push_back(ids_.text(links.id));
    for (const auto id : links.aliases) {
      if (id != name && !ids_.is_cve(id)) one.aliases.push_back(ids_.text(id));
    }
  }

  // The vulnerabilities that have a record or facts, in the order of their ids.
  Resolution number(const std::vector<std::vector<Id>>& names) {
    std::vector<Id> used = extra_;
    for (const auto& some : names) used.insert(used.end(), some.begin(), some.end());
    sort_unique(used);
    std::ranges::sort(used, {}, [&](Id id) { return ids_.text(id); });
    Resolution out;
    std::vector<std::uint32_t> place(ids_.size());
    out.vulnerabilities.resize(used.size());
    for (std::uint32_t i = 0; i < used.size(); ++i) {
      out.vulnerabilities[i].id = ids_.text(used[i]);
      place[used[i]] = i;
    }
    out.of_record.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (const auto id : names[i]) out.of_record[i].push_back(place[id]);
      std::ranges::sort(out.of_record[i]);
    }
    return out;
  }

  Ids ids_;
  std::vector<Links> records_;
  std::vector<Id> extra_;
  std::vector<bool> seen_;        // of records, while upstreams are followed
  NumbersByKey records_of_;       // by id
  NumbersByKey set_cves_;         // by root
  std::vector<Id> least_record_;  // by root: the least id that a record has
};

}  // namespace

Resolution resolve_aliases(const std::vector<RecordLinks>& records,
                           const std::vector<std::string_view>& extra_ids) {
  return Resolver(records, extra_ids).run();
}

}  // namespace tenken::advisories
