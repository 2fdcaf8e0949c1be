"""A `tenken serve` of a release build with advisories of its own, for the benchmarks."""
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

ACCOUNT = "111122223333"
QUIET = {"check": True, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}


def line(what, limit, figure, extra=""):
    print(f"{what:<64} {limit:<9} {figure:>12}  {extra}", flush=True)


def write_advisory(folder, number, package, fixed):
    events = {"introduced": "0"}, {"fixed": fixed}
    package = {"ecosystem": "Debian:12", "name": package}
    record = {"id": f"DSA-{number}-1", "modified": "2026-01-01T00:00:00Z", "upstream": [f"CVE-2026-{number}"],
              "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]}
    (folder / f"{record['id']}.json").write_text(json.dumps(record))


def write_advisories(folder):
    """The 500 of bench_fleet, on the names of its hosts, and that of bench_agents."""
    folder.mkdir()
    for i in range(500):
        write_advisory(folder, 1000 + i, f"package-{i * 7 % 2000}", f"1.{5 + i % 10}-1")
    write_advisory(folder, 9999, "bench-agent", "2.0-1")


class Server:
    """A server with the advisories of write_advisories, until the end of the `with`."""

    def __init__(self, build, scratch):
        self.tenken = build / "tenken"
        self.scratch, self.data = scratch, scratch / "data"
        self.advisories = scratch / "advisories.db"
        self.listen = "127.0.0.1:0"
        write_advisories(scratch / "feed")
        subprocess.run([self.tenken, "db", "build", "--from", scratch / "feed", "--out", self.advisories], **QUIET)
        self.start()
        exports = self.admin("key", "create", "--user", "bench", "--role", "admin")
        self.key = dict(text.removeprefix("export ").split("=", 1) for text in exports.splitlines())

    def admin(self, what, do, *words):
        words = [self.tenken, "admin", what, do, "--data", self.data, "--account", ACCOUNT, *words]
        return subprocess.run(words, **QUIET).stdout

    def start(self):
        self.process = subprocess.Popen(
            [self.tenken, "serve", "--data", self.data, "--db", self.advisories, "--listen", self.listen,
             "--no-update", "--log", self.scratch / "log"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[1]
        self.listen = self.url.removeprefix("https://")
        self.authority = self.data / "tls/ca.pem"

    def end(self):
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def running_server(build):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(build, pathlib.Path(folder))
        try:
            yield server
        finally:
            server.end()
