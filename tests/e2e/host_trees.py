"""Root directories of Debian releases, as hosts of tests: made by debootstrap once, kept in
build/trees, and never written to. The archive is the one that this machine's apt installs from.
"""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import support

TREES = pathlib.Path(os.environ.get("TENKEN_PACKAGE_BUILD", support.SOURCE / "build")) / "trees"
SECONDS = 600  # for one tree
# What a tree has beside the essential packages and apt.
PACKAGES = {
    "bullseye": ("ca-certificates", "curl"),
    "bookworm": ("ca-certificates", "curl"),
    "trixie": ("ca-certificates", "curl", "systemd-sysv"),
}


class Missing(Exception):
    """Why there is no such tree here."""


def archive():
    """The URL of the Debian archive in apt's configuration."""
    if not shutil.which("apt-get"):
        raise Missing("there is no apt, which would know an archive")
    said = subprocess.run(
        ["apt-get", "--print-uris", "update"], capture_output=True, text=True, check=False
    ).stdout
    releases = "|".join(PACKAGES)
    found = re.search(rf"^'(\S+)/dists/(?:{releases})/(?:In)?Release(?:\.xz)?'", said, re.MULTILINE)
    if not found:
        raise Missing("apt is configured with no archive of Debian")
    return found[1]


def proxy():
    """apt's proxy as debootstrap's download program understands it."""
    said = subprocess.run(
        ["apt-config", "shell", "PROXY", "Acquire::http::Proxy"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    found = re.fullmatch(r"PROXY='(.+)'\n", said)
    return {"http_proxy": found[1]} if found else {}


def tree(release):
    """The release's tree, which is made where it is missing; Missing where that cannot be."""
    directory = TREES / release
    stamp = TREES / f"{release}.packages"
    wanted = ",".join(PACKAGES[release])
    TREES.mkdir(parents=True, exist_ok=True)
    with open(TREES / f"{release}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory.exists() and stamp.exists() and stamp.read_text() == wanted):
            shutil.rmtree(directory, ignore_errors=True)
            make(release, wanted, directory)
            stamp.write_text(wanted)
    return directory


def make(release, packages, directory):
    if os.geteuid() != 0:
        raise Missing("debootstrap needs root")
    if not shutil.which("debootstrap"):
        raise Missing("debootstrap is needed: tools/setup.sh test")
    words = ["debootstrap", "--variant=minbase", f"--include={packages}", release]
    making = tempfile.mkdtemp(dir=directory.parent)
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, making, True)
        try:
            made = subprocess.run(
                [*words, making, archive()], capture_output=True, text=True, check=False,
                timeout=SECONDS, env={**os.environ, **proxy()}, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Missing(f"debootstrap of {release} was not done within {SECONDS} s") from None
        if made.returncode != 0:
            last = (made.stdout + made.stderr).strip().rpartition("\n")[2]
            raise Missing(f"debootstrap of {release} has failed: {last}")
        os.chmod(making, 0o755)
        os.rename(making, directory)
        undo.pop_all()
