"""The four hosts of agent_namespaces_test.py, each as a machine in namespaces and as a directory: the
same things happen to both.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import agent_hosts
import host_network
import host_packages
import support

NAME = "server.tenken.test"  # of the server, to hosts in namespaces

ALMA = 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
DEBIAN = 'ID=debian\nVERSION_ID="{}"\nVERSION_CODENAME={}\n'


class Kind:
    """One of the four hosts."""

    def __init__(self, name, release, version=None, init="none"):
        self.name = name
        self.release = release  # whose tree it has
        self.rpm = version is None
        self.init = init
        self.ecosystem = "AlmaLinux:9" if self.rpm else f"Debian:{version}"
        self.os_release = ALMA if self.rpm else DEBIAN.format(version, release)


KINDS = (
    Kind("bullseye", "bullseye", "11"), Kind("bookworm", "bookworm", "12"),
    Kind("trixie", "trixie", "13", "systemd"), Kind("alma", "bookworm"),
)  # fmt: skip

# What others write while a test goes on: package managers, the system, the test's own packages.
NOT_OURS = re.compile(
    "(etc/apt|run|srv|tmp|var/(cache|log|lib/(apt|dpkg|rpm|systemd)))/|.*(keyring|libdemo|libother)"
)


def files_below(top):
    """All that is not a directory, and the agent's directories, without what others write."""
    found = set()
    for folder, folders, names in os.walk(top):
        names += [name for name in folders if "tenken" in name]
        found |= {os.path.relpath(os.path.join(folder, name), top) for name in names}
    return {path for path in found if not NOT_OURS.match(path)}


def checked(done):
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Host:
    """What both kinds have."""

    def reports_made(self):
        return len(re.findall(r"\breport \d+:", self.log()))


class NamespaceHost(Host):
    """A machine of host_network. Its packages come by apt-get of a repository, or by rpm."""

    def __init__(self, kind, directory, network, tree, number):
        self.kind = kind
        self.directory = directory
        files = {
            "etc/machine-id": f"{number:032x}\n",
            "etc/apt/sources.list": "deb [trusted=yes] file:/srv/packages ./\n",
        }
        self.machine = host_network.Machine(network, directory, tree, kind.name, kind.init, files)
        self.root = self.machine.root
        self.base = None
        if kind.rpm:
            checked(self.machine.run("rm -r /var/lib/dpkg /etc/os-release"))
            self.write("etc/os-release", kind.os_release)
            self.base = ("keyring", "1.0-1")
            self.install(*self.base)
        else:
            self.base = ("debian-archive-keyring", self.version("debian-archive-keyring"))

    def write(self, path, text):
        support.write(self.root / path, text)

    def install(self, name, version):
        if self.kind.rpm:
            file = host_packages.rpm(self.directory, name, version)
            rpm = ["rpm", "--root", self.root, "--dbpath", "/var/lib/rpm", "--nodeps", "-U", file]
            checked(subprocess.run(rpm, capture_output=True, text=True, check=False))
            return
        file = host_packages.deb(self.directory, name, version)
        host_packages.add_to_repository(self.root / "srv/packages", file)
        checked(self.machine.run(
            f"apt-get -q update; if dpkg -s {name}; then apt-get -q -y upgrade\n"
            f"else apt-get -q -y install {name}; fi"
        ))  # fmt: skip
        assert self.version(name) == version, self.version(name)

    def version(self, name):
        return self.machine.run(f"dpkg-query -W -f '${{Version}}' {name}").stdout

    def join(self, running, line, token):
        self.write("etc/hosts", f"127.0.0.1 localhost\n{running.address} {NAME}\n")
        self.before = self.files()
        return checked(self.machine.run("cd /root && " + line.replace("sudo ", ""), token))

    def begin(self):
        """What has installed the agent has started it."""

    def server_url(self, running):
        return f"https://{NAME}:{running.port}"

    def cut(self):
        self.machine.connect(False)

    def heal(self):
        self.machine.connect(True)

    def log(self):
        if self.kind.init == "systemd":
            return self.machine.run("journalctl -o cat -u tenken-agent").stdout
        file = self.root / "var/lib/tenken-agent/log"
        return file.read_text(errors="replace") if file.exists() else ""

    def files(self):
        return files_below(self.directory / "upper")  # what differs from the tree

    def starter(self):
        """What has started the agent, in the host's own words."""
        if self.kind.init == "systemd":
            return self.machine.run("systemctl show -p MainPID,ActiveState tenken-agent").stdout
        return self.machine.run("/etc/init.d/tenken-agent status").stdout

    def uninstall(self):
        checked(self.machine.run("cd /root && sh install --uninstall && rm install"))

    def processes(self):
        """The agents that run there."""
        listed = self.machine.run("for one in /proc/[0-9]*; do readlink $one/exe; done")
        return [line for line in listed.stdout.splitlines() if "tenken-agent" in line]

    def close(self):
        self.machine.close()


class Relay:
    """Between a plain host and the server, so that the network of one host can be cut."""

    def __init__(self, address, port):
        self.target = (address, port)
        self.up = True
        self.open = set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        with near:
            if not self.up:
                return
            with socket.create_connection(self.target) as far:
                pair = {near, far}
                self.open |= pair
                back = threading.Thread(target=self.pass_on, args=(far, near), daemon=True)
                back.start()
                self.pass_on(near, far)
                back.join()
                self.open -= pair

    def pass_on(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        self.end(source, sink)

    def end(self, *sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # has ended already

    def cut(self):
        self.up = False
        self.end(*list(self.open))

    def heal(self):
        self.up = True

    def close(self):
        self.end(self.socket)
        self.socket.close()
        self.cut()


class PlainHost(Host):
    """The same host as a directory: packages by the real package managers without their scripts,
    the agent a process of the test's."""

    def __init__(self, kind, directory, number):
        self.kind = kind
        self.directory = directory
        self.host = agent_hosts.Host(directory, f"{number:032x}", {})
        self.root = self.host.root
        self.host.state = self.root / "var/lib/tenken-agent"
        support.write(self.root / "etc/os-release", kind.os_release)
        for folder in ("info", "updates", "triggers"):
            (self.root / "var/lib/dpkg" / folder).mkdir()
        if kind.rpm:
            shutil.rmtree(self.root / "var/lib/dpkg")
            (self.root / "var/lib/rpm").mkdir()
        self.base = ("keyring", "1.0-1")
        self.relay = None
        self.install(*self.base)

    def install(self, name, version):
        make = host_packages.rpm if self.kind.rpm else host_packages.deb
        file = make(self.directory, name, version)
        words = ["dpkg", f"--root={self.root}", "--force-not-root", "--force-script-chrootless",
                 f"--log={self.directory}/dpkg.log", "-i", file]  # fmt: skip
        if self.kind.rpm:
            words = ["rpm", "--dbpath", self.root / "var/lib/rpm", "--justdb", "--nodeps"]
            words += ["-U", file]
        checked(subprocess.run(words, capture_output=True, text=True, check=False,
                               env=dict(os.environ, PATH=host_network.PATH)))  # fmt: skip

    def server_url(self, running):
        self.relay = self.relay or Relay(running.address, running.port)
        return f"https://127.0.0.1:{self.relay.port}"

    def join(self, _running, line, token):
        self.before = self.files()
        line = line.replace("sudo sh install", f"sh install --rootfs {self.root} --init none")
        return checked(self.shell(line, token))

    def begin(self):
        self.host.start()

    def shell(self, line, stdin=""):
        return subprocess.run(
            ["sh", "-c", line], cwd=self.directory, input=stdin, capture_output=True, text=True,
            check=False, env=support.environment(), timeout=120,
        )  # fmt: skip

    def cut(self):
        self.relay.cut()

    def heal(self):
        self.relay.heal()

    def log(self):
        return self.host.log()

    def files(self):
        return files_below(self.root)

    def starter(self):
        return f"tenken-agent runs: process {self.host.process.pid}"

    def uninstall(self):
        self.host.stop()
        checked(self.shell(f"sh install --rootfs {self.root} --init none --uninstall"))

    def processes(self):
        return [] if self.host.process is None else ["tenken-agent"]

    def close(self):
        self.host.stop(signal.SIGKILL)
        if self.relay:
            self.relay.close()
