"""A PostgreSQL server of a test's own: a fresh cluster in a directory of its own, reached through a
socket there and no network. It never syncs, so it is fast and only for tests. Started as root it
runs as postgres or nobody, since PostgreSQL refuses root.

    with PostgresServer() as server:
        ... server.uri ...
"""
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def programs():
    """The folder of the newest installed server's programs, or None."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def need_postgres():
    """Skips the test or the module where no server is installed."""
    if programs() is None:
        raise unittest.SkipTest(
            "no PostgreSQL server under /usr/lib/postgresql; install postgresql-15"
        )


def server_user():
    """Who runs the server: None for the test's own user."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


class PostgresServer:
    """stop() is as a crash of the machine looks to its clients; start() brings it back."""

    def __init__(self):
        need_postgres()
        self.user = server_user()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tenken-pg-"))
        self.data = self.directory / "data"
        self.log = open(self.directory / "log", "ab")
        self.server = None
        if self.user:
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        initdb = self._spawn(
            "initdb", "-U", "tenken", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--no-sync", "--no-instructions",
        )  # fmt: skip
        if initdb.wait() != 0:
            raise RuntimeError(self._log_text())
        self.start()

    @property
    def uri(self):
        return f"postgresql://tenken@/postgres?host={self.directory}"

    def start(self):
        """Returns once the server takes connections."""
        self.server = self._spawn(
            "postgres", "-k", str(self.directory), "-h", "", "-F", "-c", "full_page_writes=off",
            "-c", "shared_buffers=32MB", "-c", "log_lock_waits=on",
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._ready():
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise RuntimeError(self._log_text())
            time.sleep(0.01)

    def stop(self):
        if self.server is not None:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait()
            self.server = None

    def close(self):
        self.stop()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _spawn(self, program, *arguments):
        def become_server_user():
            if self.user:
                os.setgroups([])
                os.setgid(self.user.pw_gid)
                os.setuid(self.user.pw_uid)
            # After setuid, which clears it: the server ends with the test.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

        return subprocess.Popen(
            [programs() / program, "-D", self.data, *arguments],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=become_server_user,
        )  # fmt: skip

    def _ready(self):
        """The server writes its state into the last line of this file."""
        try:
            return (self.data / "postmaster.pid").read_text().rstrip().endswith("ready")
        except FileNotFoundError:
            return False

    def _log_text(self):
        return (self.directory / "log").read_text(errors="replace")
