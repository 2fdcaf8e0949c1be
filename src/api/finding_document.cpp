#include "api/finding_document.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "findings/score.h"
#include "store/ids.h"
#include "version/parts.h"

namespace tenken::api {
namespace {

using store::FindingPackage;
using store::FindingRow;

constexpr std::size_t packages_named = 10;  // in the recommendation
constexpr std::size_t programs_named = 10;  // of a package that is installed no longer

void write_strings(json::Writer& out, std::string_view name, json::Value list) {
  if (list.size() == 0) return;
  out.key(name).begin_array();
  list.for_each([&](json::Value one) { out.string(one.string()); });
  out.end_array();
}

void write_time(json::Writer& out, std::string_view name, Seconds time) {
  if (time > 0) out.key(name).integer(time);
}

void write_cvss(json::Writer& out, json::Value cvss) {
  out.begin_object();
  out.key("baseScore").number(cvss["baseScore"].number().value_or(0));
  out.member("scoringVector", cvss["scoringVector"].string());
  out.member("source", scorer_name(cvss["source"].string()));
  out.member("version", cvss["version"].string());
  out.end_object();
}

// All vectors, those of the source that gives the score first.
void write_all_cvss(json::Writer& out, json::Value document, const FindingRow& finding) {
  const auto list = document["cvss"];
  if (list.size() == 0) return;
  const auto source = score_origin(finding, document).source;
  out.key("cvss").begin_array();
  for (const bool chosen : {true, false})
    list.for_each([&](json::Value one) {
      if ((one["source"].string() == source) == chosen) write_cvss(out, one);
    });
  out.end_array();
}

void write_score(json::Writer& out, json::Value document, const FindingRow& finding) {
  out.member("severity", findings::inspector_severity(finding.score));
  if (finding.score < 0) return;
  out.key("inspectorScore").number(static_cast<double>(finding.score) / 10);
  const auto origin = score_origin(finding, document);
  if (!origin.cvss) return;
  out.key("inspectorScoreDetails").begin_object().key("adjustedCvss").begin_object();
  out.member("scoreSource", scorer_name(origin.source));
  out.member("cvssSource", scorer_name(origin.source));
  out.member("version", origin.cvss["version"].string());
  out.key("score").number(static_cast<double>(finding.score) / 10);
  out.member("scoringVector", origin.cvss["scoringVector"].string());
  out.key("adjustments").begin_array().end_array();
  out.end_object().end_object();
}

std::string_view package_manager(const FindingPackage& package) {
  const std::string_view kind = package.kind;
  const std::string_view location = package.location;
  if (kind == "deb" || kind == "rpm" || kind == "apk") return "OS";
  if (kind == "pypi") return location.ends_with("METADATA") ? "PYTHONPKG" : "PIP";
  if (kind == "npm") return location.ends_with("package.json") ? "NODEPKG" : "NPM";
  if (kind == "gem") return location.ends_with(".gemspec") ? "GEMSPEC" : "BUNDLER";
  if (kind == "maven") return location.ends_with("pom.xml") ? "POM" : "JAR";
  if (kind == "golang") return location.ends_with("go.mod") ? "GOMOD" : "GOBINARY";
  if (kind == "cargo") return "CARGO";
  if (kind == "composer") return "COMPOSER";
  if (kind == "nuget") return "NUGET";
  return {};
}

// Names of strangers stand in commands only where no shell reads anything into them.
bool is_plain(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [](char c) {
    return is_alnum(c) || c == '-' || c == '.' || c == '+' || c == '_';
  });
}

// "/usr/sbin/nginx (812, 813)", of each program that runs an old file of the package.
std::vector<std::string> programs_to_restart(const FindingPackage& package) {
  std::vector<std::string> out;
  json::Parser parser;
  const auto programs = parser.parse(package.running);
  if (!programs) return out;
  programs->for_each([&](json::Value program) {
    std::vector<std::int64_t> pids;
    program["pids"].for_each([&](json::Value pid) { pids.push_back(pid.integer().value_or(0)); });
    out.push_back(
        fmt::format("{} ({})", printable(program["executable"].string()), fmt::join(pids, ", ")));
  });
  return out;
}

std::string restart_text(const FindingPackage& package) {
  auto programs = programs_to_restart(package);
  const auto more = programs.size() > programs_named ? programs.size() - programs_named : 0;
  programs.resize(programs.size() - more);
  auto out = fmt::format("restart {}", fmt::join(programs, ", "));
  if (more > 0) out += fmt::format(" and {} more programs", more);
  return out;
}

std::string package_remediation(const FindingPackage& package) {
  if (!package.running.empty()) return restart_text(package);
  if (package.fixed_version.empty() || !is_plain(package.name)) return {};
  if (package.kind == "deb")
    return fmt::format("apt-get update && apt-get install --only-upgrade {}", package.name);
  if (package.kind == "rpm") return fmt::format("dnf upgrade {}", package.name);
  if (package.kind == "apk") return fmt::format("apk upgrade {}", package.name);
  return {};
}

void write_package(json::Writer& out, const FindingPackage& package) {
  const auto parts = version::split_version(package.kind, package.version);
  out.begin_object();
  out.member("name", package.name).member("version", parts.version);
  const auto manager = package_manager(package);
  if (manager == "OS") out.key("epoch").integer(parts.epoch);
  out.member_if("release", parts.release).member_if("arch", package.arch);
  out.member_if("packageManager", manager).member_if("filePath", package.location);
  out.member_if("fixedInVersion", package.fixed_version);
  out.member_if("remediation", package_remediation(package));
  out.end_object();
}

void write_details(json::Writer& out, json::Value document, const FindingRow& finding) {
  out.key("packageVulnerabilityDetails").begin_object();
  out.member("vulnerabilityId", finding.key.vulnerability);
  out.member("source", finding.source);
  out.member("sourceUrl", vulnerability_url(finding.key.vulnerability));
  write_all_cvss(out, document, finding);
  write_strings(out, "relatedVulnerabilities", document["aliases"]);
  write_strings(out, "referenceUrls", document["references"]);
  out.member_if("vendorSeverity", finding.vendor_severity);
  write_time(out, "vendorCreatedAt", finding.published);
  write_time(out, "vendorUpdatedAt", finding.modified);
  out.key("vulnerablePackages").begin_array();
  for (const auto& package : finding.packages) write_package(out, package);
  out.end_array().end_object();
}

// What was replaced and still runs.
std::string restarts(const FindingRow& finding) {
  std::string out;
  for (const auto& package : finding.packages) {
    if (package.running.empty()) continue;
    out += fmt::format(" {} {} was replaced, and processes still run its files: {}.", package.name,
                       package.version, restart_text(package));
  }
  return out;
}

std::string update_text(const FindingRow& finding) {
  std::vector<std::string> fixes;
  for (const auto& package : finding.packages) {
    if (package.fixed_version.empty() || !package.running.empty()) continue;
    auto fix = fmt::format("{} {}", package.name, package.fixed_version);
    if (std::ranges::find(fixes, fix) == fixes.end()) fixes.push_back(std::move(fix));
  }
  if (fixes.empty()) {
    const bool replaced = std::ranges::all_of(
        finding.packages, [](const auto& package) { return !package.running.empty(); });
    return replaced && !finding.packages.empty() ? "" : "No version with a fix is known yet.";
  }
  const auto more = fixes.size() > packages_named ? fixes.size() - packages_named : 0;
  fixes.resize(fixes.size() - more);
  auto out = fmt::format("Update to at least {}", fmt::join(fixes, ", "));
  if (more > 0) out += fmt::format(" and {} more packages as listed", more);
  return out + ".";
}

std::string recommendation(const FindingRow& finding) {
  return std::string(trim(update_text(finding) + restarts(finding)));
}

// What an agent told of its host, as ingest has written it.
void write_instance(json::Writer& out, const FindingRow& finding) {
  json::Parser parser({.bytes = std::size_t{1} << 20, .depth = 8});
  const auto details = parser.parse(finding.resource_details);
  const auto instance = details ? (*details)["instance"] : json::Value();
  const auto text = [&](std::string_view name) { out.member_if(name, instance[name].string()); };
  text("iamInstanceProfileArn");
  out.member_if("imageId", finding.resource_facts.image_id);
  write_strings(out, "ipV4Addresses", instance["ipV4Addresses"]);
  write_strings(out, "ipV6Addresses", instance["ipV6Addresses"]);
  text("keyName");
  write_time(out, "launchedAt", instance["launchedAt"].integer().value_or(0));
  out.member_if("platform", finding.resource_platform);
  out.member_if("subnetId", finding.resource_facts.subnet_id);
  text("type");
  out.member_if("vpcId", finding.resource_facts.vpc_id);
}

void write_resource_details(json::Writer& out, const FindingRow& finding) {
  if (finding.resource_type == "AWS_EC2_INSTANCE") {
    out.key("details").begin_object().key("awsEc2Instance").begin_object();
    write_instance(out, finding);
    out.end_object().end_object();
  }
  if (finding.resource_type != "AWS_ECR_CONTAINER_IMAGE") return;
  const auto& image = finding.resource_facts;
  if (image.image_hash.empty()) return;  // which the shape requires
  out.key("details").begin_object().key("awsEcrContainerImage").begin_object();
  out.member("repositoryName", image.repository).member("registry", image.registry);
  out.member("imageHash", image.image_hash).member_if("architecture", image.image_architecture);
  out.member_if("platform", finding.resource_platform);
  out.end_object().end_object();
}

void write_tags(json::Writer& out, const FindingRow& finding) {
  json::Parser parser({.bytes = std::size_t{1} << 20, .depth = 4});
  const auto tags = parser.parse(finding.resource_tags);
  if (!tags || tags->size() == 0) return;
  out.key("tags").begin_object();
  tags->for_each_member(
      [&](std::string_view name, json::Value value) { out.member(name, value.string()); });
  out.end_object();
}

void write_resource(json::Writer& out, const FindingRow& finding) {
  out.key("resources").begin_array().begin_object();
  out.member("type", finding.resource_type).member("id", finding.resource_external_id);
  out.member("partition", "aws");
  out.member("region", finding.resource_region);
  out.member("provider", findings::provider).member("providerAccountId", finding.account);
  write_tags(out, finding);
  write_resource_details(out, finding);
  out.end_object().end_array();
}

void write_exploit(json::Writer& out, const FindingRow& finding) {
  out.member("exploitAvailable", finding.exploited > 0 ? "YES" : "NO");
  if (finding.exploited > 0) {
    out.key("exploitabilityDetails").begin_object();
    out.key("lastKnownExploitAt").integer(finding.exploited);
    out.end_object();
  }
  if (finding.epss >= 0)
    out.key("epss").begin_object().key("score").number(finding.epss).end_object();
}

}  // namespace

std::string_view scorer_name(std::string_view source) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"nvd", "NVD"},
      {"CVE-", "NVD"},
      {"134c704f-9b21-4f2e-91b3-4a467353bcc0", "CISA-ADP"},
      {"GHSA-", "GITHUB"},
      {"ALAS", "AMAZON_CVE"},
      {"DEBIAN-", "DEBIAN_CVE"},
      {"DSA-", "DEBIAN_CVE"},
      {"DLA-", "DEBIAN_CVE"},
      {"RHBA-", "REDHAT_CVE"},
      {"RHEA-", "REDHAT_CVE"},
      {"RHSA-", "REDHAT_CVE"},
      {"UBUNTU-", "UBUNTU_CVE"},
      {"USN-", "UBUNTU_CVE"}};
  for (const auto& [start, name] : names)
    if (source.starts_with(start)) return name;
  const auto [publisher, number] = split_once(source, '-');
  const bool is_record =
      number && std::ranges::any_of(*number, is_digit) &&
      std::ranges::all_of(publisher, [](char c) { return c >= 'A' && c <= 'Z'; });
  return is_record ? publisher : source;
}

ScoreOrigin score_origin(const FindingRow& finding, json::Value document) {
  const auto package = std::ranges::find(finding.packages, finding.score, &FindingPackage::score);
  if (finding.score < 0 || package == finding.packages.end()) return {};
  ScoreOrigin out{.source = package->score_source};
  document["cvss"].for_each([&](json::Value one) {
    const auto base = one["baseScore"].number();
    if (!out.cvss && base && one["source"].string() == out.source &&
        std::lround(*base * 10) == finding.score)
      out.cvss = one;
  });
  return out;
}

std::string finding_arn_start(std::string_view region, std::string_view account) {
  return fmt::format("arn:aws:inspector2:{}:{}:finding/", region, account);
}

std::string finding_arn(std::string_view region, const FindingRow& finding) {
  return finding_arn_start(region, finding.account) +
         store::finding_id(finding.account, finding.key.resource, finding.key.vulnerability,
                           finding.key.episode);
}

std::string finding_title(const FindingRow& finding) {
  std::set<std::string_view> names;
  for (const auto& package : finding.packages) names.insert(package.name);
  if (names.empty()) return finding.key.vulnerability;
  auto out = fmt::format("{} - {}", finding.key.vulnerability, *names.begin());
  if (names.size() > 1) out += fmt::format(", {}", *std::next(names.begin()));
  if (names.size() > 2) out += fmt::format(" and {} more", names.size() - 2);
  return out;
}

std::string_view status_name(store::Lifecycle status) {
  switch (status) {
    case store::Lifecycle::active:
      return "ACTIVE";
    case store::Lifecycle::suppressed:
      return "SUPPRESSED";
    case store::Lifecycle::closed:
      return "CLOSED";
  }
  return "ACTIVE";
}

std::string_view fix_name(store::Fix fix) {
  switch (fix) {
    case store::Fix::none:
      return "NO";
    case store::Fix::partial:
      return "PARTIAL";
    case store::Fix::all:
      return "YES";
  }
  return "NO";
}

std::string vulnerability_url(std::string_view vulnerability) {
  if (vulnerability.starts_with("CVE-"))
    return fmt::format("https://nvd.nist.gov/vuln/detail/{}", vulnerability);
  if (vulnerability.starts_with("GHSA-"))
    return fmt::format("https://github.com/advisories/{}", vulnerability);
  return fmt::format("https://osv.dev/vulnerability/{}", vulnerability);
}

void write_finding(json::Writer& out, const FindingRow& finding, std::string_view region) {
  json::Parser parser({.bytes = std::size_t{16} << 20, .depth = 16});
  const auto parsed = parser.parse(finding.document);
  const auto document = parsed ? *parsed : json::Value();
  out.begin_object();
  out.member("findingArn", finding_arn(region, finding));
  out.member("awsAccountId", finding.account);
  out.member("type", "PACKAGE_VULNERABILITY");
  const auto description = document["description"].string();
  out.member("description", description.empty() ? finding.key.vulnerability : description);
  out.member("title", finding_title(finding));
  out.key("remediation").begin_object().key("recommendation").begin_object();
  out.member("text", recommendation(finding)).end_object().end_object();
  write_score(out, document, finding);
  out.key("firstObservedAt").integer(finding.key.episode);
  out.key("lastObservedAt").integer(finding.last_observed);
  out.key("updatedAt").integer(finding.updated);
  out.member("status", status_name(finding.status));
  write_resource(out, finding);
  write_exploit(out, finding);
  out.member("fixAvailable", fix_name(finding.fix));
  write_details(out, document, finding);
  out.end_object();
}

}  // namespace tenken::api
