#!/usr/bin/env python3
"""Measures `tenken serve` under load and its store; called by bench/run.

server.py BUILD [--part serve|agents] [--large|--small] [--agents N] [--seconds N]
  --large: also 100,000 hosts and 5,000,000 findings (half an hour)
  --small: a little of everything, whose figures say nothing: for the test that all of it runs
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import time

from running import line, running_server

LIMITS = {"ingest": "500/s", "unchanged": "5,000/s", "small": "5,000/s"}
TITLES = {"ingest": "PUT inventory of 500 packages", "unchanged": "inventory unchanged, by digest",
          "small": "signed GET /v1/database"}
# What bench_fleet prints.
FLEET = r"(?s)store: (\d+) inv.*evaluation: (\d+) hosts.*matching (\d+) .*?: ([\d.]+) ms.*written: ([\d.]+) s"

def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--part", choices=("serve", "agents"))
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=180, help="of agents that report changes")
    return parser.parse_args()


arguments = read_arguments()
build = arguments.build.resolve()
large, small = arguments.large, arguments.small
HOSTS, REQUESTS, CONNECTIONS = (50, 200, 4) if small else (2_000, 50_000, 64)
FLEETS = (50,) if small else (1_000, 10_000, 100_000) if large else (1_000, 10_000)
FINDINGS = 5_000 if small else 5_000_000 if large else 500_000
if small:
    arguments.agents, arguments.seconds = 20, 5


def own_memory(pid, advisories):
    """RSS in MB without the pages of the mapped advisory file."""
    kilobytes, counts = 0, True
    for text in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", text):
            counts = not text.endswith(advisories.name)
        elif text.startswith("Rss:") and counts:
            kilobytes += int(text.split()[1])
    return kilobytes / 1024


def load(server, modes):
    """Results of bench_load by name."""
    command = [build / "bench/bench_load", server.url, server.authority, server.process.pid, HOSTS, REQUESTS,
               CONNECTIONS]
    printed = subprocess.run([*map(str, command), *modes], check=True, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, **server.key}).stdout
    return {one["name"]: one for one in map(json.loads, printed.splitlines())}


def measure_server():
    with running_server(build) as server:
        time.sleep(0 if small else 3)
        fresh = own_memory(server.process.pid, server.advisories)
        found = load(server, LIMITS)
        time.sleep(0 if small else 30)
        idle = own_memory(server.process.pid, server.advisories)
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


def simulate_agents(server, token):
    """Results of bench_agents by name. The server is killed in the middle, and another takes its place."""
    command = [build / "bench/bench_agents", server.url, server.authority, server.process.pid, arguments.agents,
               arguments.seconds, "restart"]
    agents = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, **server.key, "TENKEN_TOKEN": token})
    found = {}
    for text in agents.stdout:
        if text == "restart\n":
            server.process.kill()
            server.process.wait()
            server.start()
            print(server.process.pid, file=agents.stdin, flush=True)
        else:
            one = json.loads(text)
            found[one["name"]] = one
    if agents.wait() != 0:
        raise SystemExit(f"bench_agents ended with {agents.returncode}")
    return found


def measure_agents():
    with running_server(build) as server:
        found = simulate_agents(server, server.admin("token", "create", "--uses", str(arguments.agents)).strip())
    enrol, first, steady, restart = (found[name] for name in ("enrol", "report", "steady", "restart"))
    changes, count = steady["changes"], f"{steady['agents']:,}"
    line(f"{count} agents: enrolled", "", f"{enrol['per_second']:,}/s",
         f"processor time of the server {1e3 * enrol['server_seconds'] / enrol['count']:.1f} ms each")
    line("  first reports of 501 packages", "", f"{first['per_second']:,}/s",
         f"with a TLS connection each; server {1e3 * first['server_seconds'] / first['count']:.1f} ms each, "
         f"all evaluated after {found['evaluated']['seconds']:.1f} s")
    line(f"  from a report to its finding, {steady['seconds']} s", "p99 1 s", f"{steady['p99_ms']:,} ms",
         f"p50 {steady['p50_ms']} ms, longest {steady['max_ms']} ms of {changes} changes; "
         f"{steady['polls']:,} heartbeats, {steady['refused']} refused, {steady['cut']} cut")
    line("  the server's memory", "1,024 MB", f"{steady['rss_mb']:,} MB", "the advisory file counted")
    line("  the server's processor time", "2 cores", f"{steady['server_cores']:.2f}",
         f"agents {steady['client_cores']:.2f}")
    line("  all back after the server was killed", "", f"{restart['back_seconds']:.1f} s",
         f"{restart['refused']} refused, {restart['cut']} cut; {restart['changes']} changes meanwhile, "
         f"{restart['lost']} lost, seen after {restart['max_ms'] / 1e3:.1f} s at most; "
         f"memory {restart['rss_mb']:,} MB")


def measure_store():
    for hosts in FLEETS:
        measure_fleet(hosts)
    for program, words in (("bench_findings", [str(FINDINGS)]), ("bench_aggregations", [str(FINDINGS)]),
                           ("bench_signature", ["--benchmark_min_time=0.01" if small else "--benchmark_min_time=0.2"])):
        print(f"\n{program}", flush=True)
        subprocess.run([build / "bench" / program, *words], check=True, stderr=subprocess.DEVNULL)


def main():
    print(f"\n{os.cpu_count()} cores for server and client; {CONNECTIONS} TLS connections; "
          f"load before: {os.getloadavg()[0]:.1f}")
    line("", "limit", "figure")
    if arguments.part != "agents":
        measure_server()
    if arguments.part != "serve":
        measure_agents()
    if arguments.part != "agents":
        measure_store()


main()
