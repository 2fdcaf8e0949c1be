"""tenken query, version compare, cvss: one answer for the words given, or one line for each line."""
import json
import unittest

import support
from support import OK, USAGE

LONG = "x" * 1_000_000

module = None


def setUpModule():
    global module
    module = support.ModuleDirectory()
    unittest.addModuleCleanup(module.remove)
    feed = support.write_feed(module.path / "feed")
    support.write(
        feed / "listed.json",
        {
            "id": "GHSA-2222-3333-4444",
            "modified": "2024-01-01T00:00:00Z",
            "affected": [
                {"package": {"ecosystem": "PyPI", "name": "listed"}, "versions": ["no version"]},
                {"package": {"ecosystem": "npm", "name": "CaseMatters"}, "versions": ["1.0.0"]},
            ],
        },
    )
    module.database = support.build(module.path / "small.db", feed)


class Batch(support.TestCase):
    """What every command with --batch does."""

    command = ()
    lines = ()  # some that are answered, some that are not

    def batch(self, text, *words, code=OK):
        text = text if isinstance(text, bytes) else text.encode()
        return self.run_tenken(code, *self.command, "--batch", *words, stdin=text)

    def check_batch(self):
        good, *rest = self.lines
        lines = ["", good, "\t\t", "\t", "one", *rest, "", " ", good]
        answers = self.batch("".join(line + "\n" for line in lines)).lines()
        self.assertEqual(len(answers), len(lines))
        self.assertEqual(answers[1], answers[-1])
        self.assertTrue(all(answers))
        for line, answer in zip(lines, answers):
            self.assertEqual(self.batch(line + "\n").lines(), [answer], "a line stands for itself")

        with self.subTest("CRLF and no newline at the end"):
            text = "\r\n".join(lines)
            self.assertEqual(self.batch(text).lines(), answers)
        with self.subTest("from a file"):
            file = support.write(self.directory / "lines.txt", "\n".join(lines))
            self.assertEqual(self.batch(b"not this", file).lines(), answers)
        with self.subTest("from standard input by its name"):
            self.assertEqual(self.batch("\n".join(lines), "-").lines(), answers)
        with self.subTest("nothing"):
            self.assertEqual(self.batch(b"").out, "")
        with self.subTest("a line of 1 MB"):
            text = "%s\n%s\n%s\n" % (LONG, LONG.join(["Debian\t", "\t1"]), good)
            long = self.batch(text).lines()
            self.assertEqual(len(long), 3)
            self.assertEqual(long[2], answers[1])
        with self.subTest("a line past the limit"):
            long = self.batch("Debian\t%s\t1\n%s\n" % (LONG * 2, good)).lines()
            self.assertEqual(len(long), 2)
            self.assertIn("the line is longer than 1048576 bytes", long[0])
            self.assertEqual(long[1], answers[1])
        with self.subTest("binary"):
            binary = bytes(range(256)).replace(b"\n", b"") + b"\n\xff\t\xfe\t\0\n" + good.encode()
            lines = self.batch(binary).lines()
            self.assertEqual(len(lines), 3)
            self.assertEqual(lines[2], answers[1])
        with self.subTest("a file that cannot be read"):
            answer = self.batch(b"", self.directory / "missing.txt", code=USAGE)
            self.assertIn("missing.txt", answer.err)
        with self.subTest("a directory"):
            answer = self.batch(b"", self.directory, code=USAGE)
            self.assertIn(str(self.directory), answer.err)
        return answers


class Query(Batch):
    command = ("query",)
    lines = ("PyPI\tdemo.package\t1.0", "Debian:11\tlibdemo\t1.2-3", "Nowhere\tx\t1")

    def setUp(self):
        super().setUp()
        self.command = ("query", "--db", module.database)

    def query(self, *words, code=OK):
        answer = self.run_tenken(code, *self.command, *words)
        self.assertEqual(len(answer.lines()), 1)
        return answer.json()

    def ids(self, *words):
        result = self.query(*words)
        self.assertEqual(result["unknown"], [])
        return [match["id"] for match in result["matches"]]

    def unknown(self, *words):
        result = self.query(*words)
        self.assertEqual(result["matches"], [])
        self.assertTrue(result["unknown"], result)
        for one in result["unknown"]:
            self.assertEqual(set(one), {"kind", "subject", "reason", "count"})
        return result["unknown"][0]["kind"]

    def test_by_purl_and_by_ecosystem(self):
        both = ["CVE-2024-90004", "CVE-2024-90005"]
        self.assertEqual(self.ids("pkg:pypi/demo-package@1.0"), both)
        self.assertEqual(self.ids("--ecosystem", "PyPI", "demo-package", "1.0"), both)
        self.assertEqual(self.ids("pkg:pypi/demo-package@2.0"), both[1:])
        self.assertEqual(self.ids("pkg:pypi/other@1.0"), [])

    def test_names_compare_as_their_ecosystem_says(self):
        self.assertTrue(self.ids("--ecosystem", "PyPI", "Demo__Package", "1.0"))
        self.assertTrue(self.ids("--ecosystem", "npm", "CaseMatters", "1.0.0"))
        self.assertFalse(self.ids("--ecosystem", "npm", "casematters", "1.0.0"))

    def test_a_distribution_is_asked_by_source_package_and_release(self):
        words = ("libdemo", "1.2-3")
        three = ["CVE-2024-90001", "CVE-2024-90002", "CVE-2024-90003"]
        self.assertEqual(self.ids("--ecosystem", "Debian:11", *words), three)
        self.assertEqual(self.ids("pkg:deb/debian/libdemo@1.2-3?distro=debian-11"), three)
        self.assertEqual(self.ids("--ecosystem", "Debian:11", "libdemo", "1.2-3+deb11u1"), three[2:])
        self.assertEqual(self.unknown("--ecosystem", "Debian", *words), "release")
        self.assertEqual(self.unknown("pkg:deb/debian/libdemo@1.2-3"), "release")

    def test_a_name_that_may_be_a_binary_packages_is_hinted_at(self):
        words = ("--ecosystem", "Debian:11", "libdemo1", "1.2-3")
        answer = self.run_tenken(OK, *self.command, *words)
        self.assertEqual(answer.json()["matches"], [])
        self.assertIn("source", answer.err)
        self.assertIn("libdemo1", answer.err)
        for words in (("Debian:11", "libdemo", "1.2-3"), ("PyPI", "other", "1.0")):
            self.assertEqual(self.run_tenken(OK, *self.command, "--ecosystem", *words).err, "")

    def test_what_cannot_be_decided_is_said(self):
        self.assertEqual(self.unknown("--ecosystem", "Debian:12", "libdemo", "1.2-3"), "release")
        self.assertEqual(self.unknown("--ecosystem", "npm", "no-cover", ""), "version")
        self.assertEqual(self.unknown("--ecosystem", "PyPI", "demo-package", ""), "version")
        # One of the two holds for every version, so for this one; the other has a fix.
        result = self.query("--ecosystem", "PyPI", "demo-package", "un known")
        self.assertEqual([match["id"] for match in result["matches"]], ["CVE-2024-90005"])
        self.assertEqual([one["kind"] for one in result["unknown"]], ["version"])
        self.assertEqual(self.unknown("--ecosystem", "Go", "example.org/x", "v1.0.0"), "ecosystem")
        self.assertEqual(self.unknown("--ecosystem", "Nowhere", "x", "1"), "ecosystem")
        self.assertEqual(self.unknown("pkg:nowhere/x@1"), "ecosystem")
        self.assertEqual(self.unknown("pkg:pypi/demo-package"), "version")
        self.assertEqual(self.unknown("--ecosystem", "PyPI", "", "1"), "package")
        self.assertEqual(self.unknown("--ecosystem", "Debian:11", "", "1"), "package")

    def test_a_version_that_is_listed_literally_is_affected(self):
        result = self.query("--ecosystem", "PyPI", "listed", "no version")
        self.assertEqual([match["id"] for match in result["matches"]], ["GHSA-2222-3333-4444"])

    def test_the_answer_carries_its_evidence(self):
        (first, _) = self.query("pkg:pypi/demo-package@1.0")["matches"]
        self.assertEqual(first["fixed"], "2.0")
        self.assertEqual(first["severity"], "critical")
        self.assertEqual(first["status"], "affected")
        self.assertEqual(first["evidence"][0]["compared"], "1.0 < 2.0")
        self.assertEqual(first["evidence"][0]["scheme"], "pep440")

    def test_words_that_are_no_query_are_usage(self):
        for words in ((), ("a", "b"), ("--ecosystem", "PyPI", "a"), ("no purl",), ("pkg:",)):
            with self.subTest(words=words):
                answer = self.run_tenken(USAGE, *self.command, *words)
                self.assertEqual(answer.out, "")
                self.assertTrue(answer.err)

    def test_batch(self):
        answers = [json.loads(line) for line in self.check_batch()]
        for answer in answers:
            self.assertEqual(
                set(answer), {"ecosystem", "name", "version", "matches", "unknown"}
            )
            self.assertTrue(answer["matches"] or answer["unknown"], answer)
        self.assertEqual(len(answers[1]["matches"]), 2)

    def test_an_answer_is_one_line_for_every_reader(self):
        name = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\rh"
        line = "PyPI\t%s\t1\n" % name
        answer = self.batch(line).raw.decode()
        self.assertEqual(len(answer.splitlines()), 1)
        self.assertEqual(json.loads(answer)["name"], name)
        for escape in ("\\u2028", "\\u2029", "\\u0085"):
            self.assertIn(escape, answer)

    def test_every_line_is_answered_as_if_alone(self):
        lines = ["PyPI\tdemo-package\t%d.%d" % (n // 10, n % 10) for n in range(300)]
        answers = self.batch("\n".join(lines)).lines()
        self.assertEqual(len(answers), 300)
        for line, answer in zip(lines, answers):
            version = line.split("\t")[2]
            decoded = json.loads(answer)
            self.assertEqual(decoded["version"], version)
            self.assertEqual(len(decoded["matches"]), 2 if float(version) < 2 else 1, answer)


class VersionCompare(Batch):
    command = ("version", "compare")
    lines = ("Debian\t1.0~rc1\t1.0", "Nowhere\t1\t2", "PyPI\tun known\t1")

    def compare(self, *words):
        answer = self.run_tenken(OK, *self.command, *words)
        self.assertEqual(len(answer.lines()), 1)
        return answer.lines()[0]

    def test_one_pair(self):
        self.assertEqual(self.compare("Debian", "1.0~rc1", "1.0"), "<")
        self.assertEqual(self.compare("Debian", "1:0", "9"), ">")
        self.assertEqual(self.compare("PyPI", "1.0", "1.0.0"), "=")
        self.assertEqual(self.compare("npm", "1.0.0-beta.2", "1.0.0-beta.11"), "<")
        self.assertEqual(self.compare("AlmaLinux", "1.0-1.el9", "1.0-1.el9_2"), "<")
        self.assertEqual(self.compare("Alpine", "1.0_rc1-r0", "1.0-r0"), "<")

    def test_what_has_no_order_is_usage(self):
        for words in (("Nowhere", "1", "2"), ("PyPI", "un known", "1"), ("Debian", "1"), ()):
            with self.subTest(words=words):
                answer = self.run_tenken(USAGE, *self.command, *words)
                self.assertEqual(answer.out, "")
                self.assertTrue(answer.err)

    def test_batch(self):
        answers = self.check_batch()
        self.assertEqual(answers[1], "<")
        for answer in (answers[0], *answers[2:-1]):
            self.assertRegex(answer, "^\\?\t.+")

    def test_missing_versions_are_undecided(self):
        answers = self.batch("Debian\t\t1\nDebian\t1\t\nDebian\t\t\n").lines()
        self.assertEqual(len(answers), 3)
        for answer in answers:
            self.assertTrue(answer.startswith("?\t"), answer)


class Cvss(Batch):
    command = ("cvss",)
    lines = ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:9.9/AV:N", "AV:N/AC:L/Au:N/C:P/I:P/A:P")

    def test_vectors_of_every_version(self):
        rows = [
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0", "7.5", "", "", "high"),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.0", "9.8", "9.8", "9.8", "critical"),
            ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", "3.1", "0.0", "0.0", "0.0", "none"),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "4.0", "10.0", "", "", "critical"),
        ]
        answer = self.run_tenken(OK, "cvss", *(row[0] for row in rows))
        self.assertEqual([tuple(line.split("\t")) for line in answer.lines()], rows)

    def test_a_vector_that_is_none_is_usage_and_the_others_are_scored(self):
        answer = self.run_tenken(USAGE, "cvss", "nonsense", self.lines[0])
        self.assertRegex(answer.lines()[0], "^\\?\t.+")
        self.assertIn("9.8", answer.lines()[1])
        self.run_tenken(USAGE, "cvss")

    def test_batch(self):
        answers = self.check_batch()
        self.assertIn("\t9.8\t", answers[1])
        self.assertTrue(answers[0].startswith("?\t"))


del Batch  # it holds no tests of its own


if __name__ == "__main__":
    support.main()
