// Internal to sbom/: one entry of a document in the words that the formats share, and the
// Collector that makes an Inventory of them.
//
// Thread rule: one Collector per thread; the text of a Component lives as long as its document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "inventory/package_list.h"
#include "model/inventory.h"

namespace tenken::sbom {

enum class Role : std::uint8_t {
  package,          // software, with or without purl
  package_if_purl,  // a file, image, model, source …: a package only where a purl says so
  operating_system,
};

struct Component {
  Role role = Role::package;
  std::string_view name;
  std::string_view group;  // that the name may lack; empty: none
  std::string_view version;
  std::string_view purl;
  // Beside the purl, which wins where both speak.
  std::string_view arch;
  std::string_view epoch;
  std::string_view source_name;
  std::string source_version;
  std::string_view module_label;
  std::string_view codename;     // of an operating system
  std::string_view pretty_name;  // of an operating system
  std::string_view vendor;
  std::string_view location;
  std::string license;
};

class Collector {
 public:
  explicit Collector(std::string_view shown_name);

  // limit: more packages than any real system has.
  Result<> add(const Component& component);
  // What the document is about, after all its parts: a package where a purl says so and no part
  // is the same one.
  Result<> add_subject(const Component& component);
  void skip(std::string_view record, std::string_view reason) { skips_.skip(record, reason); }
  // The document says in these words that it may lack packages: a skip, once.
  void note_incomplete(std::string_view words);
  // Packages of the operating system that name no release get the document's.
  Inventory finish() &&;

 private:
  void add_operating_system(const Component& component);

  Inventory inventory_;
  inventory::PackageList skips_;
  bool has_operating_system_ = false;
  bool is_ambiguous_ = false;
  bool is_incomplete_ = false;
};

// Each reads a document of its format, already known as such.
Result<Inventory> read_cyclonedx(json::Value root, std::string_view shown_name);
Result<Inventory> read_spdx2(json::Value root, std::string_view shown_name);
Result<Inventory> read_spdx3(json::Value root, std::string_view shown_name);

}  // namespace tenken::sbom
