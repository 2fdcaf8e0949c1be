"""What the end-to-end tests share: running tenken, the shared test data, small inputs of our own.

The environment says where the program and its sources are: TENKEN, TENKEN_SOURCE_DIR. The shared
test data is $TENKEN_TEST_DATA, else ../shared/data beside the project; tests that need it are
skipped without it and say so. Every run has the time SOURCE_DATE_EPOCH, so that no answer depends
on the day.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TENKEN = os.environ.get("TENKEN", "tenken")
SOURCE = pathlib.Path(os.environ.get("TENKEN_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
DATA = pathlib.Path(os.environ.get("TENKEN_TEST_DATA", SOURCE.parent / "shared" / "data"))

NOW = 1787529600  # 2026-08-24T00:00:00Z, a day or two after the newest record of the shared data

OK, FINDINGS, USAGE, TARGET, INCOMPLETE, DATABASE, SERVER = range(7)


def run():
    """The exit code of unittest.main, or ctest's of a skipped test where every test was skipped."""
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        return 1
    return 77 if result.skipped and result.testsRun <= len(result.skipped) else 0


def main():
    sys.exit(run())


def need_data(relative):
    """The path of shared test data; skips the test or the module where it is absent."""
    path = DATA / relative
    if not path.exists():
        raise unittest.SkipTest(
            "no test data at %s; set TENKEN_TEST_DATA to the folder that holds it" % path
        )
    return path


def environment(**changes):
    """That of a user who has set nothing, in English. A value None takes a variable away."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "TENKEN", "XDG_"))
        and name not in ("LANG", "LANGUAGE", "NO_COLOR", "http_proxy", "https_proxy", "all_proxy")
    }
    # 1 is an answer of tenken; a sanitizer's report must not look like one.
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        env[name] = ":".join(filter(None, [env.get(name), "exitcode=99"]))
    env.update(LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH=str(NOW))
    env.update(changes)
    return {name: value for name, value in env.items() if value is not None}


class Answer:
    """The exit code, standard output and standard error of a run."""

    def __init__(self, process, words):
        self.code = process.returncode
        self.raw = process.stdout or b""
        self.out = self.raw.decode(errors="replace")
        self.err = (process.stderr or b"").decode(errors="replace")
        self.words = words

    def __str__(self):
        return "%s\nexit code %s\n%s\n%s" % (self.words, self.code, self.err[:2000], self.out[:2000])

    def json(self):
        return json.loads(self.raw)

    def lines(self):
        return self.out.split("\n")[:-1]


def tenken(*words, stdin=b"", stdout=subprocess.PIPE, cwd=None, before=None, **variables):
    """Runs the program. A death by a signal or a sanitizer fails the test."""
    words = [TENKEN, *map(str, words)]
    process = subprocess.run(
        words,
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment(**variables),
        cwd=cwd,
        preexec_fn=before,
        timeout=300,
        check=False,
    )
    answer = Answer(process, words)
    assert answer.code in range(7), str(answer)
    return answer


class TestCase(unittest.TestCase):
    """With a directory of its own, and assertions that show the whole run."""

    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tenken-e2e-"))
        self.addCleanup(shutil.rmtree, self.directory, True)

    def run_tenken(self, code, *words, **named):
        answer = tenken(*words, **named)
        self.assertEqual(answer.code, code, answer)
        return answer

    def expect_mending_command(self, answer):
        """That the error says what to run."""
        for command in ("tenken db update", "tenken db build --from"):
            self.assertIn(command, answer.err)


SBOM_FORMATS = ("cyclonedx", "spdx")


def findings(result):
    """What a scan says about packages, without where it found them."""
    names = ("name", "version", "source")
    facts = ("id", "status", "severity", "fixed_version", "advisories")
    return sorted(
        [[finding["package"][name] for name in names], [finding[fact] or "" for fact in facts]]
        for finding in result["findings"]
    )


def undecided(result):
    return sorted((one["kind"], one["subject"], one["count"]) for one in result["unknown"])


class RoundTrip(TestCase):
    """A root written as an SBOM is scanned with the same result as the root."""

    def scan_json(self, database, *target):
        words = ("scan", *target, "--db", database, "--format", "json")
        return self.run_tenken(OK, *words).json()

    def check_round_trip(self, database, root):
        direct = self.scan_json(database, "--rootfs", root)
        for name in SBOM_FORMATS:
            with self.subTest(root=root.name, format=name):
                file = self.directory / (root.name + "." + name + ".json")
                answer = self.run_tenken(OK, "sbom", "--rootfs", root, "-f", name, "-o", file)
                self.assertEqual(answer.out, "")
                result = self.scan_json(database, "--sbom", file)
                self.assertEqual(result["packages"], direct["packages"])
                self.assertEqual(findings(result), findings(direct))
                self.assertEqual(undecided(result), undecided(direct))
                for key in ("ecosystem", "release"):
                    self.assertEqual(result["target"]["os"][key], direct["target"]["os"][key])
        return direct


class ModuleDirectory:
    """A directory for setUpModule and tearDownModule."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="tenken-e2e-"))

    def remove(self):
        shutil.rmtree(self.path, True)


def write(path, content):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def advisory(name, ecosystem, package, events, **members):
    """An OSV record about one package, whose events are one range."""
    affected = {
        "package": {"ecosystem": ecosystem, "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    record = {
        "schema_version": "1.6.0",
        "id": name,
        "modified": "2026-08-20T00:00:00Z",
        "published": "2026-08-20T00:00:00Z",
        "affected": [affected],
    }
    record.update(members)
    return record


def cvss(vector):
    return [{"type": "CVSS_V3", "score": "CVSS:3.1/" + vector}]


CRITICAL = cvss("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
MEDIUM = cvss("AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N")


def write_feed(directory):
    """A small feed of OSV files: Debian 11 and PyPI."""
    everything = [{"introduced": "0"}]
    records = [
        advisory(
            "DSA-9001-1",
            "Debian:11",
            "libdemo",
            [{"introduced": "0"}, {"fixed": "1.2-3+deb11u1"}],
            upstream=["CVE-2024-90001", "CVE-2024-90002"],
            summary="libdemo - security update",
        ),
        advisory(
            "DSA-9002-1", "Debian:11", "libdemo", everything, upstream=["CVE-2024-90003"]
        ),
        advisory(
            "GHSA-aaaa-bbbb-cccc",
            "PyPI",
            "Demo.Package",
            [{"introduced": "0"}, {"fixed": "2.0"}],
            aliases=["CVE-2024-90004"],
            severity=CRITICAL,
            summary="Demo runs what it is sent",
        ),
        advisory(
            "GHSA-dddd-eeee-ffff",
            "PyPI",
            "demo-package",
            everything,
            aliases=["CVE-2024-90005"],
            severity=MEDIUM,
            summary="Demo says too much",
        ),
    ]
    records.append(
        advisory(
            "GHSA-gggg-hhhh-jjjj", "PyPI", "once", [{"introduced": "1.0"}, {"fixed": "1.1"}]
        )
    )
    for record in records:
        write(pathlib.Path(directory) / (record["id"] + ".json"), record)
    return pathlib.Path(directory)


OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux {0} ({1})"
NAME="Debian GNU/Linux"
VERSION_ID="{0}"
VERSION_CODENAME={1}
ID=debian
"""


def stanza(name, version, source=None):
    lines = ["Package: " + name, "Status: install ok installed", "Architecture: amd64"]
    lines += ["Source: " + source] if source else []
    return "\n".join([*lines, "Version: " + version, "Description: a demo", "", ""])


def write_root(directory, status, version="11", codename="bullseye"):
    """A directory that looks like a Debian system with this dpkg status."""
    directory = pathlib.Path(directory)
    write(directory / "etc/os-release", OS_RELEASE.format(version, codename))
    write(directory / "var/lib/dpkg/status", status)
    return directory


DEMO_STATUS = stanza("libdemo1", "1.2-3", "libdemo") + stanza("other", "1.0-1")


def cyclonedx(*purls):
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [
            {
                "type": "library",
                "name": purl.split("?")[0].split("@")[0].rsplit("/")[-1],
                "version": purl.split("?")[0].partition("@")[2],
                "purl": purl,
            }
            for purl in purls
        ],
    }


def build(out, *sources):
    answer = tenken("db", "build", *[w for s in sources for w in ("--from", s)], "--out", out)
    assert answer.code == OK, str(answer)
    return out
