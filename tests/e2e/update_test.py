"""tenken db update against a mirror of the shared feeds: whole, again, broken, without network."""
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

import support
from support import DATABASE, INCOMPLETE, OK, USAGE

KEV = "www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
PYPI = "osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
FEEDS = ("kev", "debian_lists", "alpine_secdb", "osv")
CHOSEN = [w for name in FEEDS for w in ("--feed", name)] + ["--ecosystem", "PyPI", "--ecosystem", "CRAN"]
SMALL = ["--feed", "kev", "--feed", "osv", "--ecosystem", "CRAN"]

# "kev              1 fetched, 0 unchanged, …"
COUNTS = re.compile(r"^(\w+) +(\d+) fetched, (\d+) unchanged", re.M)


class Mirror:
    """The mirror server as a process of its own."""

    def __init__(self):
        data = support.need_data("feeds/mirror-map.tsv").parents[1]
        if shutil.which("zstd") is None:
            raise unittest.SkipTest("no zstd, which the mirror server needs")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mirror_server.py")
        self.process = subprocess.Popen(
            [sys.executable, script, "--data", str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.url = "http://127.0.0.1:%d" % int(self.process.stdout.readline())

    def ask(self, page, **fields):
        query = "?" + urllib.parse.urlencode(fields) if fields else ""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + page + query, timeout=30) as answer:
            return answer.read().decode()

    def misbehave(self, path, mode, **fields):
        self.ask("/control", path=path, mode=mode, **{"times": "0", **fields})

    def log(self):
        """(status, path) of the requests since the last look."""
        rows = (line.split(" ") for line in self.ask("/log").splitlines())
        return [(row[0], " ".join(row[2:-2])) for row in rows]

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


mirror = None


def setUpModule():
    global mirror
    mirror = Mirror()
    unittest.addModuleCleanup(mirror.stop)


class Update(support.TestCase):
    def setUp(self):
        super().setUp()
        self.database = self.directory / "db"
        mirror.ask("/reset")

    def update(self, code, *words, base=None, **named):
        words = ["--db", self.database, "--mirror", base or mirror.url, *words]
        return self.run_tenken(code, "db", "update", *words, **named)

    def counts(self, answer):
        return {name: (int(new), int(old)) for name, new, old in COUNTS.findall(answer.out)}

    def status(self):
        return self.run_tenken(OK, "db", "status", "--json", "--db", self.database).json()

    def records(self):
        return {feed["id"]: feed["records"] for feed in self.status()["feeds"]}

    def test_a_first_update_fetches_all_and_a_second_nothing(self):
        first = self.counts(self.update(OK, *CHOSEN))
        self.assertEqual(set(first), set(FEEDS))
        for name, (fetched, unchanged) in first.items():
            self.assertGreater(fetched, 0, name)
            self.assertEqual(unchanged, 0, name)
        records = self.records()
        self.assertEqual(records["kev"], 1404)
        for name in ("osv", "debian_lists", "alpine_secdb"):
            self.assertGreater(records[name], 1000)
        covered = {row["ecosystem"] for row in self.status()["coverage"]}
        self.assertLessEqual({"PyPI", "CRAN", "Debian", "Alpine"}, covered)
        self.assertNotIn("npm", covered)
        self.run_tenken(OK, "db", "verify", "--db", self.database)

        mirror.log()
        second = self.update(OK, *CHOSEN)
        for name, (fetched, unchanged) in self.counts(second).items():
            self.assertEqual((fetched, unchanged), (0, first[name][0]), name)
        self.assertEqual({status for status, _ in mirror.log()}, {"304"})
        self.assertEqual(self.records(), records)

    def test_a_feed_that_fails_hides_no_other(self):
        mirror.misbehave(KEV, "503", retry_after="0")
        answer = self.update(INCOMPLETE, *SMALL)
        self.assertIn("https://" + KEV, answer.err)
        self.assertIn("503", answer.err)
        records = self.records()
        self.assertGreater(records["osv"], 0)
        self.assertFalse(records.get("kev"))
        mirror.ask("/reset")
        self.update(OK, *SMALL)
        self.assertEqual(self.records()["kev"], 1404)

    def test_documents_of_a_failed_feed_stay_in_use(self):
        self.update(OK, *SMALL)
        mirror.misbehave(KEV, "404")
        mirror.misbehave("osv-vulnerabilities.storage.googleapis.com/CRAN/modified_id.csv", "404")
        answer = self.update(INCOMPLETE, *SMALL)
        self.assertIn("404", answer.err)
        self.assertEqual(self.records()["kev"], 1404)

    def test_a_page_in_place_of_a_feed_takes_nothing_away(self):
        self.update(OK, *SMALL)
        mirror.misbehave(KEV, "page")
        answer = support.tenken("db", "update", "--db", self.database, "--mirror", mirror.url, *SMALL)
        self.assertEqual(answer.code, INCOMPLETE, answer)
        self.assertEqual(self.records()["kev"], 1404)

    def test_a_single_fault_is_tried_again(self):
        mirror.misbehave(KEV, "503", times="1", retry_after="0")
        answer = self.update(OK, *SMALL)
        self.assertEqual(self.counts(answer)["kev"], (1, 0))

    def test_one_feed_is_updated_and_the_others_stay(self):
        self.update(OK, *SMALL)
        mirror.log()
        self.update(OK, "--feed", "kev")
        self.assertEqual({path for _, path in mirror.log()}, {KEV})
        self.assertGreater(self.records()["osv"], 0)

    def test_a_mirror_of_one_feed(self):
        answer = self.run_tenken(
            OK,
            *("db", "update", "--db", self.database, *SMALL),
            *("--mirror", "kev=" + mirror.url, "--mirror", "osv=" + mirror.url),
        )
        self.assertEqual(self.counts(answer)["kev"], (1, 0))

    def test_a_directory_takes_the_place_of_the_network(self):
        self.update(OK, *SMALL)
        records = self.records()
        copy = shutil.copytree(self.database / "feeds", self.directory / "mirror")
        shutil.rmtree(copy / ".fetch")
        shutil.rmtree(self.database)
        mirror.log()
        # No name can be resolved through this proxy: a request would fail.
        answer = self.update(OK, *SMALL, base=copy, https_proxy="http://127.0.0.1:1")
        self.assertEqual(mirror.log(), [])
        self.assertEqual(set(self.counts(answer)), {"kev", "osv"})
        self.assertEqual(self.records(), records)

    def test_a_document_that_cannot_be_read_is_put_back_and_asked_for_again(self):
        self.update(OK, *SMALL)
        there = self.database / "feeds"
        copy = shutil.copytree(there, self.directory / "mirror")
        shutil.rmtree(copy / ".fetch")
        sound = (there / KEV).read_bytes()
        (copy / KEV).write_bytes(b'{"vulnerabilities": [' + b'{"cveID": "CVE-2026-1"}, ' * 9)
        answer = self.update(INCOMPLETE, *SMALL, base=copy)
        self.assertIn(KEV, answer.err)
        self.assertEqual((there / KEV).read_bytes(), sound)
        self.assertEqual(list(there.glob(".fetch/put-back*")), [])
        self.assertEqual(self.records()["kev"], 1404)
        (copy / KEV).write_bytes(sound + b"\n")
        self.assertEqual(self.counts(self.update(OK, *SMALL, base=copy))["kev"], (1, 0))

    def test_a_failed_build_leaves_the_generation_in_use(self):
        self.update(OK, *SMALL)
        before = self.status()
        for path in (self.database / "feeds").rglob("*"):
            if path.is_file() and ".fetch" not in path.parts:
                path.write_bytes(b"not what upstream sent")
        # The mirror confirms nothing and sends nothing.
        mirror.misbehave("*", "404")
        answer = support.tenken("db", "update", "--db", self.database, "--mirror", mirror.url, *SMALL)
        self.assertNotEqual(answer.code, OK, answer)
        self.assertIn("no advisory could be read", answer.err)
        self.assertEqual(self.status(), before)
        self.run_tenken(OK, "db", "verify", "--db", self.database)

    def test_generations_are_kept(self):
        for day in range(5):
            # What is fetched anew makes another generation; what upstream confirms does not.
            for state in (self.database / "feeds").glob(".fetch/**/*.state"):
                state.unlink()
            for again in range(2):
                self.update(OK, *SMALL, SOURCE_DATE_EPOCH=str(support.NOW + day * 86400 + again))
        kept = list(self.database.glob("advisories-*.db"))
        self.assertEqual(len(kept), 3)
        current = (self.database / "advisories.db").resolve()
        self.assertEqual(current, max(kept, key=lambda path: path.stat().st_mtime_ns).resolve())

    def test_wrong_words_are_usage(self):
        answer = self.update(USAGE, "--feed", "nosuch")
        self.assertIn("kev", answer.err, "the feeds that there are")
        self.run_tenken(DATABASE, "db", "status", "--db", self.database)

    def test_no_mirror_at_all_is_said(self):
        missing = self.directory / "missing"
        for base, said in (
            (missing, f"{missing}: no such directory"),
            ("nosuch=http://127.0.0.1:1", 'no feed "nosuch"'),
            ("relative", '"relative": expected FEED=URL or FEED=DIRECTORY'),
        ):
            answer = self.update(USAGE, "--feed", "kev", base=base)
            self.assertEqual(answer.err, f"tenken: --mirror: {said}\n")
        self.assertFalse(self.database.exists())
        answer = self.update(INCOMPLETE, "--feed", "kev", base=f"kev={missing}")
        self.assertEqual(answer.err.count(str(missing)), 1, answer.err)
        self.run_tenken(DATABASE, "db", "status", "--db", self.database)


if __name__ == "__main__":
    support.main()
