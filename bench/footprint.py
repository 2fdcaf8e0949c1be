#!/usr/bin/env python3
"""What the agent takes of its host, by the kernel's own accounting; called by bench/run.

footprint.py BUILD [--packages N] [--seconds N] [AGENT ...]
  AGENT: programs to measure; BUILD/tenken-agent where none is given
  --seconds: how long it is watched while nothing changes
The host is a directory with a dpkg database; the agent reports over TLS to a real server, through a
forwarder that counts what it sends.
"""
import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from running import line, running_server

STANZA = """Package: {name}
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: {number}
Maintainer: A Team of Maintainers <packages@example.org>
Architecture: amd64
Multi-Arch: same
Source: source-{source}
Version: {version}
Depends: libc6 (>= 2.34), package-{source} (>= 1.0), zlib1g (>= 1:1.2.0)
Conffiles:
 /etc/{name}/first.conf 0123456789abcdef0123456789abcdef
Description: a library of routines for things of the kind {source}
 This package has what is needed to run programs that use the library,
 and some words about it, as most packages do.
Homepage: https://example.org/{name}

"""


class Forwarder:
    """A way to the server that counts the bytes that the agent sends."""

    def __init__(self, port):
        self.port, self.sent = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def address(self):
        return "https://127.0.0.1:%d" % self.listener.getsockname()[1]

    def serve(self):
        while True:
            agent, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.copy, args=(agent, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, agent, False), daemon=True).start()

    def copy(self, source, target, counts):
        try:
            while data := source.recv(65536):
                self.sent += len(data) if counts else 0
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Host:
    """A directory in which a Debian 12 with so many packages seems to be installed."""

    def __init__(self, folder, packages):
        self.root, self.state, self.packages = folder / "root", folder / "state", packages
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        (self.root / "etc").mkdir()
        (self.root / "etc/machine-id").write_text(os.urandom(16).hex() + "\n")
        (self.root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
        self.install("1.2.3-4")

    def install(self, first_version):
        """All are of one version but the first."""
        text = "".join(
            STANZA.format(name=f"package-{i}", number=i, source=i // 2,
                          version=first_version if i == 0 else f"1.{i % 30}.2-1")
            for i in range(self.packages))
        new = self.root / "var/lib/dpkg/status-new"
        new.write_text(text)
        new.rename(new.with_name("status"))

    def look_in_vain(self):
        """The directory is written to and the database is not."""
        file = self.root / "var/lib/dpkg/lock"
        file.write_text("")
        file.unlink()


class Agent:
    def __init__(self, program, host, log):
        words = [program, "run", "--state", host.state, "--rootfs", host.root]
        self.process = subprocess.Popen(words, stdout=log, stderr=log)
        self.files = pathlib.Path(f"/proc/{self.process.pid}")

    def milliseconds(self):
        """Processor time so far, of all threads."""
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in (self.files / "task").iterdir()) / 1e6

    def megabytes(self, name):
        for text in (self.files / "status").read_text().splitlines():
            if text.startswith(name + ":"):
                return int(text.split()[1]) / 1024
        raise SystemExit(f"no {name} of {self.files}")

    def end(self):
        self.process.terminate()
        self.process.wait()


def wait_for_reports(log, number):
    deadline = time.monotonic() + 60
    while log.read_text().count("report ") < number:
        if time.monotonic() > deadline:
            raise SystemExit("the agent does not report:\n" + log.read_text())
        time.sleep(0.05)
    time.sleep(2)


def collection_milliseconds(program, host, folder):
    """User and system time of whole processes, the median of five."""
    taken = []
    for _ in range(5):
        child = subprocess.Popen([program, "collect", "--once", "--rootfs", host.root, "--output", folder / "lines"],
                                 stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            raise SystemExit("collect --once failed")
        taken.append(1000 * (usage.ru_utime + usage.ru_stime))
    return sorted(taken)[2]


def stripped_megabytes(program, folder):
    copy = shutil.copy(program, folder / "stripped")
    subprocess.run(["strip", copy], check=True)
    return os.path.getsize(copy) / 1e6


def measure(program, server, arguments):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        host = Host(folder, arguments.packages)
        way = Forwarder(int(server.listen.rsplit(":", 1)[1]))
        token = server.admin("token", "create").strip()
        subprocess.run([program, "enrol", "--server", way.address(), "--ca", server.authority, "--token", token,
                        "--state", host.state, "--rootfs", host.root], check=True, stdout=subprocess.DEVNULL)
        print(f"\n{program}, {arguments.packages:,} packages")
        line("program, stripped", "5 MB", f"{stripped_megabytes(program, folder):.2f} MB")
        line("full collection, a process of its own", "50 ms", f"{collection_milliseconds(program, host, folder):.1f} ms")
        log = folder / "log"
        with open(log, "wb") as out:
            agent = Agent(program, host, out)
        try:
            watch(agent, host, way, log, arguments.seconds)
        finally:
            agent.end()


def watch(agent, host, way, log, seconds):
    wait_for_reports(log, 1)
    line("start, first report of all packages", "", f"{agent.milliseconds():.1f} ms")
    line("resident while it waits", "8 MB", f"{agent.megabytes('VmRSS'):.1f} MB")
    before = agent.milliseconds()
    for _ in range(5):
        host.look_in_vain()
        time.sleep(4)
    line("a look that finds nothing changed", "5 ms", f"{(agent.milliseconds() - before) / 5:.2f} ms")
    before, sent = agent.milliseconds(), way.sent
    host.install("1.2.3-5")
    wait_for_reports(log, 2)
    line("one package upgraded: sent", "2 KB", f"{(way.sent - sent) / 1000:.2f} KB",
         f"TLS counted; {agent.milliseconds() - before:.1f} ms")
    before, sent = agent.milliseconds(), way.sent
    time.sleep(seconds)
    hour = 3600 / seconds
    line("an hour in which nothing changes", "100 ms", f"{(agent.milliseconds() - before) * hour:.0f} ms",
         f"of {seconds} s; {(way.sent - sent) * hour / 1000:.0f} KB sent")
    line("resident at its peak", "16 MB", f"{agent.megabytes('VmHWM'):.1f} MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("agents", nargs="*", type=pathlib.Path)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=300)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    line("", "limit", "figure", f"load before: {os.getloadavg()[0]:.1f}")
    with running_server(build) as server:
        for program in arguments.agents or [build / "tenken-agent"]:
            measure(program.resolve(), server, arguments)


main()
