#!/usr/bin/env python3
"""Agents that go over to a newer release by themselves: signed, in steps, and back again where the
new one is no good.

A newer version is the same program with another number in it; one that is no good is a script.
"""
import aws_tools

aws_tools.enter()

import base64
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import server
import support
from server import ACCOUNT, wait_for

import agent_hosts
from agent_hosts import AGENT, LIBC

VERSION = subprocess.run([AGENT, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
NEWER = "0.7.0"  # as long as VERSION
NEWEST = "0.8.0"
assert len(NEWER) == len(NEWEST) == len(VERSION)
ARCHITECTURE = os.uname().machine


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True).stdout


class Host(agent_hosts.Host):
    def start(self, *words, before=lambda: None):
        def prepare():
            LIBC.prctl(server.PR_SET_PDEATHSIG, signal.SIGKILL)
            before()

        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [AGENT, "run", "--state", self.state, "--rootfs", self.root, "--trial", "6", *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env=support.environment(SOURCE_DATE_EPOCH=None), preexec_fn=prepare,
                restore_signals=False,
            )  # fmt: skip

    def version(self):
        """Of the program that runs."""
        program = os.readlink(f"/proc/{self.process.pid}/exe")
        return program.split("/versions/")[1].split("/")[0] if "/versions/" in program else VERSION

    def versions(self):
        folder = self.state / "versions"
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


class StallingProxy:
    """Passes connections on; of each, no more from the server than `most` bytes: then it stands
    still, open."""

    def __init__(self, most=1_000_000):
        self.most = most
        self.stalls = threading.Event()
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.sockets.append(client)
        try:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            host, port = head.split()[1].decode().rsplit(":", 1)
            upstream = socket.create_connection((host, int(port)))
            self.sockets.append(upstream)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=self.copy, args=(client, upstream), daemon=True).start()
            self.copy(upstream, client, self.most)
        except OSError:
            pass

    def copy(self, source, target, most=None):
        passed = 0
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
                passed += len(piece)
                if most is not None and passed > most:
                    self.stalls.set()
                    return
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for one in [self.listener, *self.sockets]:
            one.close()


class Updates(support.TestCase):
    def setUp(self):
        super().setUp()
        self.releases = self.directory / "releases"
        self.releases.mkdir()
        self.key = self.new_key("release")
        support.write(self.directory / "feed/one.json", agent_hosts.advisory(1, "openssl", "2"))
        self.server = server.Server(
            support.build(self.directory / "advisories.db", self.directory / "feed"),
            arguments=("--agent-releases", str(self.releases)),
        )
        self.addCleanup(self.server.close)
        self.hosts = []
        self.addCleanup(lambda: [host.stop(signal.SIGKILL) for host in self.hosts])

    # Releases.

    def new_key(self, name):
        key = self.directory / f"{name}.key"
        openssl("genpkey", "-algorithm", "ed25519", "-out", key)
        return key

    def public(self, key):
        return base64.b64encode(openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-32:]).decode()

    def release(self, version, program=None, key=None, sign=True):
        """Into the directory of releases; the real program unless one is given."""
        if program is None:
            program = pathlib.Path(AGENT).read_bytes().replace(VERSION.encode(), version.encode())
        file = self.releases / version / f"tenken-agent-{ARCHITECTURE}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(program)
        if sign:
            openssl("pkeyutl", "-sign", "-inkey", key or self.key, "-rawin", "-in", file, "-out", f"{file}.sig")
        return file

    @staticmethod
    def script(version, body):
        return f'#!/bin/sh\n[ "$1" = --version ] && echo tenken-agent {version} && exit\n{body}\n'.encode()

    # Hosts.

    def host(self, key=True, proxy=(), **named):
        number = len(self.hosts) + 1
        directory = self.directory / f"host-{number}"
        directory.mkdir()
        host = Host(directory, f"{number:032x}", {"openssl": "1"})
        self.hosts.append(host)
        token = self.server.admin("token", "create", "--account", ACCOUNT).strip()
        pinned = ["--release-key", self.public(self.key)] if key else []
        answer = host.agent(
            "enrol", "--server", self.server.url, "--ca", self.server.ca_file, "--token", token, *pinned, *proxy
        )
        self.assertEqual(answer.code, 0, answer)
        host.id = answer.out.split()[-1]
        host.start(**named)
        wait_for(lambda: "report 1" in host.log(), 20, "the first report")
        return host

    def update(self, *words):
        return self.server.admin("agent", "update", "--account", ACCOUNT, *words)

    def agents(self):
        answer = self.server.request("GET", "/v1/agents")
        return {one["agentId"]: one for one in answer.json()["agents"]}

    def state(self, host):
        return self.agents()[host.id].get("update", {}).get("state")

    def expect_fault(self, host, *reasons):
        """It is told everywhere, and the agent goes on as it was."""
        wait_for(lambda: self.state(host) == "failed", 40, "the fault")
        message = self.agents()[host.id]["update"]["message"]
        for reason in reasons:
            self.assertIn(reason, message)
            self.assertIn(reason, self.server.admin("agent", "list", "--account", ACCOUNT))
        self.assertEqual(host.version(), VERSION)
        self.assertEqual(host.versions(), [])
        host.install({"openssl": "2"})
        wait_for(lambda: "report 2" in host.log(), 20, "the work that goes on")

    # Stories.

    def test_an_agent_goes_over_and_stays(self):
        host = self.host()
        self.release(NEWER)
        self.update(host.id, "--release", NEWER)
        wait_for(lambda: self.state(host) == "updated", 40, "the update")
        wait_for(lambda: host.version() == NEWER, 20, "the new program")
        self.assertEqual(self.agents()[host.id]["version"], NEWER)
        # It is that one which is started from now on, and it reports.
        host.stop()
        host.start()
        wait_for(lambda: host.version() == NEWER, 20, "the new program again")
        host.install({"openssl": "2"})
        wait_for(lambda: "report 2" in host.log(), 20, "a report")
        # And again from there; the one before is not kept, nor can it come back.
        self.release(NEWEST)
        self.update(host.id, "--release", NEWEST)
        wait_for(lambda: host.version() == NEWEST, 40, "the newest")
        self.assertEqual(host.versions(), [NEWEST])
        self.update(host.id, "--release", NEWER)
        wait_for(lambda: self.state(host) == "failed", 40, "the refusal")
        self.assertIn("not newer", self.agents()[host.id]["update"]["message"])
        self.assertEqual(host.version(), NEWEST)

    def test_a_program_that_was_tampered_with_is_refused(self):
        host = self.host()
        file = self.release(NEWER)
        with open(file, "r+b") as program:
            program.seek(-9, os.SEEK_END)
            program.write(b"tampered!")
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "not signed by the pinned release key")

    def test_a_signature_of_another_key_is_refused(self):
        host = self.host()
        self.release(NEWER, key=self.new_key("other"))
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "not signed by the pinned release key")

    def test_an_old_program_under_a_new_number_is_refused(self):
        host = self.host()
        self.release(NEWER, pathlib.Path(AGENT).read_bytes())
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, f'says that it is "tenken-agent {VERSION}"')

    def test_one_that_does_not_say_its_version_is_refused(self):
        host = self.host()
        self.release(NEWER, b"#!/bin/sh\nexec sleep 1000\n")
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "does not run on this host")

    def test_an_agent_that_is_ended_while_a_program_says_nothing_ends(self):
        host = self.host()
        self.release(NEWER, f"#!/bin/sh\necho $$ >{host.state}/asked\nexec sleep 1000\n".encode())
        self.update(host.id, "--release", NEWER)
        asked = host.state / "asked"
        wait_for(lambda: asked.exists() and asked.read_text(), 40, "the question")
        self.assertEqual(host.stop(), 0)
        self.assertFalse(pathlib.Path("/proc", asked.read_text().strip()).exists())
        host.start()
        self.expect_interruption(host)

    def plant(self, host):
        """A program that nobody has fetched, in the place of the current one."""
        host.stop()
        file = host.state / "versions" / NEWER / "tenken-agent"
        file.parent.mkdir(parents=True)
        file.write_text(f"#!/bin/sh\ncat /proc/self/status >{host.state}/ran\nexec sleep 1000\n")
        file.chmod(0o700)
        (host.state / "versions/current").write_text(NEWER + "\n")
        host.start()
        return host.state / "ran"

    def test_without_a_pinned_key_nothing_that_lies_there_is_run(self):
        host = self.host(key=False)
        ran = self.plant(host)
        wait_for(lambda: host.log().count("resource ") >= 2, 20, "the start")
        self.assertEqual(host.version(), VERSION)
        self.assertFalse(ran.exists())

    def test_what_is_run_at_the_start_has_the_rights_of_an_agent(self):
        host = self.host()
        ran = self.plant(host)
        wait_for(lambda: ran.exists() and "Seccomp:" in ran.read_text(), 20, "the start")
        facts = dict(line.split(":\t", 1) for line in ran.read_text().splitlines())
        self.assertEqual(facts["Seccomp"].strip(), "2")
        self.assertEqual(facts["NoNewPrivs"], "1")
        self.assertEqual(int(facts["CapEff"], 16) & ~(1 << 2 | 1 << 19), 0)

    def test_without_a_pinned_key_nothing_is_updated(self):
        host = self.host(key=False)
        self.release(NEWER)
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "no release key was pinned")

    def test_a_release_that_the_server_does_not_have_is_told(self):
        host = self.host()
        self.release(NEWER, sign=False)
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, f"no signed release {NEWER} for {ARCHITECTURE}")

    def test_one_that_never_speaks_to_the_server_is_rolled_back(self):
        host = self.host()
        self.release(NEWER, self.script(NEWER, "exec sleep 1000"))
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "did not speak to the server within 6 s")

    def test_one_that_ends_at_once_is_rolled_back(self):
        host = self.host()
        self.release(NEWER, self.script(NEWER, "exit 5"))
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "ended with code 5")
        self.assertEqual(host.log().count("is tried"), 3)

    def test_an_agent_that_is_ended_during_a_trial_is_the_old_one_again(self):
        host = self.host()
        self.release(NEWER, self.script(NEWER, "exec sleep 1000"))
        self.update(host.id, "--release", NEWER)
        wait_for(lambda: "is tried" in host.log(), 40, "the trial")
        self.assertEqual(host.stop(), 0)
        host.start()
        wait_for(lambda: host.log().count("agent ") >= 2, 20, "the start")
        self.assertEqual(host.version(), VERSION)

        self.expect_interruption(host)

    def test_an_agent_that_is_killed_during_a_trial_is_the_old_one_again(self):
        host = self.host()
        self.release(NEWER, self.script(NEWER, "exec sleep 1000"))
        self.update(host.id, "--release", NEWER)
        wait_for(lambda: "is tried" in host.log(), 40, "the trial")
        host.stop(signal.SIGKILL)
        self.assertEqual(host.versions(), [NEWER])
        host.start()
        self.expect_interruption(host)

    def test_an_agent_that_is_ended_during_a_download_ends_within_seconds(self):
        proxy = StallingProxy()
        self.addCleanup(proxy.close)
        host = self.host(proxy=["--proxy", proxy.url])
        self.release(NEWER)
        self.update(host.id, "--release", NEWER)
        wait_for(proxy.stalls.is_set, 40, "the download that stands still")
        begin = time.monotonic()
        self.assertEqual(host.stop(), 0)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(host.versions(), [])
        host.start()
        self.expect_interruption(host)

    def expect_interruption(self, host):
        wait_for(lambda: self.state(host) == "failed", 40, "the fault")
        self.assertIn("it was interrupted", self.agents()[host.id]["update"]["message"])
        self.assertEqual(host.versions(), [])
        self.assertEqual(host.version(), VERSION)

    # Under cron.

    def once(self, host):
        return host.agent("run", "--once", "--trial", "6")

    def test_a_server_that_is_away_takes_no_version_from_cron(self):
        host = self.host()
        self.release(NEWER)
        self.update(host.id, "--release", NEWER)
        wait_for(lambda: host.version() == NEWER, 40, "the new program")
        host.stop()
        self.server.stop()
        for _ in range(5):
            self.assertEqual(self.once(host).code, support.SERVER)
        self.assertEqual(host.versions(), [NEWER])
        self.server.start()
        self.assertEqual(self.once(host).code, 0)
        self.assertEqual(self.agents()[host.id]["version"], NEWER)

    def test_an_agent_of_cron_goes_over(self):
        host = self.host()
        host.stop()
        self.release(NEWER)
        self.update(host.id, "--release", NEWER)
        self.assertEqual(self.once(host).code, 0)
        self.assertEqual(host.versions(), [NEWER])
        self.assertEqual(self.once(host).code, 0)
        self.assertEqual(self.state(host), "updated")

    def test_a_state_in_use_has_an_exit_code_of_its_own(self):
        host = self.host()
        answer = self.once(host)
        self.assertEqual(answer.code, os.EX_TEMPFAIL)
        self.assertIn("another tenken-agent uses it", answer.err)

    def test_a_full_disk_is_told_and_nothing_is_left(self):
        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

        host = self.host(before=small_disk)
        self.release(NEWER)
        self.update(host.id, "--release", NEWER)
        self.expect_fault(host, "File too large")

    def test_a_fleet_goes_over_in_steps(self):
        hosts = [self.host() for _ in range(4)]
        self.release(NEWER)
        asked = self.update("--all", "--percent", "25", "--release", NEWER).splitlines()
        self.assertEqual(len(asked), 1)
        first = next(host for host in hosts if asked[0].startswith(host.id))
        wait_for(lambda: self.state(first) == "updated", 40, "the first")
        wait_for(lambda: first.version() == NEWER, 20, "the new program")
        self.assertEqual(sum(host.version() == VERSION for host in hosts), 3)
        # The same again asks nobody; then more.
        self.assertEqual(self.update("--all", "--percent", "25", "--release", NEWER), "")
        self.assertEqual(len(self.update("--all", "--count", "1", "--release", NEWER).splitlines()), 1)
        self.update("--all", "--release", NEWER)
        wait_for(lambda: all(self.state(host) == "updated" for host in hosts), 60, "the fleet")

    def test_what_cannot_be_asked_for_is_told(self):
        host = self.host()
        for words, why in (
            (["--release", NEWER], "AGENT or --all"),
            ([host.id, "--release", "../x"], "three numbers"),
            (["nobody", "--release", NEWER], "no agent nobody"),
        ):
            done = support.tenken(
                "admin", "agent", "update", "--account", ACCOUNT, *words, *self.server.store
            )
            self.assertNotEqual(done.code, 0)
            self.assertIn(why, done.err)


if __name__ == "__main__":
    support.main()
