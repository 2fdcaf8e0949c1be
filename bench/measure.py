#!/usr/bin/env python3
"""Measures the release build on the shared test data; called by bench/run."""
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import zipfile

RUNS = 15
LANGUAGES = {"PyPI": "pypi", "Go": "golang", "npm": "npm", "Maven": "maven", "RubyGems": "gem",
             "Packagist": "composer", "crates.io": "cargo"}

build, data = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
tenken = str(build / "tenken")


def seconds_of(command):
    """user+sys of a process whose output is thrown away."""
    with open(os.devnull, "w") as null:
        child = subprocess.Popen([str(c) for c in command], stdout=null, stderr=null)
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {command}")
    return usage.ru_utime + usage.ru_stime


def memory_of(command):
    """Peak RSS in MB; by a small parent, since a child begins with the peak of the one it left."""
    said = subprocess.run(["/usr/bin/time", "-f", "%M", *[str(c) for c in command]], check=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return int(said.split()[-1]) / 1024


def median(command, runs=RUNS):
    return (statistics.median(seconds_of(command) for _ in range(runs)),
            statistics.median(memory_of(command) for _ in range(3)))


def line(what, seconds, memory, limit="", extra=""):
    print(f"{what:<58} {seconds * 1000:>9.1f} ms {memory:>7.1f} MB  {limit:<14} {extra}")


def versions_of(record):
    for affected in record.get("affected", []):
        package = affected.get("package", {})
        known = list(affected.get("versions") or [])
        for a_range in affected.get("ranges", []):
            if a_range.get("type") == "GIT":
                continue
            known += [v for event in a_range.get("events", []) for v in event.values() if v != "0"]
        for version in known:
            yield package.get("ecosystem"), package.get("name"), version


def component(ecosystem, name, version):
    kind = LANGUAGES[ecosystem]
    path = name.replace(":", "/") if kind == "maven" else name.replace("@", "%40")
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:{kind}/{path}@{version}"}


def write_sbom(path, count):
    """Real package versions drawn from the OSV archives, the same ones every time."""
    found = set()
    for ecosystem in LANGUAGES:
        with zipfile.ZipFile(data / "feeds/osv" / ecosystem / "all.zip") as archive:
            for name in archive.namelist():
                found.update(v for v in versions_of(json.loads(archive.read(name))) if v[0] == ecosystem)
    chosen = random.Random(5000).sample(sorted(v for v in found if all(v) and " " not in v[2]), count)
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
                "components": [component(*v) for v in chosen]}
    path.write_text(json.dumps(document))


def model():
    for text in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            return text.split(":", 1)[1].strip()
    return platform.machine()


def measure_build(scratch):
    database = scratch / "osv.db"
    archives = sorted((data / "feeds/osv").glob("*/all.zip"))
    records, size = 0, 0
    for archive in archives:
        with zipfile.ZipFile(archive) as members:
            records += len(members.namelist())
            size += sum(m.file_size for m in members.infolist())
    seconds, memory = median([tenken, "db", "build", "--from", data / "feeds/osv", "--out", database], 5)
    # The limit: inflating and parsing the same archives and doing nothing with the values.
    floor, _ = median([build / "bench/bench_feeds", *archives], 5)
    line(f"database of {records} OSV records, {size / 1e6:.0f} MB of JSON", seconds, memory, "< 400 MB",
         f"{size / 1e6 / seconds:.0f} MB/s, {records / seconds:.0f} records/s, file {database.stat().st_size / 1e6:.0f} MB, "
         f"{seconds / floor:.1f} x inflating and parsing alone ({size / 1e6 / floor:.0f} MB/s)")
    return database


def main():
    print(f"{model()}, {os.cpu_count()} cores; processor time and peak memory of cold processes, medians of {RUNS}")
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        start, memory = median([tenken, "--version"])
        line("tenken --version (the limit of every cold run)", start, memory)
        measure_build(scratch)
        database = scratch / "all.db"
        seconds_of([tenken, "db", "build", "--from", data / "feeds", "--out", database])
        for root, limit in (("dpkg/debian-bookworm-server", "5 ms, 20 MB"), ("dpkg/debian-bullseye-aged", ""),
                            ("rpm/alma9", ""), ("rpm/alma9-bulk", "30 ms, 40 MB"), ("apk/alpine-3.11-aged", "")):
            for kind in ("table", "json"):
                seconds, memory = median([tenken, "scan", "--db", database, "--rootfs", data / "inventories" / root,
                                          "--format", kind])
                line(f"scan --rootfs {root} --format {kind}", seconds, memory, limit, f"{seconds / start:.1f} x the start")
        for count in (250, 5000):
            sbom = scratch / f"{count}.json"
            write_sbom(sbom, count)
            seconds, memory = median([tenken, "scan", "--db", database, "--sbom", sbom, "--format", "json"], 7)
            line(f"scan --sbom of {count} packages --format json", seconds, memory, "200 ms, 150 MB" if count == 5000 else "")
            if count == 5000:
                seconds, memory = median([tenken, "sbom", "--sbom", sbom, "--output", scratch / "out.json"], 7)
                line("reading and writing that SBOM alone", seconds, memory)
        for program, environment in (("bench_version", {}), ("bench_database", {"TENKEN_BENCH_DB": str(database)})):
            print()
            sys.stdout.flush()
            subprocess.run([str(build / "bench" / program), "--benchmark_min_time=0.2"], check=True,
                           stderr=subprocess.DEVNULL, env={**os.environ, **environment})
        print()
        sys.stdout.flush()
        subprocess.run([str(build / "bench" / "bench_report")], check=True)


main()
