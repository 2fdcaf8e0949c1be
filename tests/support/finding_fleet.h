// A store filled with findings without any inventory or advisory: for tests and benchmarks of
// what reads findings. The same on every run.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/result.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/resource_facts.h"

namespace tenken::test {

struct FleetSize {
  std::int64_t resources = 20;
  std::int64_t vulnerabilities = 50;
  std::int64_t per_resource = 15;  // findings
  std::int64_t names = 40;         // of source packages
  std::int64_t members = 0;  // accounts beside the first, which share a tenth of the resources
  // Vulnerabilities that every resource has, each seen at the same hour everywhere. Where there are
  // some, the others are spread unevenly too: the first on a third of the resources, most on few.
  std::int64_t everywhere = 0;
};

class FindingFleet {
 public:
  static constexpr std::string_view account = "111122223333";
  static constexpr std::int64_t start = 1'700'000'000;

  explicit FindingFleet(FleetSize size) : size_(size) {}

  static std::string vulnerability(std::int64_t number) {
    return fmt::format("CVE-2024-{:05}", number);
  }
  static std::string resource(std::int64_t number) { return fmt::format("i-{:08x}", number); }
  // Number 0 is the account that the fleet belongs to.
  static std::string member(std::int64_t number) {
    return number == 0 ? std::string(account) : fmt::format("{:012}", 222'233'330'000 + number);
  }

  Result<> fill(sql::Connection& connection) const {
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY_VOID(fill_vulnerabilities(connection));
    TRY_VOID(fill_matches(connection));
    TRY_VOID(fill_resources(connection));
    TRY_VOID(fill_tags(connection));
    TRY_VOID(fill_findings(connection));
    return transaction.commit();
  }

 private:
  // Spread without order, the same always.
  static std::int64_t spread(std::int64_t a, std::int64_t b = 0) {
    auto x = static_cast<std::uint64_t>(a) * 0x9E3779B97F4A7C15U + static_cast<std::uint64_t>(b);
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9U;
    x ^= x >> 32;
    return static_cast<std::int64_t>(x >> 2);
  }
  static std::int64_t score(std::int64_t vulnerability) {
    const auto value = spread(vulnerability, 7) % 104;
    return value > 100 ? -1 : value;
  }

  template <typename F>
  static Result<> put(sql::Connection& connection, std::string_view table,
                      std::vector<std::string_view> columns, F&& add_rows) {
    TRY(auto bulk, connection.bulk({.table = table, .columns = std::move(columns)}));
    TRY_VOID(add_rows(*bulk));
    TRY(const auto added, bulk->finish());
    CHECK(added >= 0);
    return {};
  }

  Result<> fill_vulnerabilities(sql::Connection& connection) const {
    return put(connection, "vulnerability",
               {"vulnerability_id", "title", "source", "published_at", "modified_at", "epss",
                "exploited_at", "aliases", "document"},
               [&](sql::Bulk& bulk) -> Result<> {
                 for (std::int64_t i = 0; i < size_.vulnerabilities; ++i) {
                   const auto id = vulnerability(i);
                   const auto aliases = fmt::format(" GHSA-{} ", i);
                   const double epss = i % 9 == 0 ? -1 : static_cast<double>(spread(i) % 50) / 50;
                   const std::int64_t exploited = i % 31 == 3 ? start : 0;
                   const sql::Value row[] = {std::string_view(id),
                                             std::string_view(""),
                                             std::string_view(i % 5 == 0 ? "DEBIAN_CVE" : "NVD"),
                                             start,
                                             start,
                                             epss,
                                             exploited,
                                             std::string_view(aliases),
                                             std::string_view(R"({"description":"d"})")};
                   TRY_VOID(bulk.add(row));
                 }
                 return {};
               });
  }

  // Of each vulnerability one to three package versions.
  static std::int64_t packages_of(std::int64_t vulnerability) { return 1 + vulnerability % 3; }
  static std::int64_t package(std::int64_t vulnerability, std::int64_t number) {
    return vulnerability * 4 + number + 1;
  }

  Result<> fill_matches(sql::Connection& connection) const {
    TRY_VOID(put(connection, "package_version",
                 {"package_version_id", "ecosystem", "release", "kind", "name", "version", "arch",
                  "source_name", "source_version", "module_label", "vendor", "purl", "host_state",
                  "advisory_name", "epoch", "upstream_version", "upstream_release"},
                 [&](sql::Bulk& bulk) -> Result<> {
                   for (std::int64_t i = 0; i < size_.vulnerabilities; ++i) {
                     for (std::int64_t n = 0; n < packages_of(i); ++n) {
                       const auto name = fmt::format("pkg{}-{}", i % size_.names, n);
                       const std::string_view none;
                       const sql::Value row[] = {package(i, n),
                                                 std::string_view("Debian"),
                                                 std::string_view("12"),
                                                 std::string_view("deb"),
                                                 std::string_view(name),
                                                 std::string_view("1:2.0-3"),
                                                 std::string_view("amd64"),
                                                 none,
                                                 none,
                                                 none,
                                                 none,
                                                 none,
                                                 none,
                                                 std::string_view(name),
                                                 std::int64_t{1},
                                                 std::string_view("2.0"),
                                                 std::string_view("3")};
                       TRY_VOID(bulk.add(row));
                     }
                   }
                   return {};
                 }));
    return put(connection, "match",
               {"package_version_id", "vulnerability_id", "live", "status", "score", "score_source",
                "vendor_severity", "fixed_version", "advisories"},
               [&](sql::Bulk& bulk) -> Result<> {
                 for (std::int64_t i = 0; i < size_.vulnerabilities; ++i) {
                   const auto id = vulnerability(i);
                   for (std::int64_t n = 0; n < packages_of(i); ++n) {
                     const sql::Value row[] = {package(i, n),
                                               std::string_view(id),
                                               std::int64_t{1},
                                               std::int64_t{0},
                                               score(i),
                                               std::string_view("NVD"),
                                               std::string_view("high"),
                                               std::string_view(i % 2 == 0 ? "1:2.1-1" : ""),
                                               std::string_view(id)};
                     TRY_VOID(bulk.add(row));
                   }
                 }
                 return {};
               });
  }

  static std::string_view vendor_word(std::int64_t vulnerability) {
    constexpr std::array<std::string_view, 7> words{"",     "Important",  "low",     "MODERATE",
                                                    "high", "negligible", "Critical"};
    return words[static_cast<std::size_t>(vulnerability % 7)];
  }

  std::string owner(std::int64_t resource) const {
    const bool shared = size_.members > 0 && resource % 10 == 0;
    return member(shared ? 1 + resource / 10 % size_.members : 0);
  }

  std::vector<std::pair<std::int64_t, std::int64_t>> sorted_resources() const {
    std::vector<std::pair<std::int64_t, std::int64_t>> out;
    for (std::int64_t i = 0; i < size_.resources; ++i)
      out.emplace_back(store::resource_id(owner(i), resource(i)).value, i);
    std::ranges::sort(out);
    return out;
  }

  Result<> fill_resources(sql::Connection& connection) const {
    return put(
        connection, "resource",
        {"resource_id", "account_id", "external_id", "type", "tags", "created_at", "repository",
         "registry", "image_hash", "image_architecture", "image_id", "vpc_id", "subnet_id"},
        [&](sql::Bulk& bulk) -> Result<> {
          for (const auto& [id, number] : sorted_resources()) {
            const auto name = resource(number);
            const auto whose = owner(number);
            const auto tags = fmt::format(R"({{"env":"{}"}})", environment(number));
            const auto type = type_of(number);
            const auto facts = facts_of(number, type);
            const sql::Value row[] = {id,
                                      std::string_view(whose),
                                      std::string_view(name),
                                      type,
                                      std::string_view(tags),
                                      start,
                                      std::string_view(facts.repository),
                                      std::string_view(facts.registry),
                                      std::string_view(facts.image_hash),
                                      std::string_view(facts.image_architecture),
                                      std::string_view(facts.image_id),
                                      std::string_view(facts.vpc_id),
                                      std::string_view(facts.subnet_id)};
            TRY_VOID(bulk.add(row));
          }
          return {};
        });
  }

  static std::string_view type_of(std::int64_t resource) {
    return resource % 12 == 5   ? "AWS_ECR_CONTAINER_IMAGE"
           : resource % 40 == 7 ? "AWS_LAMBDA_FUNCTION"
                                : "AWS_EC2_INSTANCE";
  }
  // Of images all, of instances three of four.
  static store::ResourceFacts facts_of(std::int64_t resource, std::string_view type) {
    if (type == "AWS_ECR_CONTAINER_IMAGE")
      return {.repository = fmt::format("team{}/app", resource % 7),
              .registry = resource % 2 == 0 ? "registry.example" : std::string(account),
              .image_hash = fmt::format("sha256:{:064x}", resource),
              .image_architecture = resource % 24 == 5 ? "arm64" : "amd64"};
    if (type != "AWS_EC2_INSTANCE" || resource % 4 == 0) return {};
    return {.image_id = fmt::format("ami-{:08x}", resource % 5),
            .vpc_id = fmt::format("vpc-{}", resource % 3),
            .subnet_id = fmt::format("subnet-{}", resource % 11)};
  }

  static std::string_view environment(std::int64_t resource) {
    return resource % 5000 == 4999 ? "canary"
           : resource % 100 == 1   ? "stage"
           : resource % 3 == 0     ? "prod"
                                   : "dev";
  }

  Result<> fill_tags(sql::Connection& connection) const {
    return put(connection, "resource_tag", {"resource_id", "name", "value"},
               [&](sql::Bulk& bulk) -> Result<> {
                 for (const auto& [id, number] : sorted_resources()) {
                   const sql::Value row[] = {id, std::string_view("env"), environment(number)};
                   TRY_VOID(bulk.add(row));
                 }
                 return {};
               });
  }

  Result<> fill_findings(sql::Connection& connection) const {
    return put(connection, "finding",
               {"resource_id", "vulnerability_id", "episode", "account_id", "status", "score",
                "fix", "packages", "last_observed_at", "updated_at", "closed_at", "suppressed_by",
                "cause", "transition", "vendor_severity"},
               [&](sql::Bulk& bulk) -> Result<> {
                 for (const auto& [id, number] : sorted_resources())
                   TRY_VOID(add_findings(bulk, id, number));
                 return {};
               });
  }

  std::set<std::int64_t> vulnerabilities_of(std::int64_t resource) const {
    std::set<std::int64_t> out;
    for (std::int64_t i = 0; i < size_.everywhere; ++i) out.insert(i);
    const auto others = size_.vulnerabilities - size_.everywhere;
    const auto first = spread(resource) % others;
    const auto step = others / size_.per_resource;
    for (std::int64_t n = 0; std::ssize(out) < size_.per_resource; ++n) {
      const auto even = (first + n * step) % others;
      auto one = size_.everywhere == 0 ? even : even * even / others;
      while (!out.insert(size_.everywhere + one).second) one = (one + 1) % others;
    }
    return out;
  }

  Result<> add_findings(sql::Bulk& bulk, std::int64_t id, std::int64_t number) const {
    const auto whose = owner(number);
    for (const auto one : vulnerabilities_of(number)) {
      const auto name = vulnerability(one);
      const auto draw = spread(number, one) % 100;
      const std::int64_t status = draw < 85 ? 1 : draw < 90 ? 2 : 3;
      std::string packages;
      for (std::int64_t n = 0; n < packages_of(one); ++n)
        packages += fmt::format("{}{}", n == 0 ? "" : ",", package(one, n));
      const auto seen = one < size_.everywhere
                            ? start + 1'000'000 * (one + 1) + spread(number, one + 1) % 3'600
                            : start + spread(number, one + 1) % 5'000'000;
      const sql::Value row[] = {id,
                                std::string_view(name),
                                seen,
                                std::string_view(whose),
                                status,
                                score(one),
                                one % 2 == 0 ? std::int64_t{2} : std::int64_t{0},
                                std::string_view(packages),
                                seen + 86'400 * (number % 5),
                                seen + 86'400,
                                status == 3 ? seen + 86'400 : std::int64_t{0},
                                std::string_view(status == 2 ? "0123456789abcdef" : ""),
                                std::string_view("inventory d"),
                                seen,
                                vendor_word(one)};
      TRY_VOID(bulk.add(row));
    }
    return {};
  }

  FleetSize size_;
};

}  // namespace tenken::test
