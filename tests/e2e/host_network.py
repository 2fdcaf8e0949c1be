"""A network of the test's own: a bridge, and behind it namespaces with an address each. Hosts there
have their own processes, mounts and name too, and a root directory above one of host_trees.

All of it is inside namespaces that run_inside() makes: they end with the program, however it ends,
and nothing of them is left on the machine.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import support
from server import PR_SET_PDEATHSIG, wait_for

LIBC = ctypes.CDLL(None)
INSIDE = "TENKEN_E2E_INSIDE"
BRIDGE = "br0"
PREFIX = "10.77.0."  # of the test's own namespaces alone
HERE = 254
NEEDED = ("unshare", "nsenter", "ip")
UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# $1 the root, $2 the host's name, $3 what process 1 is.
BOOT = r"""
set -eu
root=$1
hostname "$2"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"   # the machine's own
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for one in null zero full random urandom tty; do
  : >"$root/dev/$one"
  mount --bind "/dev/$one" "$root/dev/$one"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/.old"
ln -s /proc/self/fd "$root/dev/fd"
[ "$3" != systemd ] || mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
cd "$root"
pivot_root . .old
umount -l /.old
rmdir /.old
case $3 in
  systemd) exec env -i container=test /sbin/init </dev/null ;;
  *) exec env -i sh -c ': >/run/booted; while :; do sleep 3600 & wait; done' </dev/null ;;
esac
"""

TRIAL = f"""
ip link add {BRIDGE} type bridge
ip link add v1 type veth peer name v2
cd "$1" && mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
"""


def why_not():
    """What stands against namespaces on this machine, or None."""
    for name in NEEDED:
        if not shutil.which(name):
            return f"{name} is needed: tools/setup.sh test"
    if os.geteuid() != 0:
        return "namespaces are made by root"
    with tempfile.TemporaryDirectory(prefix="tenken-e2e-") as directory:
        tried = subprocess.run(
            [*UNSHARE, "sh", "-ec", TRIAL, "trial", directory], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
    if tried.returncode != 0:
        return f"no namespaces as the test's can be made here: {tried.stderr.strip()}"
    return None


def end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def inside():
    return INSIDE in os.environ


def run_inside():
    """Runs this program again inside namespaces of its own; its exit code."""
    cgroup = ControlGroup.make()
    environment = dict(os.environ)
    environment[INSIDE] = str(cgroup.path) if cgroup else ""
    try:
        return subprocess.run(
            [*UNSHARE, sys.executable, *sys.argv], env=environment, check=False,
            preexec_fn=end_with_parent,
        ).returncode  # fmt: skip
    finally:
        if cgroup:
            cgroup.remove()


class ControlGroup:
    """One for the hosts with systemd, which divides it further."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    @classmethod
    def make(cls):
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, place, kind, *_ = line.split()
            if kind != "cgroup2" or not os.access(place, os.W_OK):
                continue
            for left in pathlib.Path(place).glob("tenken-e2e-*"):  # of a program that was killed
                if not pathlib.Path("/proc", left.name.rpartition("-")[2]).exists():
                    cls(left).remove()
            try:
                path = pathlib.Path(place) / f"tenken-e2e-{os.getpid()}"
                path.mkdir()
                return cls(path)
            except OSError:
                continue
        return None

    @classmethod
    def possible(cls):
        made = cls.make()
        if made:
            made.remove()
        return made is not None

    def remove(self):
        for folder, _, _ in os.walk(self.path, topdown=False):
            try:
                wait_for(lambda: not (pathlib.Path(folder) / "cgroup.procs").read_text(), 5)
                os.rmdir(folder)
            except (OSError, AssertionError) as error:
                print(f"control group {folder}: {error}", file=sys.stderr)


def ip(*words, of=None):
    """of: the process whose network it is, otherwise the test's."""
    words = ["ip", *map(str, words)]
    if of is not None:
        words = ["nsenter", f"--net=/proc/{of}/ns/net", *words]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, f"{words}: {done.stderr}"


class Network:
    def __init__(self):
        self.members = 0
        ip("link", "set", "lo", "up")
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{PREFIX}{HERE}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")

    def join(self, process):
        """Gives the process's namespace an address: (address, the link's name on this side)."""
        self.members += 1
        link, address = f"v{self.members}", f"{PREFIX}{self.members}"
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", process)
        ip("link", "set", link, "master", BRIDGE, "up")
        ip("addr", "add", f"{address}/24", "dev", "eth0", of=process)
        for own in ("lo", "eth0"):
            ip("link", "set", own, "up", of=process)
        return address, link


class Member:
    """A network namespace with nothing else of its own, for the server. within: the words that a
    command is run with there."""

    def __init__(self, network):
        self.process = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"], preexec_fn=end_with_parent
        )
        pid = self.process.pid
        ours = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{pid}/ns/net") != ours, 10, "a namespace")
        self.address, self.link = network.join(pid)
        self.within = ("nsenter", f"--net=/proc/{pid}/ns/net")

    def close(self):
        self.process.kill()
        self.process.wait()


class Machine:
    """A host in its namespaces. init: "systemd", or "none": a process 1 that starts nothing.
    files: path -> text, there before it starts."""

    def __init__(self, network, directory, tree, name, init, files):
        self.directory = directory
        self.init = init
        # Mounted here first: programs of this side that resolve names see through it too.
        self.root = directory / "root"
        for folder in ("upper", "work", "root"):
            (directory / folder).mkdir()
        layers = f"lowerdir={tree},upperdir={directory}/upper,workdir={directory}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], check=True)
        for path, text in {**files, "etc/hostname": name + "\n"}.items():
            support.write(self.root / path, text)
        words = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child",
                 "--propagation", "private"]  # fmt: skip
        words += ["--cgroup"] if init == "systemd" else []
        with open(directory / "boot.log", "wb") as log:
            self.process = subprocess.Popen(
                [*words, "sh", "-c", BOOT, "boot", self.root, name, init],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: self.prepare(name),
            )  # fmt: skip
        self.pid = wait_for(self.first_process, 10, "the first process of " + name)
        self.address, self.link = network.join(self.pid)
        self.wait_until_booted()

    def prepare(self, name):
        end_with_parent()
        if self.init == "systemd":
            group = pathlib.Path(os.environ[INSIDE]) / name
            group.mkdir()
            (group / "cgroup.procs").write_text("0")

    def first_process(self):
        assert self.process.poll() is None, self.boot_log()
        parent = self.process.pid
        children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return int(children[0]) if children else None

    def wait_until_booted(self):
        file = "run/systemd/system" if self.init == "systemd" else "run/booted"

        def booted():
            assert self.process.poll() is None, self.boot_log()
            root = pathlib.Path(f"/proc/{self.pid}/root")
            moved = os.path.samestat(os.stat(root), os.stat(self.root))
            return moved and (root / file).exists()

        wait_for(booted, 30, "a host")
        if self.init == "systemd":
            wait_for(lambda: self.run("systemctl is-system-running --wait || true").stdout.strip()
                     in ("running", "degraded"), 60, "systemd")  # fmt: skip

    def boot_log(self):
        return (self.directory / "boot.log").read_text(errors="replace")

    def run(self, script, stdin=""):
        """The script in a shell of the host's."""
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid",
             "env", "-i", "HOME=/root", f"PATH={PATH}", "DEBIAN_FRONTEND=noninteractive",
             "sh", "-c", script],
            input=stdin, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def connect(self, up):
        ip("link", "set", self.link, "up" if up else "down")

    def close(self):
        self.process.kill()
        self.process.wait()
        subprocess.run(["umount", "--lazy", self.root], check=False)
