#include "report/finding_csv.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "report/csv_line.h"

namespace tenken::report {
namespace {

constexpr Seconds day = 86'400;

// What the columns are taken from.
struct Source {
  json::Value finding;
  json::Value resource;  // the first
  json::Value ec2;
  json::Value image;
  json::Value function;
  json::Value package;  // packageVulnerabilityDetails
  json::Value network;
  Seconds now = 0;
};

std::string text(json::Value value) {
  return std::string(value.string());
}

std::string number_text(json::Value value) {
  const auto number = value.number();
  return number ? fmt::format("{}", *number) : std::string();
}

template <typename F>
std::string joined(json::Value list, F&& text_of) {
  std::string out;
  list.for_each([&](const json::Value& one) {
    const std::string part = text_of(one);
    if (part.empty()) return;
    if (!out.empty()) out += ", ";
    out += part;
  });
  return out;
}

std::string packages(const Source& source, std::string_view member) {
  return joined(source.package["vulnerablePackages"],
                [&](const json::Value& one) { return text(one[member]); });
}

std::string version_of(const json::Value& package) {
  std::string out;
  if (const auto epoch = package["epoch"].integer(); epoch && *epoch > 0)
    out = fmt::format("{}:", *epoch);
  out += package["version"].string();
  if (const auto release = package["release"].string(); !release.empty())
    out += fmt::format("-{}", release);
  return out;
}

std::string tags(const Source& source, std::string_view) {
  std::string out;
  source.resource["tags"].for_each_member([&](std::string_view name, const json::Value& value) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{}:{}", name, value.string());
  });
  return out;
}

enum class Scorer : bool { nvd, vendor };

// The first vector of a version ("2", "3") by NVD, or by anybody else.
json::Value cvss(const Source& source, Scorer scorer, char version) {
  json::Value out;
  source.package["cvss"].for_each([&](const json::Value& one) {
    const bool nvd = ascii_lower(one["source"].string()).contains("nvd");
    if (!out && nvd == (scorer == Scorer::nvd) && one["version"].string().starts_with(version))
      out = one;
  });
  return out;
}

template <Scorer scorer, char version>
std::string cvss_score(const Source& source, std::string_view) {
  return number_text(cvss(source, scorer, version)["baseScore"]);
}
template <Scorer scorer, char version>
std::string cvss_vector(const Source& source, std::string_view) {
  return text(cvss(source, scorer, version)["scoringVector"]);
}

// RFC 1918, link-local, shared and loopback addresses.
bool is_private(std::string_view address) {
  const auto parts = split(address, '.');
  if (parts.size() != 4) return false;
  const auto first = parse_uint(parts[0]).value_or(0);
  const auto second = parse_uint(parts[1]).value_or(0);
  return first == 10 || first == 127 || (first == 172 && second >= 16 && second <= 31) ||
         (first == 192 && second == 168) || (first == 169 && second == 254) ||
         (first == 100 && second >= 64 && second <= 127);
}

template <bool wanted>
std::string addresses(const Source& source, std::string_view) {
  return joined(source.ec2["ipV4Addresses"], [](const json::Value& one) {
    return is_private(one.string()) == wanted ? text(one) : std::string();
  });
}

std::string platform(const Source& source, std::string_view) {
  const auto out = text(source.ec2["platform"]);
  return out.empty() ? text(source.image["platform"]) : out;
}

std::string port_range(const Source& source, std::string_view) {
  const auto range = source.network["openPortRange"];
  const auto first = range["begin"].integer();
  const auto last = range["end"].integer();
  if (!first || !last) return {};
  return *first == *last ? fmt::format("{}", *first) : fmt::format("{}-{}", *first, *last);
}

std::string network_path(const Source& source, std::string_view) {
  return joined(source.network["networkPath"]["steps"],
                [](const json::Value& one) { return text(one["componentId"]); });
}

std::string age(const Source& source, std::string_view) {
  const auto first = source.finding["firstObservedAt"].number();
  if (!first) return {};
  return fmt::format("{}", std::max<Seconds>(0, source.now - static_cast<Seconds>(*first)) / day);
}

std::string installed_versions(const Source& source, std::string_view) {
  return joined(source.package["vulnerablePackages"], version_of);
}

// "resource.region": a part of Source, else of the finding itself, and members below it.
json::Value at(const Source& source, std::string_view place) {
  const auto [first, rest] = split_once(place, '.');
  json::Value out = first == "resource"   ? source.resource
                    : first == "ec2"      ? source.ec2
                    : first == "image"    ? source.image
                    : first == "function" ? source.function
                    : first == "package"  ? source.package
                                          : source.finding[first];
  if (!rest) return out;
  for (const auto member : split(*rest, '.')) out = out[member];
  return out;
}
std::string text_at(const Source& source, std::string_view place) {
  return text(at(source, place));
}
std::string texts_at(const Source& source, std::string_view place) {
  return joined(at(source, place), text);
}
std::string number_at(const Source& source, std::string_view place) {
  return number_text(at(source, place));
}
std::string time_at(const Source& source, std::string_view place) {
  const auto time = at(source, place).number();
  return time ? format_time(static_cast<Seconds>(*time)) : std::string();
}

struct Column {
  std::string_view name;
  std::string (*value)(const Source& source, std::string_view place);
  std::string_view place = {};
};

constexpr std::array<Column, 52> columns{{
    {"AWS Account Id", text_at, "awsAccountId"},
    {"Severity", text_at, "severity"},
    {"Fix Available", text_at, "fixAvailable"},
    {"Finding Type", text_at, "type"},
    {"Title", text_at, "title"},
    {"Description", text_at, "description"},
    {"Finding ARN", text_at, "findingArn"},
    {"First Seen", time_at, "firstObservedAt"},
    {"Last Seen", time_at, "lastObservedAt"},
    {"Last Updated", time_at, "updatedAt"},
    {"Resource ID", text_at, "resource.id"},
    {"Container Image Tags", texts_at, "image.imageTags"},
    {"Region", text_at, "resource.region"},
    {"Platform", platform},
    {"Resource Tags", tags},
    {"Affected Packages", packages, "name"},
    {"Package Installed Version", installed_versions},
    {"Fixed in Version", packages, "fixedInVersion"},
    {"Package Remediation", packages, "remediation"},
    {"File Path", packages, "filePath"},
    {"Network Paths", network_path},
    {"Age (Days)", age},
    {"Remediation", text_at, "remediation.recommendation.text"},
    {"Inspector Score", number_at, "inspectorScore"},
    {"Inspector Score Vector", text_at, "inspectorScoreDetails.adjustedCvss.scoringVector"},
    {"Status", text_at, "status"},
    {"Vulnerability Id", text_at, "package.vulnerabilityId"},
    {"Vendor", text_at, "package.source"},
    {"Vendor Severity", text_at, "package.vendorSeverity"},
    {"Vendor Advisory", text_at, "package.sourceUrl"},
    {"Vendor Advisory Published", time_at, "package.vendorCreatedAt"},
    {"NVD CVSS3 Score", cvss_score<Scorer::nvd, '3'>},
    {"NVD CVSS3 Vector", cvss_vector<Scorer::nvd, '3'>},
    {"NVD CVSS2 Score", cvss_score<Scorer::nvd, '2'>},
    {"NVD CVSS2 Vector", cvss_vector<Scorer::nvd, '2'>},
    {"Vendor CVSS3 Score", cvss_score<Scorer::vendor, '3'>},
    {"Vendor CVSS3 Vector", cvss_vector<Scorer::vendor, '3'>},
    {"Vendor CVSS2 Score", cvss_score<Scorer::vendor, '2'>},
    {"Vendor CVSS2 Vector", cvss_vector<Scorer::vendor, '2'>},
    {"Resource Type", text_at, "resource.type"},
    {"Ami", text_at, "ec2.imageId"},
    {"Resource Public Ipv4", addresses<false>},
    {"Resource Private Ipv4", addresses<true>},
    {"Resource Ipv6", texts_at, "ec2.ipV6Addresses"},
    {"Resource Vpc", text_at, "ec2.vpcId"},
    {"Port Range", port_range},
    {"Exploit Available", text_at, "exploitAvailable"},
    {"Last Exploited At", time_at, "exploitabilityDetails.lastKnownExploitAt"},
    {"Lambda Layers", texts_at, "function.layers"},
    {"Lambda Package Type", text_at, "function.packageType"},
    {"Lambda Last Updated At", time_at, "function.lastModifiedAt"},
    {"Reference Urls", texts_at, "package.referenceUrls"},
}};

// Words of several lines on one.
std::string on_one_line(std::string words) {
  std::ranges::replace_if(words, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return words;
}

Source source_of(json::Value finding, Seconds now) {
  json::Value resource;
  finding["resources"].for_each([&](const json::Value& one) {
    if (!resource) resource = one;
  });
  const auto details = resource["details"];
  return {.finding = finding,
          .resource = resource,
          .ec2 = details["awsEc2Instance"],
          .image = details["awsEcrContainerImage"],
          .function = details["awsLambdaFunction"],
          .package = finding["packageVulnerabilityDetails"],
          .network = finding["networkReachabilityDetails"],
          .now = now};
}

}  // namespace

std::string finding_csv_head() {
  CsvLine line;
  for (const auto& column : columns) line.cell(column.name);
  return std::string(line.end());
}

std::string finding_csv_line(json::Value finding, Seconds now) {
  const auto source = source_of(finding, now);
  CsvLine line;
  for (const auto& column : columns) line.cell(on_one_line(column.value(source, column.place)));
  return std::string(line.end());
}

}  // namespace tenken::report
