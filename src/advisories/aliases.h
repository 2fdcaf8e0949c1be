// Which vulnerabilities a record is about, from the ids that records give each other.
//
// Rules: aliases are symmetric and transitive, upstream is transitive and points one way, related
// never merges, except that an erratum of a vendor that lists there the CVEs it fixes names them.
// Two CVE ids are never merged: a record that names several CVEs stands for each of them.
//
// Thread rule: build once, then read from any thread. A resolution's texts live as long as the
// records and extra ids it was made from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenken::advisories {

bool is_cve(std::string_view id);

// An erratum whose `related` holds the CVEs it fixes: AlmaLinux, Rocky, SUSE, Mageia, Ubuntu.
bool related_names_fixes(std::string_view id);

struct RecordLinks {
  std::string id;
  std::vector<std::string> aliases;
  std::vector<std::string> upstream;
  std::vector<std::string> related;
};

struct ResolvedVulnerability {
  std::string_view id;  // a CVE, or the least record id of an alias set without one
  std::vector<std::string_view> aliases;  // sorted, without id
  std::vector<std::uint32_t> described;   // records that are this vulnerability under another name
};

struct Resolution {
  std::vector<ResolvedVulnerability> vulnerabilities;  // sorted by id
  std::vector<std::vector<std::uint32_t>> of_record;   // per record: indexes, sorted
};

// extra_ids: CVEs that have facts but perhaps no record (NVD, KEV, EPSS).
Resolution resolve_aliases(const std::vector<RecordLinks>& records,
                           const std::vector<std::string_view>& extra_ids);

}  // namespace tenken::advisories
