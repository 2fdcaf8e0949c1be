"""tenken collect: this machine over SSH, by an sshd that the tests start, and hosts that answer
what they should not."""
import json
import pathlib
import shlex
import shutil
import tempfile
import unittest

import aws_tools

aws_tools.enter()

import own_api  # noqa: E402
import postgres_server  # noqa: E402
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

    def host_that_is_changed(self, change):
        """A host of two packages, whose user runs another command before the copy's end."""
        root = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for path, text in (
            ("etc/os-release", 'ID=debian\nVERSION_ID="12"\n'),
            ("var/lib/dpkg/status", "".join(
                f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
                "Version: 1\n\n" for name in ("libc6", "bash"))),
        ):  # fmt: skip
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(text)
        first, rest = support.tenken("collect", "--print-script").out.split("\n", 1)
        self.assertEqual(first, "root=")
        begin, end = rest.rsplit("\nfinish\n", 1)
        script = root / "script"
        script.write_text(f"root={root}\n{begin}\n(cd {root} && {change})\nfinish\n{end}")
        return self.sshd(f"/bin/sh {script}")

    def test_what_changes_while_it_is_read_is_read_once_more(self):
        words = ["--db", self.database, "--format", "json"]
        touch = "touch -d 2001-01-01T00:00:00.$(wc -c <times) var/lib/dpkg/status"
        once = self.host_that_is_changed(f"echo >>times; [ $(wc -c <times) -gt 1 ] || {touch}")
        found = json.loads(self.collect(once, *words).out)
        self.assertEqual(found["packages"], 2)
        always = self.host_that_is_changed(f"echo >>times; {touch}")
        answer = self.collect(always, *words, code=support.TARGET)
        self.assertIn("its files changed while they were read", answer.err)
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


class Schedule:
    """Hosts that the server asks by itself."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        database = own_api.build_database(
            scratch.name, [own_api.advisory("CVE-2024-1", "glibc", "99:1", "Debian:12")]
        )
        cls.sshd = ssh_server.SshServer()
        cls.addClassCleanup(cls.sshd.close)
        cls.broken = ssh_server.SshServer("echo nothing")
        cls.addClassCleanup(cls.broken.close)
        cls.server = serve.Server(database, database_uri=cls.store())
        cls.addClassCleanup(cls.server.close)
        cls.description = own_api.Description()
        cls.server.key()  # makes the account
        folder = cls.server.directory / "ssh"
        folder.mkdir(mode=0o700)
        shutil.copy(cls.sshd.identity, folder / "id")
        shutil.copy(f"{cls.sshd.identity}.pub", cls.broken.directory / "authorized_keys")
        known = [one.known_hosts.read_text() for one in (cls.sshd, cls.broken)]
        (folder / "known_hosts").write_text("".join(known))

    def add(self, host, port, *words):
        self.server.admin("collect", "add", "--account", serve.ACCOUNT, "--host", host,
                          "--port", str(port), *words)  # fmt: skip

    def collections(self):
        response = self.server.request("GET", "/v1/collections")
        listed = self.description.check("GET", "/v1/collections", response)["collections"]
        return {one["host"]: one for one in listed}

    def test_a_failing_host_keeps_no_other_from_its_turn(self):
        good = f"{ssh_server.USER}@127.0.0.1"
        bad = f"{ssh_server.USER}@[127.0.0.1]"
        self.add(bad, self.broken.port, "--every", "6h")
        self.add("nobody@127.0.0.1", 1, "--every", "6h")
        self.add(good, self.sshd.port, "--every", "6h", "--tag", "env=prod")
        serve.wait_for(lambda: "succeededAt" in self.collections()[good], 60, "a collection")
        serve.wait_for(
            lambda: all(one.get("attemptedAt") for one in self.collections().values()), 60, "tries"
        )
        listed = self.collections()
        resource = listed[good]["resourceId"]
        self.assertEqual((listed[good]["failures"], listed[good]["tags"]), (0, {"env": "prod"}))
        self.assertRegex(resource, "^mi-")
        self.assertGreaterEqual(listed["nobody@127.0.0.1"]["failures"], 1)
        self.assertIn("Connection refused", listed["nobody@127.0.0.1"]["lastError"])
        self.assertGreaterEqual(listed[bad]["failures"], 1)
        self.assertNotIn("succeededAt", listed[bad])
        shown = self.server.request("GET", f"/v1/resources/{resource}").json()
        self.assertEqual(shown["tags"], {"env": "prod"})
        self.assertGreater(shown["packages"], 0)
        client = self.server.client("inspector2")
        criteria = {"resourceId": [{"comparison": "EQUALS", "value": resource}]}
        covered = client.list_coverage(filterCriteria=criteria)["coveredResources"][0]
        self.assertEqual(covered["scanMode"], "EC2_AGENTLESS")
        lines = self.server.admin("collect", "list", "--account", serve.ACCOUNT).splitlines()
        self.assertEqual(len(lines), 3)
        connection = self.server.connect()
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        connection.close()
        self.assertIn('tenken_collections{state="good"} 1', metrics)
        self.assertIn('tenken_collections{state="failing"} 2', metrics)
        self.server.admin("collect", "remove", "--account", serve.ACCOUNT, "--host", bad)
        self.assertNotIn(bad, self.collections())
        noted = self.server.request("GET", "/v1/audit").json()["events"]
        done = [(one["action"], one["target"]) for one in noted]
        for action in ("tenken:AddCollection", "tenken:RemoveCollection"):
            self.assertIn((action, bad), done)

    def test_what_was_put_with_a_key_is_taken_by_an_operators_word_alone(self):
        good = f"{ssh_server.USER}@127.0.0.1"
        command = ["collect", *self.sshd.words(), "--save", str(self.server.directory / "saved")]
        answer = support.tenken(*command)
        self.assertEqual(answer.code, support.OK, str(answer))
        resource = answer.out.strip()
        account = "222233334444"  # here nobody else collects it
        key = self.server.key(account)
        sbom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"type": "library", "name": "alpha", "version": "1.0",
             "purl": "pkg:pypi/alpha@1.0"}]}  # fmt: skip
        put = self.server.put_inventory(resource, sbom, key)
        self.assertIn(put.status, (200, 201, 202), str(put))

        def collected():
            (one,) = self.server.request("GET", "/v1/collections", key=key).json()["collections"]
            return one

        def add():
            self.server.admin("collect", "add", "--account", account, "--host", good,
                              "--port", str(self.sshd.port), "--every", "6h")  # fmt: skip
            serve.wait_for(lambda: collected().get("attemptedAt"), 60, "a try")

        def packages():
            target = f"/v1/resources/{resource}/packages"
            return [one["name"] for one in
                    self.server.request("GET", target, key=key).json()["packages"]]  # fmt: skip

        add()
        self.assertIn(f"{resource}, whose inventory was put with a key", collected()["lastError"])
        self.assertIn(f"DELETE /v1/resources/{resource}", collected()["lastError"])
        self.assertEqual(packages(), ["alpha"])
        gone = self.server.request("DELETE", f"/v1/resources/{resource}", key=key)
        self.assertEqual(gone.status, 200, str(gone))
        self.server.admin("collect", "remove", "--account", account, "--host", good)
        add()
        self.assertEqual((collected()["resourceId"], collected()["failures"]), (resource, 0))
        self.assertNotIn("alpha", packages())
        self.server.admin("collect", "remove", "--account", account, "--host", good)

    def test_what_is_no_host_is_refused(self):
        for words in (
            ["--host=-oProxyCommand=sh"],
            ["--host", "a b"],
            ["--host", "a", "--every", "1s"],
            ["--host", "a", "--tag", "x"],
            ["--host", "a", "--account", "12"],
        ):
            answer = support.tenken(
                "admin", "collect", "add",
                *([] if "--account" in words else ["--account", serve.ACCOUNT]),
                *words, *self.server.store,
            )  # fmt: skip
            self.assertNotEqual(answer.code, support.OK, str(answer))


class OnSqlite(Schedule, unittest.TestCase):
    @staticmethod
    def store():
        return None


class OnPostgresql(Schedule, unittest.TestCase):
    @classmethod
    def store(cls):
        postgres_server.need_postgres()
        postgres = postgres_server.PostgresServer()
        cls.addClassCleanup(postgres.close)
        return postgres.uri


if __name__ == "__main__":
    support.main()
