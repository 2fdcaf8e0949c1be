#include "advisories/diff.h"

#include <array>
#include <map>

namespace tenken::advisories {

std::string_view name(Change change) {
  constexpr std::array<std::string_view, 3> names{"added", "removed", "changed"};
  return names[static_cast<std::size_t>(change)];
}

namespace {

// Walks a database's names in their order of (ecosystem, release, name).
class NameWalk {
 public:
  explicit NameWalk(const Database& database) : database_(database) {}

  Result<bool> next() {
    while (partition_ == nullptr || at_ == entry_.first_name + entry_.names) {
      if (next_partition_ == database_.partition_count()) {
        done_ = true;
        return false;
      }
      TRY(entry_, database_.partition(next_partition_++));
      partition_ = &entry_;
      at_ = entry_.first_name;
    }
    TRY(name_, database_.name(at_++));
    return true;
  }

  bool done() const { return done_; }
  auto key() const { return std::tie(entry_.ecosystem, entry_.release, name_.name); }
  std::uint64_t hash() const { return name_.hash; }
  NameChange change(Change kind) const {
    return {std::string(entry_.ecosystem), std::string(entry_.release), std::string(name_.name),
            kind};
  }

 private:
  const Database& database_;
  std::uint32_t next_partition_ = 0;
  const PartitionEntry* partition_ = nullptr;
  PartitionEntry entry_;
  NameEntry name_;
  std::uint32_t at_ = 0;
  bool done_ = false;
};

// How far each release is covered; true: in part only, by every feed that covers it.
std::map<CoverageChange, bool> extents(const Database& database) {
  std::map<CoverageChange, bool> out;
  for (const auto& one : database.meta().coverage) {
    const auto [known, fresh] = out.try_emplace({one.ecosystem, one.release}, one.partial);
    if (!fresh) known->second = known->second && one.partial;
  }
  return out;
}

std::set<CoverageChange> diff_coverage(const Database& before, const Database& after) {
  std::set<CoverageChange> out;
  const auto was = extents(before);
  const auto is = extents(after);
  const auto add_others = [&out](const auto& all, const auto& others) {
    for (const auto& [release, partial] : all) {
      const auto other = others.find(release);
      if (other == others.end() || other->second != partial) out.insert(release);
    }
  };
  add_others(was, is);
  add_others(is, was);
  return out;
}

Result<std::vector<NameChange>> diff_names(const Database& before, const Database& after) {
  std::vector<NameChange> out;
  NameWalk a(before);
  NameWalk b(after);
  TRY_VOID(a.next());
  TRY_VOID(b.next());
  while (!a.done() || !b.done()) {
    if (b.done() || (!a.done() && a.key() < b.key())) {
      out.push_back(a.change(Change::removed));
      TRY_VOID(a.next());
    } else if (a.done() || b.key() < a.key()) {
      out.push_back(b.change(Change::added));
      TRY_VOID(b.next());
    } else {
      if (a.hash() != b.hash()) out.push_back(b.change(Change::changed));
      TRY_VOID(a.next());
      TRY_VOID(b.next());
    }
  }
  return out;
}

// Everything of a vulnerability that a finding shows, as one text; record numbers are not.
Result<std::string> content(const Database& database, const VulnerabilityEntry& entry) {
  VulnerabilityEntry bare = entry;
  bare.described.clear();
  bare.note = {};
  std::string out = pack(bare);
  for (const auto number : entry.described) {
    TRY(const auto record, database.record(number));
    TRY(const auto document, database.document(record.document));
    out += pack(document);
    out += record.summary;
    out += record.summary_ja;
  }
  TRY(const auto note, database.document(entry.note));
  return out + pack(note);
}

Result<std::vector<VulnerabilityChange>> diff_vulnerabilities(const Database& before,
                                                              const Database& after) {
  std::vector<VulnerabilityChange> out;
  std::uint32_t i = 0;
  std::uint32_t j = 0;
  while (i < before.vulnerability_count() || j < after.vulnerability_count()) {
    VulnerabilityEntry a;
    VulnerabilityEntry b;
    if (i < before.vulnerability_count()) {
      TRY(a, before.vulnerability(i));
    }
    if (j < after.vulnerability_count()) {
      TRY(b, after.vulnerability(j));
    }
    if (j == after.vulnerability_count() || (i < before.vulnerability_count() && a.id < b.id)) {
      out.push_back({std::string(a.id), Change::removed});
      ++i;
    } else if (i == before.vulnerability_count() || b.id < a.id) {
      out.push_back({std::string(b.id), Change::added});
      ++j;
    } else {
      TRY(const auto old_content, content(before, a));
      TRY(const auto new_content, content(after, b));
      if (old_content != new_content) out.push_back({std::string(b.id), Change::changed});
      ++i;
      ++j;
    }
  }
  return out;
}

}  // namespace

Result<Difference> diff(const Database& before, const Database& after) {
  TRY(auto names, diff_names(before, after));
  TRY(auto vulnerabilities, diff_vulnerabilities(before, after));
  return Difference{std::move(names), std::move(vulnerabilities), diff_coverage(before, after)};
}

}  // namespace tenken::advisories
