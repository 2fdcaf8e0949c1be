#!/usr/bin/env python3
"""The life of agents, as their hosts and their server see it: enrolled by a token, findings that
come and go with what is installed, a server that is away, clones, and the end.

The hosts are directories (--rootfs); the server, the agents and the network between them are real.
"""
import aws_tools

aws_tools.enter()

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import time
import unittest

import support
from agent_hosts import AGENT, AgentCase, advisory, status
from server import ACCOUNT, wait_for


class Agents(AgentCase):
    # The story of a host.

    def test_a_host_reports_by_itself_and_its_findings_follow(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        host.install({"openssl": "3.0.11-1"})
        self.expect_findings([])
        self.publish(advisory(1001, "openssl", "3.0.12-1"))
        self.expect_findings([(host.resource, "CVE-2024-1001")])
        host.install({"openssl": "3.0.12-1"})
        self.expect_findings([])
        coverage = self.server.client().list_coverage()["coveredResources"]
        self.assertEqual([one["resourceId"] for one in coverage], [host.resource])
        self.assertEqual(coverage[0]["scanMode"], "EC2_INSPECTOR_AGENT_BASED")
        self.assertEqual(coverage[0]["scanStatus"]["reason"], "SUCCESSFUL")
        self.assertEqual(host.stop(), 0)

    def test_a_new_advisory_reaches_every_host(self):
        hosts = [self.enrolled(f"host{i}", packages={"nginx": "1.22-1"}) for i in range(3)]
        wait_for(lambda: len(self.agents()) == 3 and all(
            one.get("reportedAt") for one in self.agents().values()), 20, "three reports")
        self.publish(advisory(2000, "nginx", "1.24-1"))
        self.expect_findings([(one.resource, "CVE-2024-2000") for one in hosts])

    def test_while_the_server_is_away_changes_wait_in_order(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        wait_for(lambda: not list((host.state / "spool").iterdir()), 20, "the first report's answer")
        self.server.kill()
        host.install({"openssl": "3.0.10-1"})
        wait_for(lambda: host.log().count("report ") >= 2, 20, "a report that waits")
        host.install({"openssl": "3.0.11-1"})
        wait_for(lambda: host.log().count("report ") >= 3, 20, "another")
        self.assertEqual(len(list((host.state / "spool").iterdir())), 2)
        host.stop(signal.SIGKILL)  # what waits outlives the agent
        self.server.start()
        host.start()
        self.expect_findings([], 30)
        wait_for(lambda: not list((host.state / "spool").iterdir()), 20, "an empty spool")

    def test_a_database_in_the_middle_of_an_upgrade_closes_nothing(self):
        host = self.enrolled(packages={"openssl": "3.0.9-1", "bash": "5.2-1"})
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        whole = status({"openssl": "3.0.9-1", "bash": "5.2-1"})
        host.install({}, whole[: whole.index("Version: 3.0.9") + 4])
        with self.assertRaises(AssertionError):
            wait_for(lambda: self.findings() == [], 8)
        host.install({"openssl": "3.0.11-1", "bash": "5.2-1"})
        self.expect_findings([])

    def test_asked_to_collect_an_agent_reports_the_whole_at_once(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        self.server.admin("agent", "collect", host.id, "--account", ACCOUNT)
        wait_for(lambda: "command" in host.log(), 10, "the command")
        wait_for(lambda: host.log().count("report ") >= 2, 10, "the whole report")
        self.assertEqual(self.findings(), [(host.resource, "CVE-2024-1000")])

    def test_asked_to_renew_an_agent_has_a_new_certificate_at_once(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        before = (host.state / "agent.pem").read_text()
        self.server.admin("agent", "renew", host.resource, "--account", ACCOUNT)
        wait_for(lambda: "the certificate was renewed" in host.log(), 10, "the renewal")
        after = (host.state / "agent.pem").read_text()
        for part in ("PRIVATE KEY", "CERTIFICATE"):
            self.assertNotEqual(before.split(part)[1], after.split(part)[1])
        host.install({"openssl": "3.0.11-1"})
        self.expect_findings([])
        self.server.admin("agent", "revoke", host.id, "--account", ACCOUNT)
        answer = support.tenken("admin", "agent", "renew", host.id, "--account", ACCOUNT,
                                *self.server.store)  # fmt: skip
        self.assertEqual(answer.code, support.USAGE, answer)
        self.assertIn("was revoked: it asks for no commands", answer.err)

    def test_a_retired_host_has_no_findings_and_a_revoked_one_no_way_in(self):
        first, second = self.enrolled("first"), self.enrolled("second")
        both = [(one.resource, "CVE-2024-1000") for one in (first, second)]
        self.expect_findings(both)
        self.server.admin("agent", "retire", first.id, "--account", ACCOUNT)
        self.expect_findings(both[1:])
        self.server.admin("agent", "revoke", second.id, "--account", ACCOUNT)
        for host, how in ((first, "retired"), (second, "revoked")):  # whose polls were held
            wait_for(lambda: f"This agent was {how}: enrol it again" in host.log(), 10, how)
        second.install({"openssl": "3.0.11-1"})
        self.assertEqual(self.findings(), both[1:])  # silence closes nothing
        second.stop()
        self.assertEqual(second.enrol(self.server, self.token()).code, 0)
        second.start()
        self.expect_findings([])

    def test_an_agent_that_runs_is_stopped_before_its_host_enrols_again(self):
        host = self.enrolled()
        wait_for(lambda: "report 1" in host.log(), 15, "the report")
        self.server.admin("agent", "revoke", host.id, "--account", ACCOUNT)
        how = "systemctl stop tenken-agent"
        self.assertIn(how, self.agents()[host.id]["repair"])
        wait_for(lambda: "This agent was revoked" in host.log(), 10, "the refusal")
        answer = host.enrol(self.server, self.token())
        self.assertEqual(answer.code, os.EX_TEMPFAIL, answer)
        self.assertIn(how, answer.err)
        host.stop()
        self.assertEqual(host.enrol(self.server, self.token()).code, 0)

    # Who may come in.

    def test_a_token_is_good_for_what_it_was_made_for(self):
        host = self.host()
        for token in ("nonsense", "A" * 43):
            answer = host.enrol(self.server, token)
            self.assertEqual(answer.code, support.SERVER, answer)
            self.assertIn("token", answer.err)
        token = self.token("--uses", "1")
        self.assertEqual(host.enrol(self.server, token).code, 0)
        answer = self.host("two").enrol(self.server, token)
        self.assertEqual(answer.code, support.SERVER, answer)
        self.assertIn("token", answer.err)

    def test_a_server_with_another_authority_is_not_trusted(self):
        other = self.new_server()
        answer = self.host().enrol(self.server, self.token(), ca=other.ca_file)
        self.assertEqual(answer.code, support.SERVER, answer)
        self.assertIn("certificate", answer.err)

    def test_clones_are_told_apart_and_told(self):
        first = self.host("first", machine_id="c" * 32)
        first.host_key("AAAA1")
        second = self.host("second", machine_id="c" * 32)
        second.host_key("AAAA2")
        resources = []
        for host in (first, second):
            answer = host.enrol(self.server, self.token())
            self.assertEqual(answer.code, 0, answer)
            resources.append(answer.out.split()[2].rstrip(","))
            host.start()
        self.assertEqual(len(set(resources)), 2)
        self.assertIn("machine id", answer.err)
        self.expect_findings([(one, "CVE-2024-1000") for one in resources])

    def test_clones_without_keys_of_their_own_are_told_apart(self):
        for name, key, digit in (("same", "AAAA1", "d"), ("none", None, "e")):
            hosts = [self.host(f"{name}{i}", machine_id=digit * 32) for i in range(2)]
            resources = set()
            for host in hosts:
                if key:
                    host.host_key(key)
                answer = host.enrol(self.server, self.token())
                self.assertEqual(answer.code, 0, answer)
                resources.add(answer.out.split()[2].rstrip(","))
                host.start()
            self.assertEqual(len(resources), 2, name)
            for host in hosts:  # neither has displaced the other
                wait_for(lambda: "report 1:" in host.log(), 10, "its report")
                self.assertNotIn("answers 403", host.log())

    def test_the_state_of_a_host_with_another_machine_id_is_refused(self):
        first = self.enrolled()
        self.expect_findings([(first.resource, "CVE-2024-1000")])
        copy = self.directory / "copied"
        shutil.copytree(first.state, copy)
        other = self.host("other", packages={"bash": "5.2-1"})
        for words in (("run", "--once"), ("run",)):
            refused = other.agent(*words, state=copy)
            self.assertEqual(refused.code, support.USAGE, refused)
            self.assertIn("a host with another machine id enrolled with this state", refused.err)
        self.assertIn("another machine id enrolled", other.agent("status", state=copy).out)
        self.expect_findings([(first.resource, "CVE-2024-1000")])

    def test_two_copies_under_cron_do_not_take_turns(self):
        first = self.host("first", packages={"openssl": "3.0.9-1"})
        self.assertEqual(first.enrol(self.server, self.token()).code, 0)
        self.assertEqual(first.agent("run", "--once").code, 0)
        wait_for(lambda: len(self.findings()) == 1, 15, "a finding")
        copy = self.directory / "copy"
        shutil.copytree(first.state, copy)
        twin = self.host(
            "twin",
            packages={"openssl": "3.0.9-1", "bash": "5.2-1"},
            machine_id=(first.root / "etc/machine-id").read_text().strip(),
        )
        first.install({"openssl": "3.0.9-1", "zlib": "1.2-1"})
        self.assertEqual(first.agent("run", "--once").code, 0)
        (resource,) = [one["resourceId"] for one in self.agents().values()]

        def installed():
            answer = self.server.request("GET", f"/v1/resources/{resource}/packages").json()
            return sorted(one["name"] for one in answer["packages"])

        for _ in range(2):
            refused = twin.agent("run", "--once", state=copy)
            self.assertEqual(refused.code, support.SERVER, refused)
            self.assertIn("Another agent with this key", refused.err)
            self.assertEqual(installed(), ["openssl", "zlib"])
            self.assertEqual(first.agent("run", "--once").code, 0)
            self.assertEqual(installed(), ["openssl", "zlib"])
        (agent,) = self.agents().values()
        self.assertEqual(agent["health"], "clone")
        self.assertIn("rm -r /var/lib/tenken-agent", agent["repair"])
        # Which one is to go on is a person's word: the copy, with a state of its own.
        shutil.rmtree(copy)
        self.assertEqual(twin.enrol(self.server, self.token()).code, 0)
        self.assertEqual(twin.agent("run", "--once").code, 0)
        self.assertEqual(len(self.agents()), 2)
        self.assertEqual(installed(), ["openssl", "zlib"])

    def test_two_agents_with_one_key_are_noticed(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        host.stop()
        copy = self.directory / "copy"
        shutil.copytree(host.state, copy)
        host.start()
        twin = self.host("twin", machine_id=(host.root / "etc/machine-id").read_text().strip())
        wait_for(lambda: host.log().count("agent ") >= 2, 10, "the first")
        time.sleep(3)  # its question is held: who is refused at once may be one that starts again
        twin.start(state=copy)
        wait_for(lambda: "Another agent with this key" in host.log() + twin.log(), 70, "the message")
        # A request that was late would not come again.
        wait_for(lambda: [one["health"] for one in self.agents().values()] == ["clone"], 60, "a clone")

    def test_what_enrols_again_is_the_same_host(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        host.stop()
        answer = host.enrol(self.server, self.token())
        self.assertEqual(answer.code, 0, answer)
        self.assertIn(host.resource, answer.out)
        host.install({"openssl": "3.0.11-1"})
        host.start()
        self.expect_findings([])
        self.assertEqual(len(self.agents()), 1)

    def test_a_host_that_is_put_there_anew_has_its_resource_by_a_persons_word(self):
        host = self.enrolled()
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        host.stop()
        shutil.rmtree(host.state)  # minutes after the old agent spoke: it may be a copy
        answer = host.enrol(self.server, self.token())
        self.assertEqual(answer.code, 0, answer)
        apart, agent = answer.out.split()[2].rstrip(","), answer.out.split()[-1]
        self.assertNotEqual(apart, host.resource)
        host.start()
        self.expect_findings([(one, "CVE-2024-1000") for one in (apart, host.resource)])
        shown = self.agents()[agent]
        self.assertEqual((shown["health"], shown["wantedResourceId"]), ("clone", host.resource))
        self.assertIn(f"tenken admin agent move {agent} {host.resource}", shown["repair"])
        listed = self.server.admin("agent", "list", "--account", ACCOUNT).splitlines()
        self.assertIn([apart, "clone", host.resource],
                      [[one.split("\t")[i] for i in (1, 7, 8)] for one in listed])  # fmt: skip
        self.server.admin("agent", "move", agent, host.resource, "--account", ACCOUNT)
        self.expect_findings([(host.resource, "CVE-2024-1000")])
        host.install({"openssl": "3.0.11-1"})
        self.expect_findings([])
        self.assertEqual(
            {one["resourceId"]: one["status"] for one in self.agents().values()},
            {host.resource: "active", apart: "retired"},
        )
        answer = support.tenken("admin", "agent", "move", agent, "mi-none", "--account", ACCOUNT,
                                *self.server.store)  # fmt: skip
        self.assertEqual(answer.code, support.USAGE, answer)
        self.assertIn("has no resource mi-none", answer.err)

    # The program.

    def test_it_says_how_it_goes(self):
        host = self.host()
        self.assertEqual(host.agent("status").code, support.USAGE)
        self.assertIn("enrol", host.agent("run").err)
        self.assertFalse(host.state.exists())
        host.enrol(self.server, self.token())
        host.start()
        wait_for(lambda: "contact" in host.agent("status").out, 15, "a contact")
        self.assertIn(self.server.url, host.agent("status").out)
        second = host.agent("run")
        self.assertIn("another tenken-agent", second.err)

    def among_mounts(self, propagation):
        """The agent where the host's mounts are shared (as systemd has them) or private."""
        words = ["unshare", "--mount", "--propagation", propagation]
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            return AGENT
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
            return AGENT  # as in a container
        program = self.directory / f"agent-{propagation}"
        program.write_text(f'#!/bin/sh\nexec {shlex.join([*words, AGENT])} "$@"\n')
        program.chmod(0o755)
        return str(program)

    def test_the_kernel_refuses_it_what_it_does_not_need(self):
        host = self.host(program=self.among_mounts("shared"))
        (host.root / "etc/machine-id").unlink()  # it runs on another root than it enrolled with
        self.assertEqual(host.enrol(self.server, self.token()).code, 0)
        host.start(rootfs=())
        wait_for(lambda: "report 1" in host.log(), 30, "the report")
        process = pathlib.Path(f"/proc/{host.process.pid}")
        facts = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        self.assertEqual(int(facts["CapEff"], 16) & ~(1 << 2 | 1 << 19), 0)
        self.assertEqual(facts["NoNewPrivs"], "1")
        self.assertEqual(facts["Seccomp"].strip(), "2")
        if os.geteuid() != 0:
            self.skipTest("another user's files are kept from it by their modes")
        mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
        writable = {mount[4] for mount in mounts if "ro" not in mount[5].split(",")}
        if "only file modes" not in host.log():  # as in a container
            self.assertEqual(writable, {str(host.state)})
        # It sees the processes all the same: here the one that has the server's socket.
        lines = map(json.loads, (host.state / "report").read_text().splitlines()[1:])
        owners = [one["executable"] for one in lines if one.get("port") == self.server.port]
        self.assertEqual(owners, [os.path.realpath(support.TENKEN)])

    def test_where_mounts_are_not_shared_it_takes_no_copies_of_them(self):
        host = self.host(program=self.among_mounts("private"))
        if host.program == AGENT:
            self.skipTest("mounts are root's")
        (host.root / "etc/machine-id").unlink()
        self.assertEqual(host.enrol(self.server, self.token()).code, 0)
        host.start(rootfs=())
        wait_for(lambda: "report 1" in host.log(), 30, "the report")
        self.assertEqual(host.log().count("only file modes keep the agent from writing"), 1, host.log())
        self.assertIn("`mount --make-rshared /` at boot", host.log())
        mounts = pathlib.Path(f"/proc/{host.process.pid}/mountinfo").read_text().splitlines()
        self.assertNotIn(str(host.state), [mount.split()[4] for mount in mounts])

    def test_an_agent_of_cron_looks_only_where_something_changed(self):
        host = self.host()
        answer = host.enrol(self.server, self.token())
        self.assertEqual(answer.code, 0, answer)
        resource, agent = answer.out.split()[2].rstrip(","), answer.out.split()[-1]

        def once():
            answer = host.agent("run", "--once")
            self.assertEqual(answer.code, 0, answer)
            return answer.err

        self.assertIn("report 1: 1 packages", once())
        self.expect_findings([(resource, "CVE-2024-1000")])
        look = (host.state / "look").read_text()
        time.sleep(1.1)
        self.assertNotIn("report ", once())
        self.assertEqual((host.state / "look").read_text(), look)
        # A file of the same size and time is another one all the same.
        file = host.root / "var/lib/dpkg/status"
        facts = file.stat()
        file.write_text(status({"openssl": "3.1.1-1"}))
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        self.assertEqual(file.stat().st_size, facts.st_size)
        self.assertIn("report 2: 1 packages", once())
        self.expect_findings([])
        # The server has the whole when it asks for it.
        self.server.admin("agent", "collect", agent, "--account", ACCOUNT)
        self.assertIn("report 3: 1 packages", once())
        # A state that somebody damaged costs a look.
        (host.state / "look").write_text("looked=9999999999999\nreport=\n")
        once()
        self.assertNotIn("9999999999999", (host.state / "look").read_text())

    def test_wrong_words_are_told(self):
        for words in (["enrol"], ["run", "--nonsense", "x"], ["collect"], ["dance"]):
            answer = self.host(words[0]).agent(*words)
            self.assertEqual(answer.code, support.USAGE, answer)
            self.assertTrue(answer.err.startswith("tenken-agent: "), answer)

    def test_one_collection_goes_into_a_file(self):
        host = self.host()
        answer = host.agent("collect", "--once", "--output", self.directory / "report")
        self.assertEqual(answer.code, 0, answer)
        lines = (self.directory / "report").read_text().splitlines()
        self.assertEqual(lines, sorted(lines))
        packages = [json.loads(line) for line in lines if json.loads(line)["k"] == "package"]
        self.assertEqual([one["name"] for one in packages], ["openssl"])

    def test_a_file_of_the_working_directory_is_written(self):
        folder = self.directory / "here"
        folder.mkdir()
        words = [self.among_mounts("shared"), "collect", "--once", "--output", "report.txt"]
        answer = subprocess.run(
            words, cwd=folder, capture_output=True, env=support.environment(), timeout=60, check=False
        )
        self.assertEqual(answer.returncode, 0, answer)
        self.assertEqual([file.name for file in folder.iterdir()], ["report.txt"])
        lines = (folder / "report.txt").read_text().splitlines()
        self.assertIn("package", [json.loads(line)["k"] for line in lines])


if __name__ == "__main__":
    support.main()
