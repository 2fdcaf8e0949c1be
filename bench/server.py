#!/usr/bin/env python3
"""Measures `tenken serve` under load and its store; called by bench/run.

server.py BUILD [--large]     --large: also 100,000 hosts and 5,000,000 findings (half an hour)
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HOSTS, REQUESTS, CONNECTIONS = 2_000, 50_000, 64
LIMITS = {"ingest": "500/s", "unchanged": "5,000/s", "small": "5,000/s"}
TITLES = {"ingest": "PUT inventory of 500 packages", "unchanged": "inventory unchanged, by digest",
          "small": "signed GET /v1/database"}
# What bench_fleet prints.
FLEET = r"(?s)store: (\d+) inv.*evaluation: (\d+) hosts.*matching (\d+) .*?: ([\d.]+) ms.*written: ([\d.]+) s"

build = pathlib.Path(sys.argv[1]).resolve()
large = "--large" in sys.argv[2:]
tenken = str(build / "tenken")


def line(what, limit, figure, extra=""):
    print(f"{what:<46} {limit:<9} {figure:>12}  {extra}", flush=True)


def write_advisories(folder):
    """The 500 of bench_fleet, on the names of its hosts."""
    folder.mkdir()
    for i in range(500):
        fixed = {"introduced": "0"}, {"fixed": f"1.{5 + i % 10}-1"}
        package = {"ecosystem": "Debian:12", "name": f"package-{i * 7 % 2000}"}
        record = {"id": f"DSA-{1000 + i}-1", "modified": "2026-01-01T00:00:00Z",
                  "upstream": [f"CVE-2026-{1000 + i}"],
                  "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": fixed}]}]}
        (folder / f"{record['id']}.json").write_text(json.dumps(record))


def own_memory(pid, advisories):
    """RSS in MB without the pages of the mapped advisory file."""
    kilobytes, counts = 0, True
    for text in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", text):
            counts = not text.endswith(advisories.name)
        elif text.startswith("Rss:") and counts:
            kilobytes += int(text.split()[1])
    return kilobytes / 1024


def load(server, url, data, key, modes):
    """Results of bench_load by name."""
    command = [build / "bench/bench_load", url, data / "tls/ca.pem", server.pid, HOSTS, REQUESTS, CONNECTIONS]
    printed = subprocess.run([*map(str, command), *modes], check=True, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, **key}).stdout
    return {one["name"]: one for one in map(json.loads, printed.splitlines())}


def measure_server(scratch):
    advisories, data = scratch / "advisories.db", scratch / "data"
    write_advisories(scratch / "feed")
    quiet = {"check": True, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    subprocess.run([tenken, "db", "build", "--from", scratch / "feed", "--out", advisories], **quiet)
    exports = subprocess.run([tenken, "admin", "key", "create", "--data", data, "--account", "111122223333",
                              "--user", "bench", "--role", "admin"], **quiet).stdout
    key = dict(text.removeprefix("export ").split("=", 1) for text in exports.splitlines())
    server = subprocess.Popen([tenken, "serve", "--data", data, "--db", advisories, "--listen", "127.0.0.1:0",
                               "--no-update", "--log", scratch / "log"], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[1]
        time.sleep(3)
        fresh = own_memory(server.pid, advisories)
        found = load(server, url, data, key, LIMITS)
        time.sleep(30)
        idle = own_memory(server.pid, advisories)
    finally:
        server.terminate()
        server.wait()
    for name, limit in LIMITS.items():
        one, floor = found[name], found[name + ", floor"]
        line(TITLES[name], limit, f"{one['per_second']:,}/s",
             f"p50 {one['p50_ms']:.1f} ms, p99 {one['p99_ms']:.1f} ms; processor time of the server "
             f"{one['server_us']:.0f} µs, {one['server_us'] / floor['server_us']:.1f} x /healthz "
             f"({floor['server_us']:.0f} µs, {floor['per_second']:,}/s); of the client {one['client_us']:.0f} µs")
        if name == "ingest":
            line(f"  until all {HOSTS:,} are evaluated", "", f"{found['evaluated']['seconds']:.1f} s")
    line("memory, freshly started", "60 MB", f"{fresh:.0f} MB", "the advisory file not counted")
    line(f"memory, 30 s after {HOSTS + 2 * REQUESTS:,} requests", "60 MB", f"{idle:.0f} MB")


def measure_fleet(hosts):
    printed = subprocess.run([build / "bench/bench_fleet", str(hosts)], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
    ingest, evaluation, versions, matching, written = re.search(FLEET, printed).groups()
    line(f"new advisory on {hosts:,} hosts: matching", "50 ms", f"{matching} ms", f"{versions} package versions")
    line("  findings written", "5 s", f"{written} s",
         f"store alone: {ingest} inventories/s, first evaluation {evaluation} hosts/s")


def main():
    print(f"\n{os.cpu_count()} cores for server and client; {CONNECTIONS} TLS connections; "
          f"load before: {os.getloadavg()[0]:.1f}")
    line("", "limit", "figure")
    with tempfile.TemporaryDirectory() as folder:
        measure_server(pathlib.Path(folder))
    for hosts in (1_000, 10_000, *((100_000,) if large else ())):
        measure_fleet(hosts)
    findings = "5000000" if large else "500000"
    for program, words in (("bench_findings", [findings]), ("bench_aggregations", [findings]),
                           ("bench_signature", ["--benchmark_min_time=0.2"])):
        print(f"\n{program}", flush=True)
        subprocess.run([build / "bench" / program, *words], check=True, stderr=subprocess.DEVNULL)


main()
