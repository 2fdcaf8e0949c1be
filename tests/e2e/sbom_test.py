"""tenken sbom: an inventory written as an SBOM is scanned with the same result as its source."""
import json
import unittest

import support
from support import OK, TARGET

module = None


def setUpModule():
    global module
    module = support.ModuleDirectory()
    unittest.addModuleCleanup(module.remove)
    path = module.path
    module.database = support.build(path / "small.db", support.write_feed(path / "feed"))
    module.root = support.write_root(path / "root", support.DEMO_STATUS)


class Sbom(support.RoundTrip):
    def test_a_small_root_there_and_back(self):
        self.assertEqual(len(self.check_round_trip(module.database, module.root)["findings"]), 3)

    def test_a_release_that_is_not_covered_stays_unknown(self):
        root = support.write_root(self.directory / "r", support.DEMO_STATUS, "12", "bookworm")
        self.assertTrue(self.check_round_trip(module.database, root)["unknown"])

    def test_names_of_the_two_forms(self):
        bom = self.run_tenken(OK, "sbom", "--rootfs", module.root).json()
        self.assertEqual((bom["bomFormat"], bom["specVersion"]), ("CycloneDX", "1.6"))
        purls = {one.get("purl") for one in bom["components"]}
        self.assertTrue(any("pkg:deb/debian/libdemo1@1.2-3" in (purl or "") for purl in purls))
        spdx = self.run_tenken(OK, "sbom", "--rootfs", module.root, "--format", "spdx").json()
        self.assertEqual(spdx["spdxVersion"], "SPDX-2.3")
        self.assertIn("libdemo1", {one["name"] for one in spdx["packages"]})

    def test_two_runs_write_the_same_bytes(self):
        for name in support.SBOM_FORMATS:
            words = ("sbom", "--rootfs", module.root, "--format", name)
            self.assertEqual(self.run_tenken(OK, *words).raw, self.run_tenken(OK, *words).raw)

    def test_one_form_becomes_the_other(self):
        first = self.directory / "a.json"
        second = self.directory / "b.json"
        self.run_tenken(OK, "sbom", "--rootfs", module.root, "-o", first)
        self.run_tenken(OK, "sbom", "--sbom", first, "--format", "spdx", "-o", second)
        self.assertEqual(
            support.findings(self.scan_json(module.database, "--sbom", second)),
            support.findings(self.scan_json(module.database, "--rootfs", module.root)),
        )

    def test_what_is_no_target_ends_with_3(self):
        text = support.write(self.directory / "text.json", "{}")
        for words in (("--rootfs", self.directory / "missing"), ("--sbom", text)):
            answer = self.run_tenken(TARGET, "sbom", *words)
            self.assertEqual(answer.out, "")
            self.assertTrue(answer.err)

    def test_an_sbom_needs_no_database(self):
        self.run_tenken(OK, "sbom", "--rootfs", module.root, TENKEN_DB=str(self.directory / "no"))

    def test_a_package_without_an_identity_is_counted_not_lost(self):
        bom = support.cyclonedx("pkg:pypi/demo-package@1.0")
        bom["components"].append({"type": "library", "name": "mystery", "version": "1.0"})
        file = support.write(self.directory / "bom.json", bom)
        result = self.scan_json(module.database, "--sbom", file)
        self.assertEqual(result["packages"], 2)
        self.assertIn("mystery", json.dumps(result["unknown"]))


if __name__ == "__main__":
    support.main()
