"""Hosts with an agent, for the end-to-end tests: directories (--rootfs) whose agents, server and
network are real. A program that uses this begins with aws_tools.enter().
"""
import ctypes
import os
import pathlib
import signal
import subprocess

import server
import support
from server import ACCOUNT, wait_for

AGENT = os.environ.get("TENKEN_AGENT", "tenken-agent")
LIBC = ctypes.CDLL(None)


def advisory(number, package, fixed):
    return support.advisory(
        f"DSA-2024-{number}-1", "Debian:12", package, [{"introduced": "0"}, {"fixed": fixed}],
        upstream=[f"CVE-2024-{number}"],
    )  # fmt: skip


def status(packages):
    """dpkg's status file."""
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
        f"Version: {version}\n\n"
        for name, version in packages.items()
    )


class Host:
    """A root directory, the state of its agent, and the agent while it runs. program: another build
    of the agent.
    """

    def __init__(self, directory, machine_id, packages, program=AGENT):
        self.program = program
        self.root = directory / "root"
        self.state = directory / "state"
        self.log_file = directory / "agent.log"
        self.process = None
        (self.root / "etc").mkdir(parents=True)
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        (self.root / "etc/machine-id").write_text(machine_id + "\n")
        (self.root / "etc/os-release").write_text(
            'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
        )
        self.install(packages)

    def install(self, packages, text=None):
        """As dpkg does: the new file is renamed over the old one."""
        file = self.root / "var/lib/dpkg/status"
        new = file.with_name("status-new")
        new.write_text(status(packages) if text is None else text)
        new.rename(file)

    def host_key(self, text):
        (self.root / "etc/ssh").mkdir(exist_ok=True)
        (self.root / "etc/ssh/ssh_host_ed25519_key.pub").write_text(f"ssh-ed25519 {text} host\n")

    def agent(self, *words, stdin=b"", state=None, **variables):
        words = [self.program, *map(str, words), "--state", str(state or self.state)]
        words += ["--rootfs", str(self.root)]
        process = subprocess.run(
            words, input=stdin, capture_output=True, env=support.environment(**variables),
            timeout=60, check=False,
        )  # fmt: skip
        return support.Answer(process, words)

    def enrol(self, running, token, ca=None, **variables):
        ca = ca or running.ca_file
        return self.agent("enrol", "--server", running.url, "--ca", ca, "--token", token, **variables)

    def start(self, state=None, rootfs=None, **variables):
        rootfs = ["--rootfs", self.root] if rootfs is None else rootfs
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "run", "--state", state or self.state, *rootfs],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env=support.environment(SOURCE_DATE_EPOCH=None, **variables),
                preexec_fn=lambda: LIBC.prctl(server.PR_SET_PDEATHSIG, signal.SIGKILL),
            )  # fmt: skip

    def stop(self, how=signal.SIGTERM):
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(how)
        return process.wait(timeout=10)

    def log(self):
        return self.log_file.read_text(errors="replace")


class AgentCase(support.TestCase):
    """A server, a feed that it has its advisories from, and hosts."""

    def setUp(self):
        super().setUp()
        self.feed = self.directory / "feed"
        self.hosts = {}
        self.publish(advisory(1000, "openssl", "3.0.11-1"))
        self.server = self.new_server()
        self.addCleanup(lambda: [host.stop(signal.SIGKILL) for host in self.hosts.values()])

    def new_server(self):
        started = server.Server(self.directory / "advisories.db")
        self.addCleanup(started.close)
        return started

    def publish(self, *records):
        for record in records:
            support.write(self.feed / (record["id"] + ".json"), record)
        built = support.build(self.directory / "next.db", self.feed)
        os.replace(built, self.directory / "advisories.db")

    def token(self, *words):
        return self.server.admin("token", "create", "--account", ACCOUNT, *words).strip()

    def host(self, name="one", packages=None, machine_id=None, **named):
        directory = self.directory / name
        directory.mkdir()
        number = len(self.hosts) + 1
        host = Host(
            directory, machine_id or f"{number:032x}", packages or {"openssl": "3.0.9-1"}, **named
        )
        self.hosts[name] = host
        return host

    def enrolled(self, name="one", variables=None, **named):
        """A host whose agent runs. variables: of the agent's environment."""
        host = self.host(name, **named)
        answer = host.enrol(self.server, self.token(), **(variables or {}))
        self.assertEqual(answer.code, 0, answer)
        host.resource = answer.out.split()[2].rstrip(",")
        host.id = answer.out.split()[-1]
        host.start(**(variables or {}))
        return host

    def findings(self, **criteria):
        """(resource, vulnerability) of those that are ACTIVE."""
        criteria.setdefault("findingStatus", [{"comparison": "EQUALS", "value": "ACTIVE"}])
        return sorted(
            (one["resources"][0]["id"], one["packageVulnerabilityDetails"]["vulnerabilityId"])
            for one in self.server.findings(**criteria)
        )

    def expect_findings(self, wanted, seconds=15):
        wait_for(lambda: self.findings() == sorted(wanted), seconds, f"the findings {wanted}")

    def agents(self):
        answer = self.server.request("GET", "/v1/agents")
        self.assertEqual(answer.status, 200, str(answer))
        return {one["agentId"]: one for one in answer.json()["agents"]}
