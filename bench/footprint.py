#!/usr/bin/env python3
"""What the agent takes of its host, by the kernel's own accounting; called by bench/run.

footprint.py BUILD [--packages N] [--seconds N] [AGENT ...]
  AGENT: programs to measure; BUILD/tenken-agent where none is given
  --seconds: how long it is watched while nothing changes: 900, or a multiple, since it looks at
    the facts of its host every 900 seconds, so that each window has its share of them
One host is a directory with a dpkg database, where the package database is all that there is to
look at; the other is the machine that this runs on, with its processes. The agents of both report
over TLS to a real server, through a forwarder that counts what they send.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from running import line, running_server

FACTS_SECONDS = 900  # Timing::facts_ms of the agent

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


class Directory:
    """A directory in which a Debian 12 with so many packages seems to be installed."""

    def __init__(self, folder, packages):
        self.root, self.state, self.packages = folder / "root", folder / "state", packages
        self.words = ["--rootfs", self.root]
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


class RpmDirectory:
    """A directory in which an AlmaLinux 8 seems to be installed, whose rpm has a Berkeley DB with
    headers as long as those of packages with thousands of files."""

    PAGE, HEADER = 4096, 100_000

    def __init__(self, folder, packages):
        self.root = folder / "rpm"
        self.words = ["--rootfs", self.root]
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/os-release").write_text('ID=almalinux\nVERSION_ID="8.10"\n')
        (self.root / "var/lib/rpm").mkdir(parents=True)
        with open(self.root / "var/lib/rpm/Packages", "wb") as file:
            self.write(file, packages)
            self.megabytes = file.tell() / 1e6

    def header(self, name):
        texts = {1000: name, 1001: "1.0", 1002: "1.el8", 1005: "x" * self.HEADER, 1022: "x86_64"}
        table, text = b"", b""
        for tag, value in texts.items():
            table += struct.pack(">4I", tag, 6, len(text), 1)
            text += value.encode() + b"\0"
        return struct.pack(">2I", len(texts), len(text)) + table + text

    def page(self, number, following, entries, used, kind, body):
        start = struct.pack("<8x3IHHBB", number, 0, following, entries, used, 0, kind)
        return (start + body).ljust(self.PAGE, b"\0")

    def write(self, file, packages):
        """A page of the hash for each package, and the chain of pages that it leads to."""
        room = self.PAGE - 26
        each = 1 + -(-len(self.header("package-0000")) // room)
        file.write(struct.pack("<12x3I8BI", 0x061561, 9, self.PAGE, 0, 8, *[0] * 6, packages * each)
                   .ljust(self.PAGE, b"\0"))
        for number in range(packages):
            blob, first = self.header(f"package-{number:04}"), 1 + number * each
            item, key = struct.pack("<B3x2I", 3, first + 1, len(blob)), struct.pack("<BI", 1, number + 1)
            offsets = struct.pack("<2H", self.PAGE - 5, self.PAGE - 17)
            file.write(self.page(first, 0, 2, 0, 13, offsets.ljust(room - 17, b"\0") + item + key))
            for i in range(1, each):
                part = blob[(i - 1) * room:i * room]
                file.write(self.page(first + i, first + i + 1 if i + 1 < each else 0, 1, len(part), 7, part))


class Machine:
    """This one, as it runs."""

    def __init__(self, folder):
        self.state, self.words = folder / "state", []

    @staticmethod
    def processes():
        """How many have a program that may be read: those of the kernel have none."""
        def has_program(process):
            try:
                return bool(os.readlink(process / "exe"))
            except OSError:
                return False
        return sum(map(has_program, pathlib.Path("/proc").glob("[0-9]*")))


class Agent:
    def __init__(self, program, host, way, server):
        token = server.admin("token", "create").strip()
        subprocess.run([program, "enrol", "--server", way.address(), "--ca", server.authority, "--token", token,
                        "--state", host.state, *host.words], check=True, stdout=subprocess.DEVNULL)
        self.way, self.log = way, host.state.with_name("log")
        with open(self.log, "wb") as log:
            words = [program, "run", "--state", host.state, *host.words]
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        self.files = pathlib.Path(f"/proc/{self.process.pid}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def milliseconds(self):
        """Processor time so far, of all threads."""
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in (self.files / "task").iterdir()) / 1e6

    def megabytes(self, name):
        for text in (self.files / "status").read_text().splitlines():
            if text.startswith(name + ":"):
                return int(text.split()[1]) / 1024
        raise SystemExit(f"no {name} of {self.files}")

    def wait_for_reports(self, number):
        deadline = time.monotonic() + 60
        while self.log.read_text().count("report ") < number:
            if time.monotonic() > deadline:
                raise SystemExit("the agent does not report:\n" + self.log.read_text())
            time.sleep(0.05)
        time.sleep(2)

    def milliseconds_of(self, act, times):
        """Of what the agent does after each act."""
        before = self.milliseconds()
        for _ in range(times):
            act()
            time.sleep(4)
        return (self.milliseconds() - before) / times

    def collect_now(self):
        self.process.send_signal(signal.SIGHUP)

    def used(self):
        return self.milliseconds(), self.way.sent

    def end(self):
        self.process.terminate()
        self.process.wait()


def collection_milliseconds(program, host, folder):
    """User and system time of whole processes, the median of five."""
    taken = []
    for _ in range(5):
        child = subprocess.Popen([program, "collect", "--once", *host.words, "--output", folder / "lines"],
                                 stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            raise SystemExit("collect --once failed")
        taken.append(1000 * (usage.ru_utime + usage.ru_stime))
    return sorted(taken)[2]


def collection_megabytes(program, host, folder):
    """Peak memory, by a small parent, since a child begins with the peak of the one it left."""
    words = [program, "collect", "--once", *host.words, "--output", folder / "lines"]
    said = subprocess.run(["/usr/bin/time", "-f", "%M", *words], check=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True).stderr
    packages = (folder / "lines").read_text().count('"k":"package"')
    return int(said.split()[-1]) / 1024, packages


def stripped_megabytes(program, folder):
    copy = shutil.copy(program, folder / "stripped")
    subprocess.run(["strip", copy], check=True)
    return os.path.getsize(copy) / 1e6


def measure(program, server, arguments):
    with contextlib.ExitStack() as stack:
        folders = [pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        directory, machine = Directory(folders[0], arguments.packages), Machine(folders[1])
        port = int(server.listen.rsplit(":", 1)[1])
        print(f"\n{program}")
        line("program, stripped", "5 MB", f"{stripped_megabytes(program, folders[0]):.2f} MB")
        rpm = RpmDirectory(folders[0], arguments.packages)
        peak, packages = collection_megabytes(program, rpm, folders[0])
        line(f"rpm's Berkeley DB of {rpm.megabytes:.0f} MB, {packages:,} packages: peak", "16 MB", f"{peak:.1f} MB",
             f"{collection_milliseconds(program, rpm, folders[0]):.1f} ms")
        agents = {}
        for host, folder, name in ((directory, folders[0], f"a directory, {arguments.packages:,} packages"),
                                   (machine, folders[1], f"this machine, {machine.processes()} processes")):
            line(f"{name}: full collection", "50 ms", f"{collection_milliseconds(program, host, folder):.1f} ms",
                 "a process of its own")
            agents[name] = agent = stack.enter_context(Agent(program, host, Forwarder(port), server))
            begin(name, agent)
            if host is directory:
                change(name, agent, host)
        watch(agents, arguments.seconds)


def begin(name, agent):
    agent.wait_for_reports(1)
    line(f"{name}: start, first report", "", f"{agent.milliseconds():.1f} ms")
    line(f"{name}: resident while it waits", "8 MB", f"{agent.megabytes('VmRSS'):.1f} MB")
    line(f"{name}: a look at everything", "", f"{agent.milliseconds_of(agent.collect_now, 5):.2f} ms", "by SIGHUP")


def change(name, agent, host):
    line(f"{name}: a look that finds nothing changed", "5 ms", f"{agent.milliseconds_of(host.look_in_vain, 5):.2f} ms")
    before, sent = agent.used()
    host.install("1.2.3-5")
    agent.wait_for_reports(2)
    line(f"{name}: one package upgraded: sent", "2 KB", f"{(agent.way.sent - sent) / 1000:.2f} KB",
         f"TLS counted; {agent.milliseconds() - before:.1f} ms")


def watch(agents, seconds):
    before = {name: agent.used() for name, agent in agents.items()}
    time.sleep(seconds)
    hour = 3600 / seconds
    for name, agent in agents.items():
        spent, sent = (now - then for now, then in zip(agent.used(), before[name]))
        line(f"{name}: an hour in which nothing changes", "100 ms", f"{spent * hour:.0f} ms",
             f"of {seconds} s; {sent * hour / 1000:.0f} KB sent")
        line(f"{name}: resident at its peak", "16 MB", f"{agent.megabytes('VmHWM'):.1f} MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("agents", nargs="*", type=pathlib.Path)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=FACTS_SECONDS)
    arguments = parser.parse_args()
    if arguments.seconds < FACTS_SECONDS or arguments.seconds % FACTS_SECONDS != 0:
        parser.error(f"--seconds: {FACTS_SECONDS} or a multiple")
    build = arguments.build.resolve()
    line("", "limit", "figure", f"load before: {os.getloadavg()[0]:.1f}")
    with running_server(build) as server:
        for program in arguments.agents or [build / "tenken-agent"]:
            measure(program.resolve(), server, arguments)


main()
