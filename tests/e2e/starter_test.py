"""The starter feed and the examples of the project: found at once, never taken for the whole."""
import unittest

import support
from support import FINDINGS, INCOMPLETE, OK

EXAMPLES = {
    "--rootfs=examples/root": {"CVE-2024-6387", "CVE-2022-37434"},
    "--sbom=examples/alma8.cdx.json": {"CVE-2021-4034", "CVE-2024-1086"},
    "--sbom=examples/app.cdx.json": {"CVE-2020-14343", "CVE-2021-44906"},
}

module = None


def setUpModule():
    global module
    module = support.ModuleDirectory()
    unittest.addModuleCleanup(module.remove)
    module.database = support.build(module.path / "starter.db", support.SOURCE / "starter")


class Starter(support.TestCase):
    def scan(self, code, target, *words):
        return self.run_tenken(
            code, "scan", target, "--db", module.database, *words, cwd=support.SOURCE
        )

    def test_every_record_is_read(self):
        records = len(list((support.SOURCE / "starter").glob("*-*.json")))
        status = self.run_tenken(OK, "db", "status", "--json", "--db", module.database).json()
        self.assertTrue(status["starter"])
        self.assertEqual([feed["records"] for feed in status["feeds"]], [records])
        self.assertEqual(status["skips"], [])
        for row in status["coverage"]:
            self.assertTrue(row["partial"], row)

    def test_every_scan_says_that_it_is_a_part_only(self):
        for target in EXAMPLES:
            with self.subTest(target=target):
                result = self.scan(OK, target, "--format", "json").json()
                self.assertTrue(result["database"]["starter"])
                kinds = {one["kind"] for one in result["unknown"]}
                self.assertIn("database", kinds)
                self.assertTrue(kinds & {"release", "ecosystem"})
                self.assertIn("tenken db update", self.scan(INCOMPLETE, target, "--strict").out)
                self.scan(FINDINGS, target, "--strict", "--fail-on", "critical")

    def test_the_examples_have_findings_with_fixes(self):
        for target, expected in EXAMPLES.items():
            with self.subTest(target=target):
                result = self.scan(OK, target, "--format", "json").json()
                found = {finding["id"] for finding in result["findings"]}
                self.assertLessEqual(expected, found)
                for finding in result["findings"]:
                    self.assertTrue(finding["fixed_version"], finding["id"])
                    self.assertTrue(result["vulnerabilities"][finding["id"]]["summary"])

    def test_a_package_of_another_vendor_is_undecided(self):
        result = self.scan(OK, "--rootfs=examples/root", "--format", "json").json()
        self.assertIn("vendor", {one["kind"] for one in result["unknown"]})

    def test_a_query_says_that_it_is_a_part_only(self):
        words = ("query", "pkg:pypi/pyyaml@5.3.1", "--db", module.database)
        answer = self.run_tenken(OK, *words).json()
        self.assertIn("CVE-2020-14343", {match["id"] for match in answer["matches"]})
        self.assertTrue(answer["unknown"])


if __name__ == "__main__":
    support.main()
