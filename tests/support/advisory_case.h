// A few advisories as a database, and hosts that they concern. For tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "advisories/database.h"
#include "model/inventory.h"
#include "pipeline/build_database.h"
#include "pipeline/evaluate.h"
#include "support/scratch.h"

namespace tenken::test {

// An advisory of OSV's about a PyPI package, critical.
inline std::string osv_advisory(std::string_view id, std::string_view package,
                                std::string_view fixed) {
  return fmt::format(
      R"({{"id":"{}","modified":"2024-01-01T00:00:00Z","severity":[{{"type":"CVSS_V3",)"
      R"("score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],"affected":[{{"package":)"
      R"({{"ecosystem":"PyPI","name":"{}"}},"ranges":[{{"type":"ECOSYSTEM","events":)"
      R"([{{"introduced":"0"}},{{"fixed":"{}"}}]}}]}}]}})",
      id, package, fixed);
}

// Builds a generation of these advisories (by id) in the scratch directory, under a name of its
// own. nullptr, and a failed test: it cannot be built.
inline std::shared_ptr<const advisories::Database> built_advisories(
    const Scratch& scratch, std::string_view name,
    const std::map<std::string, std::string>& advisories) {
  for (const auto& [id, bytes] : advisories)
    scratch.write(fmt::format("{}-feed/{}.json", name, id), bytes);
  const auto file = scratch / fmt::format("{}.db", name);
  const auto report =
      pipeline::build_database({.from = {scratch / fmt::format("{}-feed", name)}, .out = file});
  EXPECT_TRUE(report) << report.error().what;
  auto database = advisories::Database::open(file);
  EXPECT_TRUE(database) << database.error().what;
  if (!report || !database) return nullptr;
  return std::make_shared<const advisories::Database>(*std::move(database));
}

// A host with these PyPI packages, by name and version.
inline Inventory python_host(const std::map<std::string, std::string>& packages) {
  Inventory out;
  out.target = Inventory::Target::host;
  out.databases_read = 1;
  for (const auto& [name, version] : packages)
    out.packages.push_back({.ecosystem = "PyPI", .kind = "pypi", .name = name, .version = version});
  return out;
}

// Does everything that waits.
inline void work_through(pipeline::Evaluator& evaluator) {
  for (int i = 0; i < 100; ++i) {
    const auto done = evaluator.work();
    ASSERT_TRUE(done) << done.error().what;
    if (*done == 0) return;
  }
  FAIL() << "the work does not end";
}

}  // namespace tenken::test
