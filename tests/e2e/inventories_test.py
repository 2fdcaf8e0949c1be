"""tenken scan on the shared inventories with the advisories of the shared feeds.

Counts are those of inventories/MANIFEST.json, findings those of vectors/match/expect-*.tsv at the
level of advisories: for each package the expected records, and no other of the same publisher.
"""
import csv
import io
import json
import unittest

import support
from support import FINDINGS, INCOMPLETE, OK, TARGET

module = None

NOT_COVERED = {"bookworm": "Debian:12", "trixie": "Debian:13"}


def setUpModule():
    global module
    feeds = support.need_data("feeds")
    inventories = support.need_data("inventories/MANIFEST.json").parent
    module = support.ModuleDirectory()
    unittest.addModuleCleanup(module.remove)
    module.inventories = inventories
    module.database = support.build(module.path / "feeds.db", feeds)
    module.items = {}
    for item in json.loads((inventories / "MANIFEST.json").read_text())["items"]:
        # "rpm/NAME/var/lib/rpm/Packages" names the root "rpm/NAME".
        name = "/".join(item["path"].split("/")[:2])
        if name.startswith(("dpkg/", "rpm/", "apk/")) and (inventories / name).is_dir():
            module.items[name] = item


def expected_packages(name):
    """The manifest counts gpg-pubkey, which is listed but not counted."""
    count = module.items[name]["packages"]
    listing = module.inventories / "expected" / (name.replace("/", "-") + ".tsv")
    if listing.is_file():
        count -= sum(row.startswith("gpg-pubkey\t") for row in listing.read_text().splitlines())
    return count


def expectations(name):
    """(package, installed) -> advisory ids, and the pairs of which the rows decide nothing, since
    they ignore module streams."""
    path = support.need_data("vectors/match/expect-%s.tsv" % name.replace("/", "-"))
    expected, modular = {}, set()
    text = path.read_text().removeprefix("#")
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["verdict"] != "affected":
            continue
        if "modular" in (row.get("note") or ""):
            modular.add((row["package"], row["advisory"]))
            continue
        installed = (row.get("installed") or row.get("installed_evr")).removeprefix("0:")
        expected.setdefault((row["package"], installed), set()).add(row["advisory"])
    return expected, modular


class Inventories(support.RoundTrip):
    def scan(self, code, name, *words):
        root = module.inventories / name
        return self.run_tenken(code, "scan", "--rootfs", root, "--db", module.database, *words)

    def result(self, name, *words):
        return self.scan(OK, name, "--format", "json", *words).json()

    def test_every_inventory_is_read_with_the_packages_it_has(self):
        self.assertGreater(len(module.items), 30)
        for name in module.items:
            if expected_packages(name) == 0:
                continue
            with self.subTest(inventory=name):
                self.assertEqual(self.result(name)["packages"], expected_packages(name))

    def test_an_inventory_without_a_package_is_no_all_clear(self):
        empty = [name for name in module.items if expected_packages(name) == 0]
        for name in empty:
            with self.subTest(inventory=name):
                answer = self.scan(TARGET, name)
                self.assertEqual(answer.out, "")

    def test_where_no_distribution_is_recognised_every_package_is_undecided(self):
        for name in module.items:
            root = module.inventories / name
            if expected_packages(name) == 0 or (root / "etc/os-release").is_file():
                continue
            with self.subTest(inventory=name):
                result = self.result(name)
                self.assertEqual(result["findings"], [])
                counts = [u["count"] for u in result["unknown"] if u["kind"] == "ecosystem"]
                self.assertEqual(counts, [result["packages"]])
                self.scan(INCOMPLETE, name, "--strict")

    def check_expected(self, name, publisher):
        expected, modular = expectations(name)
        found = {}
        for finding in self.result(name)["findings"]:
            package = finding["package"]
            ids = {
                one
                for one in finding["advisories"]
                if one.startswith(publisher) and (package["name"], one) not in modular
            }
            if ids:
                found.setdefault((package["name"], package["version"]), set()).update(ids)
        self.assertEqual(found, expected)

    def test_almalinux_9_has_the_expected_advisories(self):
        self.check_expected("rpm/alma9", ("ALSA-", "ALBA-", "ALEA-"))

    def test_bullseye_aged_has_the_expected_advisories(self):
        self.check_expected("dpkg/debian-bullseye-aged", ("DSA-",))

    def test_a_current_bullseye_has_none(self):
        self.check_expected("dpkg/debian-bullseye-server", ("DSA-",))

    def test_the_same_packages_in_another_database_have_the_same_findings(self):
        for name in ("rpm/alma9-sysimage", "rpm/alma9-wal"):
            self.assertEqual(
                support.findings(self.result(name)), support.findings(self.result("rpm/alma9"))
            )
        self.assertEqual(
            support.findings(self.result("rpm/alma8-bdb")),
            support.findings(self.result("rpm/alma8")),
        )

    def test_releases_that_are_not_covered_are_unknown_not_clean(self):
        for name in module.items:
            for word, release in NOT_COVERED.items():
                if word not in name:
                    continue
                with self.subTest(inventory=name):
                    result = self.result(name)
                    self.assertEqual(result["findings"], [])
                    said = [(u["kind"], u["subject"], u["count"]) for u in result["unknown"]]
                    self.assertIn(("release", release, result["packages"]), said)
                    self.scan(INCOMPLETE, name, "--strict")
                    table = self.scan(OK, name).out
                    self.assertIn("Not decided", table)
                    self.assertIn(release, table)

    def test_thresholds(self):
        self.scan(FINDINGS, "rpm/alma9", "--fail-on", "high")
        self.scan(FINDINGS, "rpm/alma9", "--fail-on", "high", "--strict")
        self.scan(OK, "dpkg/debian-bullseye-server", "--fail-on", "any", "--strict")

    def test_a_severity_and_a_fix_from_the_vendor(self):
        findings = self.result("rpm/alma9", "--severity", "critical", "--fixed-only")["findings"]
        self.assertTrue(findings)
        for finding in findings:
            self.assertIn(finding["severity"], ("critical", "unknown"))
            self.assertTrue(finding["fixed_version"])

    def test_facts_about_exploitation_are_joined(self):
        result = self.result("dpkg/debian-bullseye-aged")
        redis = result["vulnerabilities"]["CVE-2022-0543"]
        self.assertEqual(redis["kev"]["added"], "2022-03-28")
        self.assertGreater(redis["epss"]["probability"], 0.5)

    def test_a_pair_that_is_fixed_is_explained_with_its_comparison(self):
        root = ("--rootfs", module.inventories / "dpkg/debian-bullseye-server-updated")
        answer = self.run_tenken(
            OK, "explain", "DSA-5376-1", *root, "--db", module.database
        )
        self.assertTrue(answer.out)
        self.assertNotIn(", affected", answer.out)

    def test_real_roots_there_and_back(self):
        names = ("dpkg/debian-bullseye-aged", "dpkg/debian-trixie-minbase")
        for name in (*names, "rpm/alma9", "apk/alpine-3.11-aged"):
            self.check_round_trip(module.database, module.inventories / name)

    def test_two_runs_write_the_same_bytes(self):
        for name in ("csv", "json"):
            words = ("rpm/alma9", "--format", name)
            self.assertEqual(self.scan(OK, *words).raw, self.scan(OK, *words).raw)


if __name__ == "__main__":
    support.main()
