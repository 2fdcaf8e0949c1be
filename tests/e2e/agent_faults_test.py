#!/usr/bin/env python3
"""What goes wrong on hosts and between them and their server, and that nothing is lost by it and no
finding closed: a full disk, a clock that is wrong, a server that is away for long, a database in the
middle of an upgrade, an os-release that is hostile. The faults that a server sees of agents that lie
are in agents_test.py, copies of a host in agent_life_test.py.
"""
import aws_tools

aws_tools.enter()

import fcntl
import json
import os
import pathlib
import subprocess
import time
import unittest

import support
from agent_hosts import AGENT, AgentCase, status
from server import ACCOUNT, wait_for

FAKETIME = pathlib.Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1")
DAY = 86_400


def with_clock_off_by(seconds):
    """How a host is made whose clock is wrong. Programs with AddressSanitizer do not start with
    libfaketime: where this build is one, it is the agent that tools/package.sh builds.
    """
    if not FAKETIME.exists():
        raise unittest.SkipTest("libfaketime is not installed; tools/setup.sh test does")
    wrong = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{seconds:+d}", "DONT_FAKE_MONOTONIC": "1"}
    for program in (AGENT, str(support.SOURCE / "build/package/tenken-agent")):
        if starts(program, support.environment(**wrong)):
            return {"program": program, "variables": wrong}
    raise unittest.SkipTest("no agent starts with libfaketime here; tools/package.sh builds one")


def starts(program, environment):
    try:
        tried = subprocess.run(
            [program, "--version"], env=environment, capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0


class SmallDisk:
    """A file system of so many KiB at the directory, until close()."""

    def __init__(self, directory, kilobytes):
        self.directory = directory
        directory.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", directory],
            capture_output=True, check=False,
        )  # fmt: skip
        if mounted.returncode != 0:
            raise unittest.SkipTest("no file system can be mounted here: the test needs root")
        self.filler = directory / "filler"

    def fill(self):
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass

    def free(self):
        self.filler.unlink()

    def close(self):
        subprocess.run(["umount", "--lazy", self.directory], check=False)


class Faults(AgentCase):
    def spooled(self, host):
        return list((host.state / "spool").iterdir())

    # The disk.

    def test_a_full_disk_costs_no_report(self):
        host = self.host()
        disk = SmallDisk(host.state, 256)
        self.addCleanup(disk.close)
        self.assertEqual(host.enrol(self.server, self.token()).code, 0)
        host.start()
        wait_for(self.findings, 15, "a finding")
        disk.fill()
        host.install({"openssl": "3.0.11-1"})
        self.expect_findings([])
        self.assertRegex(host.log(), r"/state/.*: No space left on device")
        # What the next process knows is what was written last: it reports the whole.
        host.stop()
        host.start()
        host.install({"openssl": "3.0.9-1"})
        wait_for(self.findings, 15, "the finding again")
        disk.free()
        host.install({"openssl": "3.0.11-1"})
        self.expect_findings([])
        wait_for(lambda: "fault=\n" in (host.state / "status").read_text(), 15, "no fault")

    def test_without_room_no_host_enrols_halfway(self):
        host = self.host()
        disk = SmallDisk(host.state, 64)
        self.addCleanup(disk.close)
        disk.fill()
        answer = host.enrol(self.server, self.token())
        self.assertNotEqual(answer.code, 0, answer)
        self.assertIn("No space left on device", answer.err)
        disk.free()
        answer = host.enrol(self.server, self.token())
        self.assertEqual(answer.code, 0, answer)

    # The clock.

    def test_a_clock_that_is_wrong_does_no_harm(self):
        for name, seconds in (("behind", -DAY), ("ahead", DAY), ("years", 40 * 365 * DAY)):
            with self.subTest(name):
                host = self.enrolled(name, **with_clock_off_by(seconds))
                mine = [(host.resource, "CVE-2024-1000")]
                here = {"resourceId": [{"comparison": "EQUALS", "value": host.resource}]}
                wait_for(lambda: self.findings(**here) == mine, 15, "the finding")
                self.assert_times_are_the_servers(host)
                # A command holds from the server's clock to the server's clock.
                self.server.admin("agent", "collect", host.id, "--account", ACCOUNT)
                wait_for(lambda: host.log().count("report ") >= 2, 15, "the whole report")
                self.assertNotIn("a command is over", host.log())
                host.install({"openssl": "3.0.11-1"})
                wait_for(lambda: self.findings(**here) == [], 15, "no finding")
                # The clock is set right while the agent runs on.
                self.assertEqual(host.stop(), 0)
                host.start()
                host.install({"openssl": "3.0.9-1"})
                wait_for(lambda: self.findings(**here) == mine, 15, "the finding again")

    def assert_times_are_the_servers(self, host):
        finding = next(
            one for one in self.server.findings() if one["resources"][0]["id"] == host.resource
        )
        for name in ("firstObservedAt", "lastObservedAt", "updatedAt"):
            self.assertLess(abs(finding[name] - time.time()), 60, name)
        agent = self.agents()[host.id]
        self.assertEqual(agent["health"], "healthy")

    # The server.

    def test_a_long_outage_is_one_line_and_loses_nothing(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        self.server.kill()
        for number in range(3):
            host.install({"openssl": "3.0.9-1", f"package-{number}": "1"})
            wait_for(lambda: len(self.spooled(host)) == number + 1, 20, "a report that waits")
        time.sleep(8)  # several tries
        tries = [line for line in host.log().splitlines() if "Connection refused" in line]
        self.assertEqual(len(tries), 1, host.log())
        self.assertIn("Connection refused", (host.state / "status").read_text())
        self.server.start()
        wait_for(lambda: self.spooled(host) == [], 40, "an empty spool")
        wait_for(lambda: "the server answers again" in host.log(), 5, "the message")
        self.assertNotIn("asks for the whole report", host.log())  # in order, each once
        resource = self.server.request("GET", f"/v1/resources/{host.resource}/packages").json()
        names = sorted(one["name"] for one in resource["packages"])
        self.assertEqual(names, ["openssl", "package-2"])

    # The package database.

    def test_a_database_that_stays_cut_closes_nothing_and_is_told(self):
        host = self.enrolled(packages={"openssl": "3.0.9-1", "bash": "5.2-1"})
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        whole = status({"openssl": "3.0.9-1", "bash": "5.2-1"})
        host.install({}, whole[: whole.index("Version: 3.0.9") + 4])
        # It is waited for, then what was read is reported as what it is.
        wait_for(lambda: host.log().count("report ") >= 2, 90, "the report of a cut database")
        self.assertEqual(self.findings(), [(host.resource, "CVE-2024-1000")])
        unknown = self.server.request("GET", f"/v1/resources/{host.resource}").json()["unknown"]
        self.assertTrue(any("var/lib/dpkg/status" in one["subject"] for one in unknown), unknown)
        self.assertRegex(host.agent("status").out, r"unread +var/lib/dpkg/status: ")
        host.install({"openssl": "3.0.11-1", "bash": "5.2-1"})
        self.expect_findings([])
        self.assertNotIn("unread", host.agent("status").out)

    def test_a_database_cut_right_behind_a_version_closes_nothing(self):
        packages = {"bash": "5.2-1", "openssl": "3.0.9-1", "zlib1g": "1.2"}
        host = self.enrolled(packages=packages)
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        whole = status(packages)
        host.install({}, whole[: whole.index("Version: 5.2-1\n") + len("Version: 5.2-1\n")])
        wait_for(lambda: host.log().count("report ") >= 2, 30, "the report of a cut database")
        time.sleep(2)
        self.assertEqual(self.findings(), [(host.resource, "CVE-2024-1000")])
        unknown = self.server.request("GET", f"/v1/resources/{host.resource}").json()["unknown"]
        self.assertIn("the file ends in the middle of a package", str(unknown))

    def test_a_database_cut_between_two_packages_is_not_believed_at_once(self):
        many = {f"a-{number:02}": "1" for number in range(20)}
        packages = {**many, "openssl": "3.0.9-1"}
        host = self.enrolled(packages=packages)
        mine = [(host.resource, "CVE-2024-1000")]
        self.expect_findings(mine)
        whole = status(packages)
        cut = whole[: whole.index("Package: a-10\n")]
        # dpkg is at work: what it has left is not looked at for long.
        with open(host.root / "var/lib/dpkg/lock", "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            host.install({}, cut)
            time.sleep(9)
            self.assertEqual(host.log().count("report "), 1, host.log())
            host.install({}, whole)
        # Nobody holds the lock, and the file is whole again soon.
        time.sleep(5)
        host.install({}, cut)
        time.sleep(2)
        host.install({}, whole)
        time.sleep(6)
        self.assertEqual(host.log().count("report "), 1, host.log())
        self.assertEqual(self.findings(), mine)
        # Packages that stay away are gone, and few that go are not waited for.
        host.install({}, cut)
        self.expect_findings([])
        self.assertEqual(host.log().count("report "), 2, host.log())

    def test_what_can_never_be_read_delays_no_change(self):
        host = self.host(packages={"openssl": "3.0.9-1"})
        (host.root / "var/lib/rpm").mkdir()
        (host.root / "var/lib/rpm/Packages.db").touch()
        self.assertEqual(host.enrol(self.server, self.token()).code, 0)
        host.start()
        wait_for(lambda: host.log().count("report ") == 1, 4, "the first report")
        wait_for(self.findings, 15, "the finding")
        for number in range(2):
            host.install({"openssl": "3.0.9-1", f"other-{number}": "1"})
            wait_for(lambda: host.log().count("report ") == number + 2, 5, "the change")
        before = self.processor_seconds(host)
        time.sleep(10)
        self.assertLess(self.processor_seconds(host) - before, 0.03)

    def processor_seconds(self, host):
        words = pathlib.Path(f"/proc/{host.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    # os-release.

    def test_a_hostile_os_release_is_told_and_harms_nobody(self):
        cases = {
            "escapes": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="\x1b[2J\x1b]0;owned\x07 \xff\xfe"\n',
            "nul": b"ID=debian\x00\nVERSION_ID=12\n",
            "words": b"ID=$(reboot)\nVERSION_ID=`id`\n",
            "large": b"ID=debian\n" + b"A" * (2 << 20),
            "lines": b"nonsense\n" * 100_000,
            "json": b'ID="\\"},{\\"k\\":\\"package\\""\nVERSION_ID="\\n"\n',
            "paths": b"ID=../../../etc/passwd\nVERSION_ID=%00\n",
        }
        for name, text in cases.items():
            with self.subTest(name):
                host = self.host(name)
                (host.root / "etc/os-release").write_bytes(text)
                began = time.monotonic()
                answer = host.agent("collect", "--once", "--output", self.directory / "report")
                self.assertEqual(answer.code, 0, answer)
                self.assertLess(time.monotonic() - began, 10)
                report = (self.directory / "report").read_bytes()
                self.assertLess(len(report), 64 << 10)
                lines = [json.loads(line) for line in report.splitlines()]
                self.assertEqual([one["name"] for one in lines if one["k"] == "package"], ["openssl"])
                self.assertNotRegex(report, rb"[\x00-\x09\x0b-\x1f\x7f]")

    def test_an_os_release_that_is_no_file_is_not_waited_for(self):
        host = self.host()
        file = host.root / "etc/os-release"
        for make in (lambda: os.mkfifo(file), lambda: file.symlink_to("/dev/zero"),
                     lambda: file.symlink_to("os-release"), lambda: file.mkdir()):  # fmt: skip
            file.unlink()
            make()
            answer = host.agent("collect", "--once", "--output", self.directory / "report")
            self.assertEqual(answer.code, 0, answer)
            lines = map(json.loads, (self.directory / "report").read_text().splitlines())
            files = {one["file"] for one in lines if one["k"] == "skip"}
            self.assertTrue(any("os-release" in file for file in files), files)
            if file.is_dir() and not file.is_symlink():
                file.rmdir()
                file.touch()

    def test_a_host_whose_os_release_turns_hostile_keeps_its_findings(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        (host.root / "etc/os-release").write_bytes(b'ID="\x1b[31mevil"\nVERSION_ID="\xff"\n')
        wait_for(lambda: host.log().count("report ") >= 2, 90, "the next report")
        time.sleep(3)
        self.assertEqual(self.findings(), [(host.resource, "CVE-2024-1000")])
        coverage = self.server.client().list_coverage()["coveredResources"][0]
        self.assertEqual(coverage["scanStatus"]["reason"], "UNSUPPORTED_OS")
        self.assertNotIn("\x1b", json.dumps(coverage, default=str, ensure_ascii=False))


if __name__ == "__main__":
    support.main()
