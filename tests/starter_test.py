#!/usr/bin/env python3
"""The starter feed is complete and consistent: starter_test.py STARTER_DIRECTORY.

Whether its versions are true is decided where they were taken from (starter/README.md); here only
what a file can show by itself.
"""
import datetime
import json
import pathlib
import re
import sys
import unittest

DIRECTORY = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "starter")
REQUIRED = {  # vulnerability: a package that it must name
    "CVE-2022-3602": ("Ubuntu:22.04:LTS", "openssl"),  # the source of libssl3
    "CVE-2021-40438": ("AlmaLinux:8", "httpd"),
}
ECOSYSTEM = re.compile(
    r"AlmaLinux:\d+|Alpine:v3\.\d+|Debian:\d+|Ubuntu:\d\d\.04:LTS"
    r"|Go|Maven|Packagist|PyPI|RubyGems|crates\.io|npm")
HOSTS = re.compile(
    r"https://(nvd\.nist\.gov|www\.cve\.org|github\.com/advisories|security-tracker\.debian\.org"
    r"|lists\.debian\.org|ubuntu\.com/security|errata\.almalinux\.org|curl\.se|httpd\.apache\.org"
    r"|kb\.isc\.org|nginx\.org|openssl-library\.org|symfony\.com|terrapin-attack\.com"
    r"|www\.exim\.org|www\.postgresql\.org|www\.samba\.org|www\.sudo\.ws)/")
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def records():
    for path in sorted(DIRECTORY.glob("CVE-*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def packages(record):
    return [(row["package"]["ecosystem"], row["package"]["name"]) for row in record["affected"]]


def for_each_record(check):
    def test(self):
        for path, record in records():
            with self.subTest(path.name):
                check(self, path, record)
    return test


class Starter(unittest.TestCase):
    def test_the_folder_says_that_it_is_the_starter(self):
        manifest = json.loads((DIRECTORY / "MANIFEST.json").read_text(encoding="utf-8"))
        self.assertIs(manifest["starter"], True)
        self.assertIn("tenken db update", manifest["note"])

    def test_there_are_about_sixty_records_and_nothing_else(self):
        names = {path.name for path in DIRECTORY.iterdir()}
        found = {path.name for path, _ in records()}
        self.assertTrue(55 <= len(found) <= 75, len(found))
        self.assertEqual(names - found, {"MANIFEST.json", "README.md"})

    @for_each_record
    def test_the_id_is_the_name_of_the_file(self, path, record):
        self.assertEqual(record["id"] + ".json", path.name)
        self.assertRegex(record["id"], r"^CVE-\d{4}-\d{4,}$")
        self.assertEqual(record["schema_version"], "1.7.0")

    @for_each_record
    def test_both_descriptions_are_one_short_line(self, _, record):
        english, japanese = record["summary"], record["database_specific"]["summary_ja"]
        for line in (english, japanese):
            self.assertTrue(0 < len(line) <= 120 and line.isprintable(), line)
            self.assertEqual(line, line.strip())
        self.assertTrue(english.isascii(), english)
        self.assertRegex(japanese, JAPANESE)

    @for_each_record
    def test_dates_are_in_order(self, _, record):
        times = [datetime.datetime.strptime(record[key], "%Y-%m-%dT%H:%M:%SZ")
                 for key in ("published", "modified")]
        self.assertEqual(times, sorted(times))
        self.assertLessEqual(int(record["id"][4:8]), times[0].year)

    @for_each_record
    def test_aliases_are_no_other_cve(self, _, record):
        for alias in record.get("aliases", []):
            self.assertRegex(alias, r"^(GHSA(-[2-9cfghjmpqrvwx]{4}){3}|GO-\d{4}-\d{4}"
                                    r"|PYSEC-\d{4}-\d+|RUSTSEC-\d{4}-\d{4})$")

    @for_each_record
    def test_severity_is_a_cvss_vector(self, _, record):
        for severity in record.get("severity", []):
            pattern = {"CVSS_V3": r"^CVSS:3\.[01]/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]"
                                  r"/C:[NLH]/I:[NLH]/A:[NLH]$",
                       "CVSS_V2": r"^AV:[NAL]/AC:[LMH]/Au:[NSM]/C:[NPC]/I:[NPC]/A:[NPC]$"}
            self.assertRegex(severity["score"], pattern[severity["type"]])

    @for_each_record
    def test_references_are_official(self, _, record):
        urls = [reference["url"] for reference in record["references"]]
        self.assertEqual(urls[0], "https://nvd.nist.gov/vuln/detail/" + record["id"])
        for url in urls:
            self.assertRegex(url, HOSTS)

    @for_each_record
    def test_every_package_is_named_once_with_fixed_versions(self, _, record):
        self.assertGreaterEqual(len(record["affected"]), 1)
        self.assertEqual(len(set(packages(record))), len(record["affected"]))
        for row in record["affected"]:
            self.assertTrue(ECOSYSTEM.fullmatch(row["package"]["ecosystem"]), row)
            (only,) = row["ranges"]
            self.assertEqual(only["type"], "ECOSYSTEM")
            kinds = [kind for event in only["events"] for kind in event]
            self.assertEqual(kinds, ["introduced", "fixed"] * (len(kinds) // 2))
            self.assertTrue(kinds and all(v for e in only["events"] for v in e.values()), row)

    @for_each_record
    def test_module_builds_name_their_stream(self, _, record):
        for row in record["affected"]:
            is_module = ".module" in json.dumps(row["ranges"])
            self.assertEqual("rpmmod=" in row["package"].get("purl", ""), is_module, row)

    def test_descriptions_and_aliases_belong_to_one_record(self):
        told = [text for _, record in records()
                for text in (record["summary"], record["database_specific"]["summary_ja"],
                             *record.get("aliases", []))]
        self.assertEqual([text for text in told if told.count(text) > 1], [])

    def test_the_required_vulnerabilities_are_there(self):
        found = {record["id"]: packages(record) for _, record in records()}
        for vulnerability, package in REQUIRED.items():
            self.assertIn(package, found.get(vulnerability, []))


if __name__ == "__main__":
    unittest.main()
