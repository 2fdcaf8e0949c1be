"""Everything tenken itself says is Japanese with --lang ja, and with a Japanese environment.

A line is Japanese where no two English words stand side by side in it once commands to type,
paths and what advisories say are taken away. tools/check_phrases.py reads the sources; here is what
users see.
"""
import re

import support
from support import DATABASE, OK, TARGET, USAGE, tenken, write

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# What stays as it is: commands to type and the words that options take.
AS_TYPED = re.compile(r"tenken(?: [a-z]+)+|version compare")
ENGLISH = re.compile(r"(?<![\w./=\-])[A-Za-z]?[a-z]+,? [a-z]{2,}(?![\w./=\-])")

COMMANDS = [
    (), ("scan",), ("explain",), ("query",), ("sbom",), ("db",), ("db", "build"), ("db", "update"),
    ("db", "status"), ("db", "show"), ("db", "diff"), ("db", "verify"), ("version",),
    ("version", "compare"), ("cvss",), ("completion",),
]


def setUpModule():
    global module, database, other
    module = support.ModuleDirectory()
    feed = support.write_feed(module.path / "feed")
    database = support.build(module.path / "a.db", feed)
    write(feed / "CVE-BAD.json", {"id": ""})
    write(feed / "DSA-9003-1.json", support.advisory("DSA-9003-1", "Debian:11", "new", [{"fixed": "1"}]))
    other = support.build(module.path / "b.db", feed)


def tearDownModule():
    module.remove()


class Language(support.TestCase):
    def expect_japanese(self, text, *published):
        """Every line of words is Japanese; what others published is given and passed over."""
        self.assertTrue(text.strip(), "nothing was said")
        for line in text.split("\n"):
            rest = AS_TYPED.sub("", line)
            for word in (*published, str(self.directory), str(module.path)):
                rest = rest.replace(str(word), "")
            with self.subTest(line=line):
                self.assertIsNone(ENGLISH.search(rest), line)
        self.assertRegex(text, JAPANESE)

    def say(self, code, *words, published=(), **named):
        answer = self.run_tenken(code, *words, "--lang", "ja", **named)
        self.expect_japanese(answer.out + answer.err, *published)
        return answer

    def test_help_of_every_command(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                answer = self.say(OK, *command, "--help")
                english = self.run_tenken(OK, *command, "--help")
                # As many options and commands as in English, each with a text of its own.
                name = re.compile(r"^  (\S+)", re.M)
                self.assertEqual(name.findall(answer.out), name.findall(english.out))
                self.assertNotRegex(english.out, JAPANESE)

    def test_wrong_words(self):
        for words in [
            (), ("frob",), ("scan", "--frob"), ("scan", "a", "b"), ("scan", "--format", "xml"),
            ("scan", "--max-age", "many"), ("scan", "--sbom", "a", "--rootfs", "b"),
            ("scan", "--ignore-file", "/nosuch"), ("scan", "--vex", "/"), ("scan", "--db"),
            ("scan", "--strict=maybe"), ("explain",), ("db",), ("db", "build"), ("db", "show"),
            ("db", "diff", "a"), ("version",), ("version", "compare", "npm"), ("cvss",), ("query",),
            ("completion",), ("completion", "tcsh"), ("db", "update", "--feed", "nosuch"),
            ("db", "update", "--mirror", "/nosuch"), ("db", "update", "--mirror", "nosuch"),
            ("db", "frob"), ("admin", "key", "frob"),
            ("scan", "--server", "https://127.0.0.1:1", "--ttl", "soon"),
            ("version", "compare", "Nosuch", "1", "2"), ("version", "compare", "npm", "x", "1"),
            ("cvss", "--batch", "/nosuch"), ("query", "notapurl"),
        ]:
            with self.subTest(words=words):
                names = ("alpine_secdb debian_lists debian_tracker epss kev nvd osv",
                         "alpm, apk, crates.io, gentoo, npm, opam, openEuler, openSUSE, openssl")
                self.say(USAGE, *words, published=names, TENKEN_DB=str(database))

    def test_a_wrong_language_is_said_in_that_of_the_environment(self):
        answer = self.run_tenken(USAGE, "scan", "--lang", "fr", LC_ALL="ja_JP.UTF-8")
        self.expect_japanese(answer.err)

    def test_the_environment_decides_without_the_option(self):
        for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
            with self.subTest(variable=variable):
                named = {"LC_ALL": None, variable: "ja_JP.UTF-8"}
                answer = self.run_tenken(OK, "db", "status", "--db", database, **named)
                self.expect_japanese(answer.out)
        answer = self.run_tenken(OK, "db", "status", "--db", database, "--lang=en", LANG="ja_JP")
        self.assertNotRegex(answer.out, JAPANESE)

    def test_databases(self):
        self.say(OK, "db", "status", "--db", other)
        self.say(OK, "db", "verify", database)
        self.say(OK, "db", "diff", database, other, published=("package", "vulnerability"))
        self.say(OK, "db", "show", "CVE-2024-90004", "--db", database,
                 published=("Demo runs what it is sent",))
        self.say(OK, "db", "show", "DSA-9001-1", "--db", database,
                 published=("libdemo - security update",))
        self.say(USAGE, "db", "show", "CVE-1999-0001", "--db", database)
        self.say(OK, "db", "build", "--from", module.path / "feed", "--out", self.directory / "c.db")
        write(self.directory / "empty/readme.txt", "nothing")
        self.say(USAGE, "db", "build", "--from", self.directory / "empty", "--out", "x.db")
        self.say(USAGE, "db", "build", "--from", "/nosuch", "--out", self.directory / "x.db")

    def test_a_database_is_the_same_in_every_language(self):
        for lang in ("en", "ja"):
            file = self.directory / (lang + ".db")
            self.run_tenken(OK, "db", "build", "--from", module.path / "feed", "--out", file,
                            "--lang", lang)
        self.assertEqual((self.directory / "en.db").read_bytes(),
                         (self.directory / "ja.db").read_bytes())

    def test_unusable_databases(self):
        whole = database.read_bytes()
        for name, content in [
            ("empty", b""), ("text", b"no database" * 1000), ("cut", whole[: len(whole) // 2]),
            ("flipped", whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]),
        ]:
            with self.subTest(name=name):
                self.say(DATABASE, "db", "verify", write(self.directory / name, content))
        self.say(DATABASE, "db", "status", "--db", self.directory / "nosuch.db")
        self.say(DATABASE, "scan", "--db", self.directory / "nosuch.db")

    def test_targets(self):
        at = ("--db", database)
        for name, content in [
            ("empty", ""), ("xml", "<bom xmlns='http://cyclonedx.org/schema/bom/1.6'/>"),
            ("text", "hello"), ("broken", "{"), ("other", "{}"),
            ("old", {"spdxVersion": "SPDX-2.1"}),
            ("future", {"bomFormat": "CycloneDX", "specVersion": "9.9"}),
        ]:
            with self.subTest(name=name):
                self.say(TARGET, "scan", "--sbom", write(self.directory / name, content), *at)
                self.say(TARGET, "sbom", "--sbom", self.directory / name)
        self.say(TARGET, "scan", "--sbom", self.directory / "nosuch", *at)
        self.say(TARGET, "scan", "--rootfs", self.directory / "nosuch", *at)
        (self.directory / "bare").mkdir()
        for command in (("scan",), ("explain", "CVE-2024-90001")):
            self.say(TARGET, *command, "--rootfs", self.directory / "bare", *at)

    def test_what_a_scan_could_not_read(self):
        status = support.DEMO_STATUS + "Package: bad\nStatus: install ok installed\n\nnonsense\n\n"
        root = support.write_root(self.directory / "root", status)
        names = ("Debian GNU/Linux", "Debian GNU")
        self.say(OK, "scan", "--rootfs", root, "--db", database,
                 published=(*names, "libdemo - security update"))
        result = self.run_tenken(OK, "scan", "--rootfs", root, "--db", database, "--format", "json",
                                 "--lang", "ja").json()
        reasons = [one["reason"] for one in result["unknown"]]
        self.assertTrue(reasons)
        for reason in reasons:
            self.expect_japanese(reason)
        answer = self.run_tenken(OK, "sbom", "--rootfs", root, "--lang", "ja")
        self.expect_japanese(answer.err)

    def test_ignore_files_and_vex(self):
        root = support.write_root(self.directory / "root", support.DEMO_STATUS)
        for name, content in [
            ("list", "a: b"), ("key", "- id: CVE-2024-90001\n  why: x"),
            ("reason", "- id: CVE-2024-90001"), ("yaml", "- id: ["), ("anchor", "- &a id: x"),
            ("date", "- id: CVE-2024-90001\n  reason: x\n  expires: soon"),
        ]:
            with self.subTest(name=name):
                file = write(self.directory / name, content)
                self.say(USAGE, "scan", "--rootfs", root, "--db", database, "--ignore-file", file)
        file = write(self.directory / "vex.json", {"hello": 1})
        self.say(USAGE, "scan", "--rootfs", root, "--db", database, "--vex", file)

    def test_explain(self):
        root = support.write_root(self.directory / "root", support.DEMO_STATUS)
        at = ("--rootfs", root, "--db", database)
        for name in ("CVE-2024-90001", "CVE-2024-90003", "CVE-2024-90004", "CVE-1999-0001"):
            self.say(OK, "explain", name, *at, published=("Debian GNU/Linux",))
        fixed = support.stanza("libdemo1", "1.2-3+deb11u1", "libdemo")
        support.write_root(self.directory / "root", fixed)
        self.say(OK, "explain", "CVE-2024-90001", *at)

    def test_answers_to_lines(self):
        answer = self.say(OK, "version", "compare", "--batch", stdin=b"npm\t1\nNosuch\t1\t2\n")
        self.assertEqual([line.split("\t")[0] for line in answer.lines()], ["?", "?"])
        self.say(OK, "cvss", "--batch", stdin=b"CVSS:3.1/AV:N\n\nCVSS:9.9/AV:N\n")
        answer = tenken("query", "--batch", "--db", database, "--lang", "ja", stdin=b"one\n")
        self.assertRegex(answer.out, JAPANESE)


if __name__ == "__main__":
    support.main()
