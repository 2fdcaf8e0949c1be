"""tenken explain: why a vulnerability is or is not reported, and whether silence is an answer."""
import unittest

import support
from support import OK, TARGET, USAGE

module = None


def setUpModule():
    global module
    module = support.ModuleDirectory()
    unittest.addModuleCleanup(module.remove)
    path = module.path
    module.database = support.build(path / "small.db", support.write_feed(path / "feed"))
    module.root = support.write_root(path / "root", support.DEMO_STATUS)


class Explain(support.TestCase):
    def explain(self, name, *words, root=None, code=OK):
        target = ("--rootfs", root or module.root, "--db", module.database)
        return self.run_tenken(code, "explain", name, *target, *words).out

    def test_what_is_reported_with_the_comparison_that_decided(self):
        text = self.explain("CVE-2024-90001")
        for part in ("libdemo1 1.2-3", "libdemo", "affected", "DSA-9001-1", "1.2-3 < 1.2-3+deb11u1", "dpkg"):
            self.assertIn(part, text)
        self.assertNotIn("DSA-9002-1", text)

    def test_an_id_is_taken_in_either_case(self):
        self.assertEqual(self.explain("cve-2024-90001"), self.explain("CVE-2024-90001"))

    def test_by_the_advisorys_own_name(self):
        text = self.explain("DSA-9001-1")
        self.assertIn("CVE-2024-90001", text)
        self.assertIn("CVE-2024-90002", text)

    def test_what_is_fixed_with_the_comparison_that_decided(self):
        root = support.write_root(
            self.directory / "fixed", support.stanza("libdemo1", "1.2-3+deb11u1", "libdemo")
        )
        for name in ("CVE-2024-90001", "DSA-9001-1"):
            text = self.explain(name, root=root)
            self.assertIn("DSA-9001-1", text)
            self.assertRegex(text, r"1\.2-3\+deb11u1 (>=|=) 1\.2-3\+deb11u1")
            self.assertNotIn(": CVE-2024-90001, affected", text)

    def test_a_release_that_is_not_covered_is_no_all_clear(self):
        root = support.write_root(self.directory / "r", support.DEMO_STATUS, "12", "bookworm")
        text = self.explain("CVE-2024-90001", root=root)
        self.assertIn("Debian:12", text)
        self.assertIn("not decided", text)

    def test_a_vulnerability_of_other_packages(self):
        text = self.explain("CVE-2024-90004")
        self.assertIn("CVE-2024-90004", text)
        self.assertIn("no advisory", text)

    def test_an_unknown_id_is_said(self):
        self.assertIn("no record", self.explain("CVE-1999-0001"))

    def test_one_package_only(self):
        root = support.write_root(
            self.directory / "two",
            support.stanza("libdemo1", "1.2-3", "libdemo") + support.stanza("libdemo2", "1.2-3", "libdemo"),
        )
        both = self.explain("CVE-2024-90001", root=root)
        self.assertIn("libdemo1", both)
        self.assertIn("libdemo2", both)
        self.assertEqual(self.explain("CVE-2024-90001", "--package", "libdemo", root=root), both)
        one = self.explain("CVE-2024-90001", "--package", "libdemo2", root=root)
        self.assertNotIn("libdemo1", one)
        self.assertIn("libdemo2", one)

    def test_a_package_that_is_not_there(self):
        text = self.explain("CVE-2024-90001", "--package", "nope")
        self.assertIn("is called nope", text)
        self.assertNotIn("no advisory", text)
        text = self.explain("CVE-1999-0001", "--package", "nope")
        self.assertIn("is called nope", text)
        self.assertIn("no record", text)

    def test_of_an_sbom(self):
        sbom = support.write(
            self.directory / "bom.json", support.cyclonedx("pkg:pypi/demo-package@1.0")
        )
        answer = self.run_tenken(
            OK, "explain", "CVE-2024-90004", "--sbom", sbom, "--db", module.database
        )
        self.assertIn("1.0 < 2.0", answer.out)

    def test_wrong_words_and_targets(self):
        self.run_tenken(USAGE, "explain", "--db", module.database)
        self.run_tenken(
            TARGET,
            *("explain", "CVE-2024-90001", "--db", module.database),
            *("--rootfs", self.directory / "missing"),
        )


if __name__ == "__main__":
    support.main()
