"""tenken db build, status, show, diff, verify: what is read, what is said, what survives."""
import errno
import os
import resource
import shutil
import signal
import unittest
import zipfile

import support
from support import DATABASE, OK, USAGE


def small_files_only():
    """Every file that the program writes ends after 8 KiB, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


class Build(support.TestCase):
    def setUp(self):
        super().setUp()
        self.feed = support.write_feed(self.directory / "feed")
        self.out = self.directory / "out.db"

    def build(self, code, *words, **named):
        words = words or ("--from", self.feed)
        return self.run_tenken(code, "db", "build", *words, "--out", self.out, **named)

    def test_counts_what_was_built(self):
        answer = self.build(OK)
        self.assertIn("5 records", answer.out)
        self.assertIn("6 vulnerabilities", answer.out)
        self.assertEqual(answer.err, "")

    def test_the_same_input_gives_the_same_bytes(self):
        self.build(OK)
        first = self.out.read_bytes()
        self.out.unlink()
        self.build(OK, SOURCE_DATE_EPOCH=str(support.NOW + 86400))
        self.assertEqual(first, self.out.read_bytes())

    def test_an_existing_file_is_replaced_as_a_whole(self):
        self.out.write_bytes(b"something else")
        with self.out.open("rb") as reader:  # a reader of the old file keeps it
            self.build(OK)
            self.assertEqual(reader.read(), b"something else")
        self.run_tenken(OK, "db", "verify", self.out)
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), ["feed", "out.db"])

    def test_an_archive_says_the_same_as_its_files(self):
        archive = self.directory / "zipped" / "all.zip"
        archive.parent.mkdir()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for path in sorted(self.feed.iterdir()):
                out.write(path, path.name)
        self.build(OK)
        plain = self.run_tenken(OK, "query", "pkg:pypi/demo-package@1.0", "--db", self.out).out
        self.build(OK, "--from", archive.parent)
        zipped = self.run_tenken(OK, "query", "pkg:pypi/demo-package@1.0", "--db", self.out).out
        self.assertIn("CVE-2024-90004", zipped)
        self.assertEqual(plain, zipped)

    def test_what_is_not_read_is_listed_with_its_reason(self):
        support.write(self.feed / "notes.txt", "not a feed")
        support.write(self.feed / "modified_id.csv", "2024-01-01T00:00:00Z,DSA-9001-1\n")
        answer = self.build(OK, "--from", self.feed, "--verbose")
        self.assertRegex(answer.out, r"not read: 1 files \(.+\)")
        self.assertIn("notes.txt", answer.out)
        self.assertNotIn("modified_id.csv", answer.out, "an index is read when feeds are fetched")

    def test_a_broken_record_is_counted_and_the_rest_is_built(self):
        support.write(self.feed / "broken.json", '{"id": "GHSA-')
        support.write(self.feed / "nameless.json", {"modified": "2024-01-01T00:00:00Z"})
        answer = self.build(OK)
        self.assertIn("5 records", answer.out)
        said = answer.out + answer.err
        self.assertIn("broken.json", said)
        self.assertIn("nameless.json", said)
        status = self.run_tenken(OK, "db", "status", "--json", "--db", self.out).json()
        self.assertEqual(sum(skip["count"] for skip in status["skips"]), 2, status["skips"])
        for skip in status["skips"]:
            self.assertTrue(skip["reason"])
            self.assertTrue(skip["file"])

    def test_what_a_manifest_calls_a_sample_is_a_part_only(self):
        for kind, partial in (("sample", True), ("complete", False)):
            files = [{"path": path.name, "kind": kind} for path in self.feed.glob("*-*.json")]
            support.write(self.feed / "MANIFEST.json", {"files": files})
            self.build(OK)
            status = self.run_tenken(OK, "db", "status", "--json", "--db", self.out).json()
            self.assertEqual({row["partial"] for row in status["coverage"]}, {partial}, kind)
            words = ("query", "pkg:pypi/demo-package@9", "--db", self.out)
            self.assertEqual(bool(self.run_tenken(OK, *words).json()["unknown"]), partial)

    def test_a_broken_archive_is_said_and_the_rest_is_built(self):
        support.write(self.feed / "bad" / "all.zip", b"PK\x03\x04 and then nothing of use")
        answer = self.build(OK)
        self.assertIn("5 records", answer.out)
        self.assertIn("bad/all.zip", answer.out + answer.err)

    def test_nothing_to_build_fails_and_keeps_the_old_file(self):
        self.build(OK)
        before = self.out.read_bytes()
        empty = self.directory / "empty"
        empty.mkdir()
        for where in (empty, self.directory / "missing"):
            with self.subTest(where=where):
                answer = self.build(USAGE, "--from", where)
                self.assertIn(str(where), answer.err)
                self.assertEqual(before, self.out.read_bytes())
        support.write(empty / "broken.json", "[")
        answer = self.build(USAGE, "--from", empty)
        self.assertIn("broken.json", answer.err)
        self.assertEqual(before, self.out.read_bytes())

    def test_a_directory_that_cannot_be_written_is_said(self):
        self.out = self.directory / "no" / "such" / "place.db"
        answer = self.build(USAGE)
        self.assertEqual(
            answer.err,
            f"tenken: no database was written: {self.out.parent}: no such directory\n",
        )

    def test_a_full_disk_keeps_the_old_file(self):
        self.build(OK)
        before = self.out.read_bytes()
        self.assertGreater(len(before), 8192)
        support.write(
            self.feed / "new.json",
            support.advisory("GHSA-2222-3333-4444", "npm", "x", [{"introduced": "0"}]),
        )
        answer = self.build(USAGE, before=small_files_only)
        self.assertIn("no database was written", answer.err)
        self.assertIn(os.strerror(errno.EFBIG), answer.err)
        self.assertEqual(before, self.out.read_bytes())
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), ["feed", "out.db"])


class Generations(support.TestCase):
    """Without --out the database goes to the data directory, whose last generations are kept."""

    def setUp(self):
        super().setUp()
        self.feed = support.write_feed(self.directory / "feed")
        self.home = self.directory / "data"

    def build(self, code=OK, **named):
        return self.run_tenken(code, "db", "build", "--from", self.feed, TENKEN_DB=str(self.home), **named)

    def add_record(self, number):
        record = support.advisory(
            "GHSA-2222-3333-%04d" % number, "npm", "x%d" % number, [{"introduced": "0"}]
        )
        support.write(self.feed / (record["id"] + ".json"), record)

    def test_three_generations_are_kept_and_the_newest_is_used(self):
        for number in range(2222, 2227):
            self.add_record(number)
            self.build()
            file = next(self.home.glob("advisories-*.db"))
            self.assertTrue(file.is_file())
        self.assertEqual(len(list(self.home.glob("advisories-*.db"))), 3)
        answer = self.run_tenken(OK, "query", "pkg:npm/x2226@1.0.0", TENKEN_DB=str(self.home))
        self.assertIn("GHSA-2222-3333-2226", answer.out)

    def test_a_failed_build_leaves_the_generation_in_use(self):
        self.build()
        self.add_record(2222)
        self.build(USAGE, before=small_files_only)
        status = self.run_tenken(OK, "db", "status", TENKEN_DB=str(self.home))
        self.assertIn("5 records", status.out)
        self.assertEqual(len(list(self.home.glob("advisories-*.db"))), 1)
        left = sorted(file.name for file in self.home.iterdir())
        self.assertEqual(len(left), 3, f"the link, one generation, the copies of its feeds: {left}")
        self.assertIn("kept", left)

    def test_the_data_directory_is_the_users_where_no_other_is_named(self):
        if os.geteuid() == 0:
            self.skipTest("for root it is /var/lib/tenken, which a test does not write to")
        variables = {"XDG_DATA_HOME": str(self.directory / "xdg")}
        self.run_tenken(OK, "db", "build", "--from", self.feed, **variables)
        self.assertTrue((self.directory / "xdg/tenken/advisories.db").exists())
        self.run_tenken(OK, "db", "status", **variables)


class Read(support.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.module = support.ModuleDirectory()
        cls.addClassCleanup(cls.module.remove)
        cls.feed = support.write_feed(cls.module.path / "feed")
        cls.database = support.build(cls.module.path / "small.db", cls.feed)

    def test_status_tells_feeds_coverage_and_age(self):
        answer = self.run_tenken(OK, "db", "status", "--db", self.database)
        for text in ("5 records", "osv", "Debian:11", "PyPI", "newest record 2026-08-20", "4 days"):
            self.assertIn(text, answer.out)
        named = {"SOURCE_DATE_EPOCH": str(support.NOW - 3 * 86400)}
        answer = self.run_tenken(OK, "db", "status", "--db", self.database, **named)
        self.assertIn(", 1 day ago\n", answer.out)

    def test_status_as_json(self):
        status = self.run_tenken(OK, "db", "status", "--db", self.database, "--json").json()
        self.assertEqual(status["bytes"], self.database.stat().st_size)
        self.assertFalse(status["starter"])
        (feed,) = status["feeds"]
        self.assertEqual((feed["id"], feed["documents"], feed["records"]), ("osv", 5, 5))
        covered = {(c["ecosystem"], c["release"]): c["rows"] for c in status["coverage"]}
        self.assertEqual(covered, {("Debian", "11"): 2, ("PyPI", ""): 3})
        self.assertEqual(status["skips"], [])

    def test_show_knows_vulnerabilities_aliases_and_advisories(self):
        for name in ("CVE-2024-90004", "GHSA-aaaa-bbbb-cccc", "DSA-9001-1"):
            answer = self.run_tenken(OK, "db", "show", name, "--db", self.database)
            self.assertIn(name, answer.out)
        self.assertIn("CVE-2024-90002", answer.out, "what the advisory is about")

    def test_show_takes_an_id_in_either_case(self):
        for name in ("cve-2024-90004", "ghsa-AAAA-bbbb-cccc", "dsa-9001-1"):
            answer = self.run_tenken(OK, "db", "show", name, "--db", self.database)
            self.assertIn(name.lower(), answer.out.lower())

    def test_show_says_what_it_does_not_know(self):
        answer = self.run_tenken(
            USAGE, "db", "show", "CVE-1999-0001", "CVE-2024-90004", "--db", self.database
        )
        self.assertIn("CVE-1999-0001", answer.err)
        self.assertIn("CVE-2024-90004", answer.out)

    def test_diff_names_what_came_and_went(self):
        feed = shutil.copytree(self.feed, self.directory / "feed")
        (feed / "GHSA-dddd-eeee-ffff.json").unlink()
        support.write(
            feed / "new.json",
            support.advisory("GHSA-2222-3333-4444", "npm", "new", [{"introduced": "0"}]),
        )
        later = support.build(self.directory / "later.db", feed)
        answer = self.run_tenken(OK, "db", "diff", self.database, later)
        rows = {tuple(line.split("\t")) for line in answer.lines()}
        self.assertIn(("package", "added", "npm", "new"), rows)
        self.assertIn(("package", "changed", "PyPI", "demo-package"), rows)
        self.assertIn(("vulnerability", "removed", "CVE-2024-90005"), rows)
        self.assertIn(("vulnerability", "added", "GHSA-2222-3333-4444"), rows)
        same = self.run_tenken(OK, "db", "diff", self.database, self.database)
        self.assertEqual(same.out, "")

    def test_verify_takes_a_sound_file(self):
        for words in ([self.database], ["--db", self.database]):
            self.assertIn("sound", self.run_tenken(OK, "db", "verify", *words).out)


class Damage(support.TestCase):
    """A database that cannot be trusted ends with 5 and the command that mends it."""

    @classmethod
    def setUpClass(cls):
        cls.module = support.ModuleDirectory()
        cls.addClassCleanup(cls.module.remove)
        feed = support.write_feed(cls.module.path / "feed")
        cls.database = support.build(cls.module.path / "small.db", feed)
        cls.root = support.write_root(cls.module.path / "root", support.DEMO_STATUS)
        cls.bytes = cls.database.read_bytes()
        cls.commands = {
            "scan": ("scan", "--rootfs", cls.root, "--format", "csv", "--fail-on", "any"),
            "query": ("query", "--ecosystem", "Debian:11", "libdemo", "1.2-3"),
            "batch": ("query", "--batch"),
            "explain": ("explain", "CVE-2024-90001", "--rootfs", cls.root),
            "show": ("db", "show", "CVE-2024-90001"),
            "status": ("db", "status"),
            "verify": ("db", "verify"),
        }

    def expect_mending(self, path):
        for name, words in self.commands.items():
            with self.subTest(command=name):
                answer = self.run_tenken(DATABASE, *words, "--db", path)
                self.expect_mending_command(answer)
                self.assertEqual(answer.out, "")

    def damaged(self, content):
        return support.write(self.directory / "damaged.db", content)

    def test_a_missing_file(self):
        self.expect_mending(self.directory / "missing.db")

    def test_a_directory_without_a_generation(self):
        self.expect_mending(self.directory)

    def test_a_link_to_nothing(self):
        (self.directory / "advisories.db").symlink_to("advisories-gone.db")
        self.expect_mending(self.directory)

    def test_an_empty_file(self):
        self.expect_mending(self.damaged(b""))

    def test_a_truncated_file(self):
        self.expect_mending(self.damaged(self.bytes[:-1]))

    def test_a_file_that_has_grown(self):
        self.expect_mending(self.damaged(self.bytes + b"\0"))

    def test_a_file_of_something_else(self):
        self.expect_mending(self.damaged(b"SQLite format 3\0" + bytes(100_000)))

    def test_another_format_version(self):
        other = bytearray(self.bytes)
        other[8] += 1
        path = self.damaged(bytes(other))
        self.expect_mending(path)
        self.assertIn("format", self.run_tenken(DATABASE, "db", "status", "--db", path).err)

    def test_a_changed_header(self):
        changed = bytearray(self.bytes)
        changed[20] ^= 1
        self.expect_mending(self.damaged(bytes(changed)))

    def test_a_changed_byte_never_takes_a_finding_away(self):
        words = self.commands["scan"]
        whole = self.run_tenken(support.FINDINGS, *words, "--db", self.database)
        self.assertIn("CVE-2024-90001", whole.out)
        caught = 0
        # Spread over all blocks; the header's own page is another test.
        for at in range(4096, len(self.bytes), 1999):
            changed = bytearray(self.bytes)
            changed[at] ^= 0xFF
            path = self.damaged(bytes(changed))
            with self.subTest(at=at):
                answer = support.tenken(*words, "--db", path)
                if answer.code == DATABASE:
                    caught += 1
                    self.expect_mending_command(answer)
                else:  # the scan had no need of that block
                    self.assertEqual((answer.code, answer.out), (whole.code, whole.out))
                verified = self.run_tenken(DATABASE, "db", "verify", path)
                self.assertIn("corrupt", verified.err)
        self.assertGreater(caught, 0)


class SharedFeeds(support.TestCase):
    """The feeds of the shared data, built once."""

    @classmethod
    def setUpClass(cls):
        feeds = support.need_data("feeds")
        cls.module = support.ModuleDirectory()
        cls.addClassCleanup(cls.module.remove)
        cls.out = cls.module.path / "feeds.db"
        cls.answer = support.tenken("db", "build", "--from", feeds, "--out", cls.out, "--verbose")

    def test_every_feed_is_read(self):
        self.assertEqual(self.answer.code, OK, self.answer)
        status = self.run_tenken(OK, "db", "status", "--json", "--db", self.out).json()
        feeds = {feed["id"]: feed for feed in status["feeds"]}
        for name in ("osv", "debian_lists", "debian_tracker", "alpine_secdb"):
            self.assertGreater(feeds[name]["records"], 1000, name)
        for name in ("kev", "epss", "nvd"):
            self.assertGreater(feeds[name]["records"], 1000, name)

    def test_samples_and_deltas_are_listed_as_not_read(self):
        lines = self.answer.out.partition("not read:")[2]
        for name in ("debian/debian-samples.tar.zst", "alpine/alpine-samples.tar.zst"):
            self.assertIn(name, lines)

    def test_the_database_is_sound(self):
        self.run_tenken(OK, "db", "verify", self.out)

    def test_every_skip_has_a_place_and_a_reason(self):
        status = self.run_tenken(OK, "db", "status", "--json", "--db", self.out).json()
        self.assertTrue(status["skips"])
        for skip in status["skips"]:
            self.assertTrue(skip["reason"], skip)
            self.assertTrue(skip["file"] or skip["record"], skip)

    def test_a_known_vulnerability_is_shown_with_its_facts(self):
        answer = self.run_tenken(OK, "db", "show", "CVE-2021-44228", "--db", self.out)
        self.assertIn("CISA KEV", answer.out)
        self.assertIn("EPSS", answer.out)
        self.assertNotIn("\x1b", answer.out)


if __name__ == "__main__":
    support.main()
