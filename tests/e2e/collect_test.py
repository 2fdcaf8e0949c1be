"""tenken collect: this machine over SSH, by an sshd that the tests start, and hosts that answer
what they should not."""
import json
import pathlib
import shlex
import tempfile
import unittest

import aws_tools

aws_tools.enter()

import own_api  # noqa: E402
import server as serve  # noqa: E402
import ssh_server  # noqa: E402
import support  # noqa: E402


def setUpModule():
    ssh_server.need()


class Collect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        advisories = []
        for name, ecosystem in (("libc6", "Debian:12"), ("glibc", "Debian:12")):
            advisories.append(own_api.advisory(f"CVE-2024-{len(name)}", name, "99:1", ecosystem))
        cls.database = own_api.build_database(cls.folder, advisories)

    def sshd(self, command=None):
        server = ssh_server.SshServer(command)
        self.addCleanup(server.close)
        return server

    def collect(self, server, *words, code=support.OK):
        answer = support.tenken("collect", *server.words(), *words)
        self.assertEqual(answer.code, code, str(answer))
        return answer

    def scanned(self, answer):
        """A result without the name of the target."""
        document = json.loads(answer.out)
        document.pop("target", None)
        return document

    def test_it_finds_what_a_scan_there_finds(self):
        words = ["--db", self.database, "--format", "json"]
        here = support.tenken("scan", *words)
        self.assertEqual(here.code, support.OK, str(here))
        there = self.collect(self.sshd(), *words)
        self.assertEqual(self.scanned(there), self.scanned(here))
        failing = ["--db", self.database, "--fail-on", "any"]
        if pathlib.Path("/etc/debian_version").read_text().startswith("12"):
            self.collect(self.sshd(), *failing, code=support.FINDINGS)

    def test_a_key_may_be_bound_to_the_script(self):
        script = self.folder / "script"
        script.write_text(support.tenken("collect", "--print-script").out)
        server = self.sshd(f"/bin/sh {script}")
        self.collect(server, "--db", self.database, "--format", "json")

    def test_the_hosts_key_must_be_the_one_that_is_known(self):
        server = self.sshd()
        server.trust(f"{ssh_server.make_key(server.directory / 'other')}.pub")
        answer = self.collect(server, code=support.TARGET)
        self.assertIn("127.0.0.1: it has another key than the one that is known", answer.err)
        server.known_hosts.write_text("")
        answer = self.collect(server, code=support.TARGET)
        self.assertIn("its key is not known", answer.err)

    def test_who_cannot_be_reached_and_who_lets_nobody_in(self):
        server = self.sshd()
        (server.directory / "authorized_keys").write_text("")
        answer = self.collect(server, code=support.TARGET)
        self.assertIn("it does not let this user in", answer.err)
        server.process.terminate()
        server.process.wait(10)
        answer = self.collect(server, code=support.TARGET)
        self.assertIn("Connection refused", answer.err)

    def test_names_that_are_options_are_refused(self):
        mark = self.folder / "mark"
        for host in (f"-oProxyCommand=touch {mark}", f"root@-oProxyCommand=touch {mark}", "a b"):
            answer = support.tenken("collect", f"--ssh={host}")
            self.assertEqual(answer.code, support.USAGE, str(answer))
        self.assertFalse(mark.exists())

    def test_answers_that_are_none(self):
        script = self.folder / "plain"
        script.write_text(support.tenken("collect", "--print-script").out)
        for command, words, reason in (
            ("echo hello; exit 0", [], "no copy of its files: hello"),
            ("echo 'sh: not here' >&2; exit 127", [], "its shell ended with 127: sh: not here"),
            (f"/bin/sh {script} | head -c 500000", [], "its answer ends too early"),
            (f"/bin/sh {script} | head -c 90", [], "its answer ends too early"),
            ("sleep 60", ["--timeout", "2"], "it took longer than 2 s"),
            ("printf 'tenken-copy 1\\nfile 1 etc/passwd\\nx\\nbytes 1\\nend\\n'", [],
             "not asked for: etc/passwd"),
        ):  # fmt: skip
            with self.subTest(command):
                answer = self.collect(self.sshd(command), *words, code=support.TARGET)
                self.assertIn(reason, answer.err)
                self.assertEqual(answer.out, "")

    def test_a_server_has_it_and_keeps_it_where_the_next_copy_is_cut(self):
        with serve.Server(self.database) as server:
            sshd = self.sshd()
            words = ["--server", server.url, "--ca", server.ca_file, "--resource", "legacy-1"]
            environment = server.aws_environment()

            def collect(via, code=support.OK):
                answer = support.tenken("collect", *via.words(), *words, **environment)
                self.assertEqual(answer.code, code, str(answer))
                return answer

            self.assertIn("packages reported", collect(sshd).out)
            self.assertIn("nothing has changed", collect(sshd).out)
            client = server.client("inspector2")
            criteria = {"resourceId": [{"comparison": "EQUALS", "value": "legacy-1"}]}

            def covered():
                return client.list_coverage(filterCriteria=criteria)["coveredResources"][0]

            serve.wait_for(lambda: "lastScannedAt" in covered(), 20, "an evaluation")
            self.assertEqual(covered()["scanMode"], "EC2_AGENTLESS")
            before = client.list_findings(filterCriteria=criteria)["findings"]
            script = self.folder / "cut"
            script.write_text(support.tenken("collect", "--print-script").out)
            cut = self.sshd(f"/bin/sh {shlex.quote(str(script))} | head -c 500000")
            self.assertIn("ends too early", collect(cut, support.TARGET).err)
            after = client.list_findings(filterCriteria=criteria)["findings"]
            self.assertEqual([one["status"] for one in after], [one["status"] for one in before])


if __name__ == "__main__":
    support.main()
