"""An SSH server of a test's own: the machine's sshd on a free port of the loopback, with a host key
and a user key made for it."""
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ["PATH"])
USER = getpass.getuser()


def need():
    if SSHD is None or shutil.which("ssh") is None:
        raise unittest.SkipTest("no sshd or ssh; install openssh-server")


def make_key(path):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=60
    )
    return path


class SshServer:
    """command: what every session runs instead of what was asked for."""

    def __init__(self, command=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tenken-sshd-"))
        self.identity = make_key(self.directory / "user")
        make_key(self.directory / "host")
        shutil.copy(f"{self.identity}.pub", self.directory / "authorized_keys")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.known_hosts = self.directory / "known_hosts"
        self.trust(self.directory / "host.pub")
        lines = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {self.directory}/host",
            f"AuthorizedKeysFile {self.directory}/authorized_keys", "StrictModes no", "UsePAM no",
            "PasswordAuthentication no", f"PidFile {self.directory}/pid",
        ]  # fmt: skip
        if command:
            lines.append(f"ForceCommand {command}")
        (self.directory / "config").write_text("\n".join(lines) + "\n")
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(self.directory / "config")], stderr=self.log
        )
        self.wait()

    def trust(self, public_key):
        key = " ".join(pathlib.Path(public_key).read_text().split()[:2])
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}\n")

    def wait(self):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.directory / "log").read_text()
                time.sleep(0.1)
        raise AssertionError("sshd does not listen")

    def words(self):
        """The options of tenken collect that lead here."""
        return [
            "--ssh", f"{USER}@127.0.0.1", "--port", str(self.port), "--identity",
            str(self.identity), "--known-hosts", str(self.known_hosts),
        ]  # fmt: skip

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.directory)
