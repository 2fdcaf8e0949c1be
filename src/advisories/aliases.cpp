#include "advisories/aliases.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <unordered_map>

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

// Every id that occurs, numbered; alias sets of the ids that are no CVE by union-find.
class Graph {
 public:
  std::uint32_t number(std::string_view id) {
    const auto [it, fresh] =
        numbers_.try_emplace(std::string(id), static_cast<std::uint32_t>(ids_.size()));
    if (fresh) {
      ids_.push_back(it->first);
      parents_.push_back(it->second);
    }
    return it->second;
  }
  const std::string& id(std::uint32_t number) const { return ids_[number]; }
  std::size_t size() const { return ids_.size(); }

  std::uint32_t root(std::uint32_t node) {
    while (parents_[node] != node) {
      parents_[node] = parents_[parents_[node]];
      node = parents_[node];
    }
    return node;
  }
  void unite(std::uint32_t a, std::uint32_t b) {
    parents_[std::max(root(a), root(b))] = std::min(root(a), root(b));
  }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> ids_;
  std::vector<std::uint32_t> parents_;
};

class Resolver {
 public:
  Resolver(const std::vector<RecordLinks>& records, const std::vector<std::string>& extra_ids)
      : records_(records) {
    for (std::size_t i = 0; i < records.size(); ++i)
      records_of_[graph_.number(records[i].id)].push_back(i);
    for (const auto& id : extra_ids) cves_.insert(id);
    link_aliases();
  }

  Resolution run() {
    std::vector<std::vector<std::string>> names(records_.size());
    std::map<std::string, ResolvedVulnerability> all;
    for (const auto& id : cves_) all[id].id = id;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      names[i] = names_of(i);
      for (const auto& id : names[i]) all[id].id = id;
    }
    for (std::size_t i = 0; i < records_.size(); ++i) describe(i, names[i], all);
    return number(std::move(all), names);
  }

 private:
  void link_aliases() {
    for (const auto& record : records_) {
      const auto node = graph_.number(record.id);
      for (const auto& alias : record.aliases) {
        const auto other = graph_.number(alias);
        if (is_cve(alias) && !is_cve(record.id)) set_cves_[node].insert(alias);
        if (!is_cve(alias) && is_cve(record.id)) set_cves_[other].insert(record.id);
        if (!is_cve(alias) && !is_cve(record.id)) graph_.unite(node, other);
      }
    }
    // The sets' CVEs and members, collected at their roots.
    std::unordered_map<std::uint32_t, std::set<std::string>> at_root;
    for (auto& [node, cves] : set_cves_) at_root[graph_.root(node)].merge(cves);
    set_cves_ = std::move(at_root);
    for (std::uint32_t node = 0; node < graph_.size(); ++node) {
      if (!is_cve(graph_.id(node))) members_[graph_.root(node)].push_back(node);
    }
  }

  void add_upstream(std::size_t record, std::set<std::string>& cves, std::set<std::size_t>& seen) {
    std::vector<std::size_t> open{record};
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (!seen.insert(at).second) continue;
      const auto& one = records_[at];
      if (at != record) add_direct(one, cves);
      for (const auto& id : one.upstream) {
        if (is_cve(id)) {
          cves.insert(id);
          continue;
        }
        const auto set = set_cves_.find(graph_.root(graph_.number(id)));
        if (set != set_cves_.end()) cves.insert(set->second.begin(), set->second.end());
        if (const auto found = records_of_.find(graph_.number(id)); found != records_of_.end()) {
          open.insert(open.end(), found->second.begin(), found->second.end());
        }
      }
    }
  }

  static void add_direct(const RecordLinks& record, std::set<std::string>& cves) {
    if (is_cve(record.id)) cves.insert(record.id);
    for (const auto& id : record.aliases) {
      if (is_cve(id)) cves.insert(id);
    }
    if (!related_names_fixes(record.id)) return;
    for (const auto& id : record.related) {
      if (is_cve(id)) cves.insert(id);
    }
  }

  // The vulnerabilities a record stands for: the CVEs it names, else those of its alias set, else
  // the set itself under the least id of its records.
  std::vector<std::string> names_of(std::size_t record) {
    if (is_cve(records_[record].id)) return {records_[record].id};
    std::set<std::string> cves;
    std::set<std::size_t> seen;
    add_direct(records_[record], cves);
    add_upstream(record, cves, seen);
    const auto root = graph_.root(graph_.number(records_[record].id));
    if (cves.empty()) {
      if (const auto set = set_cves_.find(root); set != set_cves_.end()) cves = set->second;
    }
    if (!cves.empty()) return {cves.begin(), cves.end()};
    return {least_record(root)};
  }

  const std::string& least_record(std::uint32_t root) {
    const std::string* least = nullptr;
    for (const auto member : members_[root]) {
      if (records_of_.contains(member) && (least == nullptr || graph_.id(member) < *least))
        least = &graph_.id(member);
    }
    return *least;
  }

  // A record is the vulnerability under another name where its aliases say so and name only this.
  void describe(std::size_t record, const std::vector<std::string>& names,
                std::map<std::string, ResolvedVulnerability>& all) {
    const auto& links = records_[record];
    if (names.size() != 1 || (related_names_fixes(links.id) && is_cve(names[0]))) return;
    auto& one = all[names[0]];
    const bool alias = links.id == one.id ||
                       std::ranges::find(links.aliases, one.id) != links.aliases.end() ||
                       !is_cve(one.id) || in_set_of(links.id, one.id);
    if (!alias) return;
    one.described.push_back(record);
    if (links.id != one.id) one.aliases.push_back(links.id);
    for (const auto& id : links.aliases) {
      if (id != one.id && !is_cve(id)) one.aliases.push_back(id);
    }
  }

  bool in_set_of(const std::string& id, const std::string& cve) {
    const auto set = set_cves_.find(graph_.root(graph_.number(id)));
    return set != set_cves_.end() && set->second.contains(cve);
  }

  static Resolution number(std::map<std::string, ResolvedVulnerability> all,
                           const std::vector<std::vector<std::string>>& names) {
    Resolution out;
    std::unordered_map<std::string_view, std::uint32_t> numbers;
    out.vulnerabilities.reserve(all.size());
    for (auto& [id, one] : all) {
      std::ranges::sort(one.aliases);
      one.aliases.erase(std::ranges::unique(one.aliases).begin(), one.aliases.end());
      out.vulnerabilities.push_back(std::move(one));
    }
    for (std::uint32_t i = 0; i < out.vulnerabilities.size(); ++i)
      numbers[out.vulnerabilities[i].id] = i;
    out.of_record.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (const auto& id : names[i]) out.of_record[i].push_back(numbers.at(id));
      std::ranges::sort(out.of_record[i]);
    }
    return out;
  }

  const std::vector<RecordLinks>& records_;
  Graph graph_;
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> records_of_;  // by node
  std::unordered_map<std::uint32_t, std::set<std::string>> set_cves_;       // by node, then by root
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> members_;   // by root
  std::set<std::string> cves_;
};

}  // namespace

Resolution resolve_aliases(const std::vector<RecordLinks>& records,
                           const std::vector<std::string>& extra_ids) {
  return Resolver(records, extra_ids).run();
}

}  // namespace tenken::advisories
