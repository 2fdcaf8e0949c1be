// One finding as the Inspector API shows it: the model's Finding. Lists, reports and events all
// write it from here.
//
// Source: Finding of inspector2 2020-06-08; spec: inspector B.6, serve-decisions §4.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/json_writer.h"
#include "store/finding_rows.h"

namespace tenken::api {

// "arn:aws:inspector2:us-east-1:111122223333:finding/", with which all ARNs of an account begin.
std::string finding_arn_start(std::string_view region, std::string_view account);
std::string finding_arn(std::string_view region, const store::FindingRow& finding);

// "CVE-2024-1 - a, b and 2 more": names as they are sorted, each once.
std::string finding_title(const store::FindingRow& finding);
std::string_view status_name(store::Lifecycle status);
std::string_view fix_name(store::Fix fix);
// Where the vulnerability is described: NVD, GitHub or OSV.
std::string vulnerability_url(std::string_view vulnerability);

// A CVSS source as the service names it: "NVD", "GITHUB", "DEBIAN_CVE", "CISA-ADP"; the publisher
// of another record ("BIT-django-2020-7471": "BIT"), as vulnerabilitySource has it; others as they
// name themselves.
std::string_view scorer_name(std::string_view source);

// Whose number the finding's score is, and the vector that it belongs to; missing where the score
// is estimated from the source's word. document: of the vulnerability, as the finding has it.
struct ScoreOrigin {
  std::string_view source;  // empty: no score
  json::Value cvss;
};
ScoreOrigin score_origin(const store::FindingRow& finding, json::Value document);

// region: the home region, of the ARN and of a resource that has none of its own.
void write_finding(json::Writer& out, const store::FindingRow& finding, std::string_view region);

}  // namespace tenken::api
