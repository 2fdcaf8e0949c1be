#!/usr/bin/env python3
"""The whole life of agents on hosts of their own: installed by the line that the server's command
prints, findings that follow what the package managers do, a new advisory, a cut network, a revoked
agent, and the end.

The server and each host have their own network, and the hosts their own processes, mounts and root:
Debian 11, 12 and 13 as debootstrap makes them, the last with systemd and the others with init
scripts, and a root whose packages are rpm's. A host that cannot be had so is a directory with its
agent on the loopback, and the test says why; TENKEN_PLAIN_HOSTS=1 chooses that for all.
"""
import aws_tools

aws_tools.enter()

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import sqlite3
import sys
import unittest

import agent_hosts
import host_network
import host_trees
import server
import support
from agent_hosts import AgentCase
from life_hosts import KINDS, NAME, NamespaceHost, PlainHost
from server import ACCOUNT, wait_for

STATIC = pathlib.Path(
    os.environ.get("TENKEN_STATIC_AGENT", support.SOURCE / "build/static/tenken-agent")
)
DAY = 86400
PLAIN = "TENKEN_PLAIN_HOSTS"
REASONS = "TENKEN_E2E_PLAIN"  # why hosts are directories, from the run outside the namespaces


def say(text):
    print(f"agent_namespaces: {text}", file=sys.stderr, flush=True)


def fixed(version):
    return version + ".1"


class Life(AgentCase):
    def new_server(self):
        """In a namespace of its own, if there are any; it hands out the agent."""
        releases = self.directory / "releases"
        releases.mkdir()
        program = STATIC if STATIC.exists() else agent_hosts.AGENT
        shutil.copy(program, releases / f"tenken-agent-{os.uname().machine}")
        where = {}
        self.network = None
        if host_network.inside():
            self.network = host_network.Network()
            member = host_network.Member(self.network)
            self.addCleanup(member.close)
            where = {"address": member.address, "within": member.within}
        started = server.Server(
            self.directory / "advisories.db", **where,
            arguments=("--agent-releases", str(releases), "--tls-name", NAME),
        )  # fmt: skip
        self.addCleanup(started.close)
        return started

    def make_host(self, number, kind):
        directory = self.directory / kind.name
        directory.mkdir()
        plain = why_plain().get(kind.name)
        if plain:
            host = PlainHost(kind, directory, number)
        else:
            tree = host_trees.TREES / kind.release
            host = NamespaceHost(kind, directory, self.network, tree, number)
        self.addCleanup(host.close)
        return host

    def on_all(self, action, hosts=None):
        """The action on each host, all at once."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return list(pool.map(action, hosts or self.machines))

    def advise(self, number, versions):
        """A vulnerability: an advisory for each host's distribution. host -> (package, fixed)."""
        self.publish(*(
            support.advisory(
                f"{'ALSA' if host.kind.rpm else 'DSA'}-2024-{number}-{host.kind.name}",
                host.kind.ecosystem, package, [{"introduced": "0"}, {"fixed": version}],
                upstream=[f"CVE-2024-{number}"],
            )
            for host, (package, version) in versions.items()
        ))  # fmt: skip

    def active(self, number, hosts):
        return [(host.resource, f"CVE-2024-{number}") for host in hosts]

    def coverage(self):
        listed = self.server.client().list_coverage()["coveredResources"]
        return {one["resourceId"]: one["scanStatus"] for one in listed}

    def expect_coverage(self, host, code, reason):
        wanted = {"statusCode": code, "reason": reason}
        wait_for(lambda: self.coverage().get(host.resource) == wanted, 20, f"{wanted}")

    # The story.

    def test_the_whole_life(self):
        self.machines = [self.make_host(i + 1, kind) for i, kind in enumerate(KINDS)]
        self.advise(1001, {one: (one.base[0], fixed(one.base[1])) for one in self.machines})
        self.advise(1002, {one: ("libdemo", "1.0-2") for one in self.machines})
        for step in (self.installed_by_one_line, self.packages_come_and_go, self.a_new_advisory,
                     self.a_cut_network, self.revoked, self.uninstalled):  # fmt: skip
            say(step.__doc__)
            try:
                step()
            except BaseException:
                for host in self.machines:
                    say(f"the agent of {host.kind.name} said: {host.log()[-2000:]}")
                raise

    def installed_by_one_line(self):
        """each host is installed by one line, and has its first findings"""
        def install(host):
            answer = support.tenken(
                "admin", "token", "create", "--account", ACCOUNT, *self.server.store,
                "--server", host.server_url(self.server), SOURCE_DATE_EPOCH=None,
            )  # fmt: skip
            line = answer.err.splitlines()[-1]
            self.assertRegex(line, "^curl .* sha256sum -c && sudo sh install$")
            said = host.join(self.server, line, answer.out)
            self.assertIn("install: OK", said)
            host.resource = said.partition("enrolled as ")[2].split()[0].rstrip(",")

        self.on_all(install)
        for host in self.machines:  # here: an agent that a thread has started ends with the thread
            host.begin()
            self.assertRegex(host.starter(), r"process \d|ActiveState=active")
        self.expect_findings(self.active(1001, self.machines), 30)
        for host in self.machines:
            self.expect_coverage(host, "ACTIVE", "SUCCESSFUL")
            self.assertEqual(len(host.processes()), 1)

    def packages_come_and_go(self):
        """a vulnerable package is installed, then all are upgraded: no command to tenken"""
        self.on_all(lambda host: host.install("libdemo", "1.0-1"))
        both = self.active(1001, self.machines) + self.active(1002, self.machines)
        self.expect_findings(both, 30)
        self.on_all(lambda host: host.install("libdemo", "1.0-2"))
        self.expect_findings(self.active(1001, self.machines), 30)
        self.on_all(lambda host: host.install(host.base[0], fixed(host.base[1])))
        self.expect_findings([], 30)

    def a_new_advisory(self):
        """an advisory update reaches all hosts"""
        self.advise(1003, {one: ("libdemo", "1.0-3") for one in self.machines})
        self.expect_findings(self.active(1003, self.machines), 30)

    def a_cut_network(self):
        """one host is cut off, changes twice, and its reports come in order when it is back"""
        away, *others = self.machines
        self.advise(1004, {away: ("libother", "1.0-2")})
        spool = away.root / "var/lib/tenken-agent/spool"
        made, taken = away.reports_made(), self.reports_taken(away)
        away.cut()
        away.install("libother", "1.0-1")
        wait_for(lambda: away.reports_made() > made, 30, "a first report")
        first = away.reports_made()
        away.install("libother", "1.0-2")
        away.install("libdemo", "1.0-3")
        wait_for(lambda: away.reports_made() > first, 30, "a second report")
        self.on_all(lambda host: host.install("libdemo", "1.0-3"), others)
        self.expect_findings(self.active(1003, [away]), 30)  # kept; the others' go on
        self.assertGreaterEqual(len(list(spool.iterdir())), 2)
        self.assertEqual(self.reports_taken(away), taken)
        self.let_days_pass(away, 8)
        self.expect_coverage(away, "INACTIVE", "STALE_INVENTORY")
        self.assertEqual(self.findings(), self.active(1003, [away]))
        away.heal()
        self.expect_findings([], 150)
        self.expect_coverage(away, "ACTIVE", "SUCCESSFUL")
        wait_for(lambda: not list(spool.iterdir()), 20, "an empty spool")
        # Each report once, in its order: another would not have fitted what came before it.
        self.assertEqual(self.reports_taken(away) - taken, away.reports_made() - made)
        self.assertNotIn("asks for the whole report", away.log())

    def reports_taken(self, host):
        """The number of the host's newest report that the server has."""
        with self.store() as database:
            return database.execute(
                "SELECT sequence FROM agent_report JOIN resource USING (resource_id) "
                "WHERE external_id = ?", (host.resource,),
            ).fetchone()[0]  # fmt: skip

    @contextlib.contextmanager
    def store(self):
        (file,) = self.server.directory.glob("*.sqlite")
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as database, database:
            yield database

    def let_days_pass(self, host, days):
        """As if the server had not heard of the host for so long."""
        with self.store() as database:
            changed = database.execute(
                "UPDATE resource SET seen_at = seen_at - ? WHERE external_id = ?",
                (days * DAY, host.resource),
            ).rowcount  # fmt: skip
        self.assertEqual(changed, 1)

    def revoked(self):
        """one agent is revoked: it is refused, and what was found stays"""
        self.advise(1005, {one: ("libdemo", "1.0-4") for one in self.machines})
        self.expect_findings(self.active(1005, self.machines), 30)
        out, *others = reversed(self.machines)
        self.server.admin("agent", "revoke", out.resource, "--account", ACCOUNT)
        message = "This agent was revoked: enrol it again with a new token"
        wait_for(lambda: message in out.log(), 20, message)
        self.on_all(lambda host: host.install("libdemo", "1.0-4"))
        self.expect_findings(self.active(1005, [out]), 30)
        self.expect_coverage(out, "INACTIVE", "UNMANAGED_EC2_INSTANCE")
        for host in others:
            self.expect_coverage(host, "ACTIVE", "SUCCESSFUL")
        listed = {one["resourceId"]: one["status"] for one in self.agents().values()}
        self.assertEqual(listed[out.resource], "revoked")

    def uninstalled(self):
        """uninstalling leaves nothing"""
        def uninstall(host):
            host.uninstall()
            self.assertEqual(host.processes(), [])
            self.assertEqual(host.files() - host.before, set())

        self.on_all(uninstall)


def why_plain():
    """Kind's name -> why that host is a directory."""
    lines = os.environ.get(REASONS, "").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def reasons():
    """The same, found out; makes the trees that are missing, all at once."""
    general = f"{PLAIN} is set" if PLAIN in os.environ else None
    general = general or host_network.why_not()
    if not general and not STATIC.exists():
        general = f"hosts of all ages need the static agent, {STATIC}: tools/package.sh makes it"
    if general:
        return {kind.name: general for kind in KINDS}

    def missing(release):
        try:
            host_trees.tree(release)
        except host_trees.Missing as error:
            return str(error)
        return None

    releases = sorted({kind.release for kind in KINDS})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        why = dict(zip(releases, pool.map(missing, releases)))
    why = {kind.name: why[kind.release] for kind in KINDS if why[kind.release]}
    if not host_network.ControlGroup.possible():
        why.setdefault("trixie", "systemd needs a control group of version 2 that may be divided")
    return why


def main():
    if host_network.inside():
        support.main()
        return
    why = reasons()
    for name, reason in why.items():
        say(f"{name} is a plain directory on the loopback: {reason}")
    os.environ[REASONS] = "\n".join(f"{name}\t{reason}" for name, reason in why.items())
    if len(why) < len(KINDS):
        code = host_network.run_inside()
    else:
        code = support.run()
    # The story was run, but not where it should have been: not to be taken for that.
    sys.exit(code or (aws_tools.SKIPPED if why and PLAIN not in os.environ else 0))


if __name__ == "__main__":
    main()
