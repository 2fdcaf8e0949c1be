#!/usr/bin/env python3
"""The static agent (preset `static`): it starts where there is no library at all, finds its server
by name with nothing of the host's own name services, and reads what the other build reads.

TENKEN_STATIC_AGENT names it, else it is build/static/tenken-agent; without it this is skipped.
"""
import aws_tools

aws_tools.enter()

import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading
import unittest

import server
import support
from server import ACCOUNT, wait_for

OTHER = os.environ.get("TENKEN_AGENT", "tenken-agent")
STATIC = pathlib.Path(
    os.environ.get("TENKEN_STATIC_AGENT", support.SOURCE / "build/static/tenken-agent")
)
NAME = "server.tenken.test"
# Modules of the host's own C library, of which the chroot has none.
NSSWITCH = "hosts: mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] sss nis wins\n"
LARGEST = 5_000_000
PT_INTERP, PT_DYNAMIC, DT_NEEDED = 3, 2, 1


def program_headers(elf):
    offset, size, count = (
        struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54),
    )  # fmt: skip
    for i in range(count):
        yield struct.unpack_from("<IIQQQQQQ", elf, offset + i * size)


def needed_libraries(elf):
    """How many shared libraries the dynamic section names."""
    for kind, _, offset, _, _, size, _, _ in program_headers(elf):
        if kind == PT_DYNAMIC:
            tags = (struct.unpack_from("<Q", elf, offset + i)[0] for i in range(0, size, 16))
            return sum(tag == DT_NEEDED for tag in tags)
    return 0


class NameServer:
    """Answers each question for an IPv4 address with 127.0.0.1, each other one with nothing."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.asked = []
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        while True:
            try:
                question, asker = self.socket.recvfrom(512)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            kind = struct.unpack_from(">H", question, end - 4)[0]
            self.asked.append(question[12 : end - 5])
            found = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + b"\x7f\0\0\1" if kind == 1 else b""
            head = question[:2] + struct.pack(">HHHHH", 0x8180, 1, bool(found), 0, 0)
            self.socket.sendto(head + question[12:end] + found, asker)

    def close(self):
        self.socket.close()


@unittest.skipUnless(
    STATIC.exists(), f"no static agent at {STATIC}: tools/package.sh, or the preset static, makes it"
)
class StaticAgent(support.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.directory / "empty"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "proc").mkdir()
        shutil.copy(STATIC, self.root / "tenken-agent")

    def in_chroot(self, *words):
        if os.geteuid() != 0:
            self.skipTest("chroot needs root")
        return subprocess.run(
            ["/tenken-agent", *words], capture_output=True, text=True, timeout=60, check=False,
            env={}, preexec_fn=lambda: (os.chroot(self.root), os.chdir("/")),
        )  # fmt: skip

    def test_it_needs_nothing_and_is_small(self):
        elf = STATIC.read_bytes()
        self.assertNotIn(PT_INTERP, [header[0] for header in program_headers(elf)])
        self.assertEqual(needed_libraries(elf), 0)
        self.assertLess(len(elf), LARGEST)

    def test_it_starts_in_an_empty_root(self):
        done = self.in_chroot("--version")
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(done.stdout.startswith("tenken-agent "), done)

    def enrol_by_name(self):
        running = server.Server(
            self.directory / "advisories.db", arguments=("--tls-name", NAME)
        )
        self.addCleanup(running.close)
        shutil.copy(running.ca_file, self.root / "ca.pem")
        (self.root / "etc/nsswitch.conf").write_text(NSSWITCH)
        token = running.admin("token", "create", "--account", ACCOUNT).strip()
        done = self.in_chroot(
            "enrol", "--server", f"https://{NAME}:{running.port}", "--ca", "/ca.pem",
            "--token", token, "--state", "/state",
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("enrolled as", done.stdout)

    def test_it_finds_its_server_in_the_hosts_file(self):
        (self.root / "etc/hosts").write_text(f"127.0.0.1 {NAME}\n")
        self.enrol_by_name()

    def test_it_finds_its_server_in_the_dns(self):
        try:
            names = NameServer("127.0.0.97")
        except OSError as error:
            self.skipTest(f"no name server can listen here: {error}")
        self.addCleanup(names.close)
        (self.root / "etc/resolv.conf").write_text("nameserver 127.0.0.97\n")
        self.enrol_by_name()
        self.assertTrue(names.asked)

    def test_it_reads_what_the_other_build_reads(self):
        root = self.directory / "rpm"
        if not (shutil.which("rpmbuild") and shutil.which("rpm")):
            self.skipTest("rpm and rpmbuild are needed")
        spec = self.directory / "one.spec"
        spec.write_text(
            "Name: one\nVersion: 1.2\nRelease: 3\nSummary: s\nLicense: MIT\nBuildArch: noarch\n"
            "%description\nd\n%files\n"
        )
        subprocess.run(
            ["rpmbuild", "-bb", "--define", f"_topdir {self.directory}/top", spec],
            capture_output=True, check=True,
        )  # fmt: skip
        package = next((self.directory / "top").rglob("*.rpm"))
        (root / "etc").mkdir(parents=True)
        (root / "etc/os-release").write_text("ID=rocky\nVERSION_ID=9.4\n")
        subprocess.run(
            ["rpm", "--root", root, "--dbpath", "/var/lib/rpm", "--nodeps", "-i", package],
            capture_output=True, check=True,
        )  # fmt: skip
        reports = []
        for program in (STATIC, OTHER):
            done = subprocess.run(
                [program, "collect", "--once", "--output", "-", "--rootfs", root],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            reports.append(done.stdout)
        self.assertIn('"name":"one"', reports[0])
        self.assertEqual(*reports)


if __name__ == "__main__":
    support.main()
