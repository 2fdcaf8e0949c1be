#!/usr/bin/env python3
"""The server as a process: how it starts, logs, keeps its advisories current, is watched, backed up
and stopped, and what it does when the disk is full or the database gone.
"""
import aws_tools

aws_tools.enter()

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import time
import zipfile

import postgres_server
import server
import support
from server import wait_for

directory = None
database = None


def setUpModule():
    global directory, database
    directory = support.ModuleDirectory()
    feed = support.write_feed(directory.path / "feed")
    database = support.build(directory.path / "advisories.db", feed)


def tearDownModule():
    directory.remove()


SBOM = support.cyclonedx("pkg:pypi/demo-package@1.0", "pkg:pypi/once@1.0")


def log_lines(one):
    return [json.loads(line) for line in one.log_file.read_text().splitlines()]


def messages(one):
    return [line.get("message") for line in log_lines(one)]


class ServeCase(support.TestCase):
    def serve(self, *arguments, **named):
        named.setdefault("database", database)
        one = server.Server(arguments=arguments, **named)
        self.addCleanup(one.close)
        return one

    def refused(self, *words, code=support.USAGE, **variables):
        answer = support.tenken("serve", *words, **variables)
        self.assertEqual(answer.code, code, answer)
        self.assertEqual(answer.out, "", answer)
        return answer.err


class Process(ServeCase):
    def test_wrong_options_end_with_2_and_print_nothing(self):
        data = self.directory / "data"
        for words in (
            ("--no-such-option",),
            ("--listen", "nowhere"),
            ("--listen", "127.0.0.1:99999"),
            ("--plaintext", "--listen", "0.0.0.0:0"),
            ("--tls-cert", "x.pem"),
            ("--region", "x y"),
            ("--region", "EU"),
            ("--region", "a" * 33),
            ("--metrics-token-file", "/dev/null"),
            ("--feeds", self.directory, "--db", database),
            ("--backup-dir", self.directory / "b", "--database", "postgresql:///x"),
        ):
            with self.subTest(words=words):
                self.refused("--data", data, *words)

    def test_a_config_file_says_what_options_say(self):
        data = self.directory / "data"
        config = support.write(
            self.directory / "serve.conf",
            f"data={data}\ndb={database}\nlisten=localhost:0\nplaintext=true\n",
        )
        process = subprocess.Popen(
            [support.TENKEN, "serve", "--config", config],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=support.environment(),
        )  # fmt: skip
        self.addCleanup(process.kill)
        self.assertRegex(process.stdout.readline().decode(), r"^listening http://127\.0\.0\.1:\d+$")
        self.assertTrue((data / "tenken.sqlite").exists())
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(process.stdout.read(), b"")
        process.stdout.close()

    def test_a_wrong_config_file_is_told_with_the_file_and_the_option(self):
        for text, english, japanese in (
            (
                "no-such-option=1\n",
                'serve has no option "no-such-option"; "tenken serve --help" lists them',
                "serve にオプション「no-such-option」はありません。"
                "一覧は「tenken serve --help」で確認できます",
            ),
            (
                "[serve]\nlisten=127.0.0.1:0\n",
                "[serve]: write the options without sections",
                "[serve]: セクションを使わずにオプションを書いてください",
            ),
            ("listen=\n", "--listen: an empty value is given", "--listen: 値が空です"),
        ):
            with self.subTest(text=text):
                wrong = support.write(self.directory / "wrong.conf", text)
                self.assertEqual(
                    self.refused("--config", wrong), f"tenken: {wrong}: {english}\n"
                )
                self.assertEqual(
                    self.refused("--config", wrong, LC_ALL="ja_JP.UTF-8"),
                    f"tenken: {wrong}: {japanese}\n",
                )
        missing = self.directory / "missing.conf"
        self.assertIn(str(missing), self.refused("--config", missing))

    def test_it_listens_on_ipv6(self):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                self.skipTest("no IPv6 here")
        process = subprocess.Popen(
            [support.TENKEN, "serve", "--data", self.directory / "data", "--db", database,
             "--listen", "[::1]:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=support.environment(),
        )  # fmt: skip
        self.addCleanup(process.kill)
        self.assertRegex(process.stdout.readline().decode(), r"^listening https://\[::1\]:\d+$")
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        process.stdout.close()

    def test_on_every_address_the_url_has_a_name_of_the_certificate(self):
        data = self.directory / "data"
        process = subprocess.Popen(
            [support.TENKEN, "serve", "--data", data, "--db", database, "--listen", "0.0.0.0:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=support.environment(SOURCE_DATE_EPOCH=None),
        )  # fmt: skip
        self.addCleanup(process.kill)
        line = process.stdout.readline().decode()
        host, port = re.fullmatch(r"listening https://([A-Za-z0-9._-]+):(\d+)\n", line).groups()
        self.assertNotEqual(host, "0.0.0.0")
        trust = ssl.create_default_context(cafile=data / "tls/ca.pem")
        for name in (host, "127.0.0.1", "localhost"):
            with socket.create_connection(("127.0.0.1", int(port))) as plain:
                trust.wrap_socket(plain, server_hostname=name).close()
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        process.stdout.close()

    def test_nodes_of_one_database_share_the_authority(self):
        with postgres_server.PostgresServer() as postgres:
            one = self.serve(database_uri=postgres.uri)
            other = self.directory / "other"
            other.mkdir()
            shutil.copy(one.directory / "secret.key", other)
            two = self.serve(database_uri=postgres.uri, directory=other)
            for file in ("ca.pem", "ca.key"):
                self.assertEqual(
                    (one.directory / "tls" / file).read_text(), (other / "tls" / file).read_text()
                )
            self.assertEqual(stat.S_IMODE((other / "tls/ca.key").stat().st_mode), 0o600)
            two.close()
            (other / "secret.key").unlink()
            said = self.refused(
                "--data", other, "--database", postgres.uri, "--db", database,
                "--listen", "127.0.0.1:0", code=support.TARGET,
            )  # fmt: skip
            self.assertIn("another secret key", said)
            one.close()

    def test_a_second_server_on_the_same_store_is_refused_until_the_first_is_killed(self):
        one = self.serve()
        said = self.refused(
            "--data", one.directory, "--listen", "127.0.0.1:0", "--db", database,
            code=support.TARGET,
        )  # fmt: skip
        self.assertIn("a server runs on", said)
        one.kill()
        one.start()
        self.assertEqual(one.send("GET", "/healthz").status, 200)

    def test_a_port_that_another_program_has_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = self.refused(
                "--data", self.directory / "data", "--db", database,
                "--listen", f"127.0.0.1:{port}", code=support.TARGET,
            )  # fmt: skip
        self.assertIn(f"port {port}: another program has this port", said)
        self.assertIn("--listen", said)

    def test_it_stops_soon_with_open_connections(self):
        one = self.serve()
        idle = one.connect()
        one.send("GET", "/healthz", connection=idle)
        began = time.monotonic()
        one.stop(10)
        self.assertLess(time.monotonic() - began, 10)
        idle.close()

    def test_hangup_reads_the_certificate_and_opens_the_log_anew(self):
        one = self.serve()
        file = self.directory / "tenken.log"
        one.stop()
        one.arguments = ["--log", str(file)]
        one.start()
        shutil.copy(one.directory / "tls/server.pem", self.directory / "old.pem")
        file.rename(self.directory / "tenken.log.1")
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: file.exists() and "anew" in file.read_text(), what="the new log")
        (one.directory / "tls/server.pem").write_text("no certificate")
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: '"error"' in file.read_text(), what="the error")
        self.assertEqual(one.send("GET", "/healthz").status, 200)
        shutil.copy(self.directory / "old.pem", one.directory / "tls/server.pem")

    def test_private_files_are_private(self):
        one = self.serve()
        for name in ("secret.key", "tls/ca.key", "tls/server.key", "tenken.sqlite", "serve.lock"):
            mode = stat.S_IMODE((one.directory / name).stat().st_mode)
            self.assertEqual(mode, 0o600, name)


class Logs(ServeCase):
    def test_every_line_is_json_and_no_secret_is_in_it(self):
        one = self.serve()
        key = one.key()
        one.request("GET", "/v1/resources?secret=hidden", headers={"User-Agent": "a \"b"})
        one.send("GET", "/v1/resources", headers={"Authorization": "AWS4-HMAC-SHA256 hush"})
        one.stop()
        lines = [line for line in log_lines(one) if line["level"] == "access"]
        signed, unsigned = lines[-2:]
        self.assertEqual(signed["path"], "/v1/resources")
        self.assertEqual(signed["account"], server.ACCOUNT)
        self.assertEqual(signed["key"], key.id)
        self.assertEqual(signed["status"], 400)  # no such parameter
        self.assertEqual(signed["method"], "GET")
        for name in ("time", "request", "operation", "bytes", "micros", "agent", "peer"):
            self.assertIn(name, signed)
        self.assertNotIn("account", unsigned)
        text = one.log_file.read_text()
        for secret in (key.secret, "hidden", "hush"):
            self.assertNotIn(secret, text)

    def test_the_first_start_says_how_to_make_a_key_and_later_ones_do_not(self):
        one = self.serve()
        self.assertIn("tenken admin key create --data", one.log())
        one.key()
        one.stop()
        one.log_file.unlink()
        one.start()
        self.assertNotIn("tenken admin key create", one.log())

    def test_a_reader_that_never_drains_the_log_does_not_stop_the_server(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        data = self.directory / "data"
        process = subprocess.Popen(
            [support.TENKEN, "serve", "--data", data, "--db", database, "--plaintext",
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=write, env=support.environment(),
        )  # fmt: skip
        os.close(write)
        self.addCleanup(process.kill)
        port = int(process.stdout.readline().decode().rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for _ in range(25_000):
            connection.request("GET", "/v1/" + "x" * 900)
            connection.getresponse().read()
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
        self.assertGreater(float(re.search(r"^tenken_log_lines_dropped_total (\S+)$", page, re.M)[1]), 0)
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        process.stdout.close()


class Watching(ServeCase):
    def metrics(self, one, headers=None):
        answer = one.send("GET", "/metrics", headers=headers)
        self.assertEqual(answer.status, 200)
        out = {}
        for line in answer.body.decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                self.assertNotIn(name, out)
                out[name] = float(value)
        return out

    def test_metrics_count_what_happens(self):
        one = self.serve()
        self.assertEqual(one.put_inventory("web-1", SBOM).status // 100, 2)
        found = self.metrics(one)
        self.assertEqual(found['tenken_inventories_total{result="written"}'], 1)
        name = 'tenken_requests_total{operation="PUT /v1/resources/{id}/inventory",status="%d"}'
        self.assertEqual(sum(found.get(name % status, 0) for status in (200, 201, 202)), 1)
        for one_of in ("process_resident_memory_bytes", "process_open_fds", "tenken_connections",
                       "tenken_store_up", "tenken_disk_free_bytes", "tenken_advisory_records"):
            self.assertGreater(found[one_of], 0, one_of)
        self.assertIn('tenken_feed_records{node="%s",feed="osv"}' % socket.gethostname(), found)

    def test_a_token_is_asked_of_everybody_where_there_is_one(self):
        token = support.write(self.directory / "token", "tell-me\n")
        one = self.serve("--metrics-token-file", str(token))
        self.assertEqual(one.send("GET", "/metrics").status, 403)
        wrong = {"Authorization": "Bearer tell-m"}
        self.assertEqual(one.send("GET", "/metrics", headers=wrong).status, 403)
        self.metrics(one, {"Authorization": "Bearer tell-me"})

    def test_it_is_ready_once_there_is_a_database(self):
        later = self.directory / "later.db"
        one = self.serve(database=later)
        answer = one.send("GET", "/readyz")
        self.assertEqual(answer.status, 503)
        self.assertIn(b"no advisory database", answer.body)
        self.assertEqual(one.send("GET", "/healthz").status, 200)
        known = one.request("GET", "/v1/database").json()
        self.assertIsNone(known["database"])
        self.assertIn("no advisory database", known["problem"])
        told = [line for line in log_lines(one) if "no advisory database" in line.get("message", "")]
        self.assertEqual([(line["level"], str(later) in line["error"]) for line in told], [("error", True)])
        self.assertIn("tenken db update", told[0]["remedy"])
        shutil.copy(database, later)
        wait_for(lambda: one.send("GET", "/readyz").status == 200, what="readiness")
        self.assertNotIn("problem", one.request("GET", "/v1/database").json())

    def test_a_refused_start_says_why_and_nothing_else(self):
        uri = "postgresql://127.0.0.1:1/none"
        said = self.refused("--database", uri, code=support.TARGET)
        self.assertRegex(said, r"^tenken: the store cannot be opened: [^\n]*PostgreSQL[^\n]*\n$")


class Advisories(ServeCase):
    def build(self, name, *purls_fixed):
        feed = self.directory / (name + "-feed")
        for number, (package, fixed) in enumerate(purls_fixed):
            record = support.advisory(
                f"PYSEC-{number}", "PyPI", package, [{"introduced": "0"}, {"fixed": fixed}]
            )
            support.write(feed / (record["id"] + ".json"), record)
        return support.build(self.directory / (name + ".db"), feed)

    def active(self, one):
        return sorted(
            finding["packageVulnerabilityDetails"]["vulnerabilityId"]
            for finding in one.findings(findingStatus=[{"comparison": "EQUALS", "value": "ACTIVE"}])
        )

    def test_a_newer_file_is_taken_in_and_a_damaged_one_is_told_once(self):
        used = self.directory / "used.db"
        shutil.copy(self.build("first", ("demo-package", "0.5"), ("once", "0.1")), used)
        one = self.serve(database=used)
        one.put_inventory("web-1", SBOM)
        used.write_bytes(b"no database")
        wait_for(lambda: any("cannot be used" in (m or "") for m in messages(one)), what="the line")
        time.sleep(2.5)
        self.assertEqual(sum("cannot be used" in (m or "") for m in messages(one)), 1)
        self.assertEqual(one.send("GET", "/readyz").status, 200)
        fresh = self.directory / "fresh.db"
        shutil.copy(self.build("second", ("demo-package", "2.0")), fresh)
        fresh.rename(used)
        wait_for(lambda: self.active(one) == ["PYSEC-0"], what="the finding")
        wait_for(lambda: any("less than" in (m or "") for m in messages(one)), what="the warning")

    def test_a_directory_of_feeds_is_built_from_when_it_changes(self):
        feeds = support.write_feed(self.directory / "feeds")
        data = self.directory / "data"
        data.mkdir()
        one = self.serve("--feeds", str(feeds), database=self.directory / "generations",
                         directory=data)
        wait_for(lambda: one.send("GET", "/readyz").status == 200, 60, "the first generation")
        one.put_inventory("web-1", SBOM)
        before = len(self.active(one))
        record = support.advisory("PYSEC-77", "PyPI", "once", [{"introduced": "0"}])
        support.write(feeds / "PYSEC-77.json", record)
        wait_for(lambda: "PYSEC-77" in self.active(one), 60, "the new advisory's finding")
        self.assertGreater(len(self.active(one)), before)
        support.write(feeds / "PYSEC-78.json", b"{")
        time.sleep(1)
        self.assertEqual(one.send("GET", "/readyz").status, 200)

    def test_a_file_of_feeds_that_breaks_keeps_what_it_said_and_is_told(self):
        feeds = self.directory / "feeds"

        def write_archive(ecosystem, identifier):
            archive = feeds / "osv" / ecosystem / "all.zip"
            archive.parent.mkdir(parents=True, exist_ok=True)
            record = support.advisory(identifier, ecosystem, "once", [{"introduced": "0"}])
            with zipfile.ZipFile(archive, "w") as out:
                out.writestr(identifier + ".json", json.dumps(record))
            return archive

        broken = write_archive("PyPI", "PYSEC-77")
        write_archive("Go", "GO-1")
        data = self.directory / "data"
        data.mkdir()
        one = self.serve("--feeds", str(feeds), database=self.directory / "generations",
                         directory=data)
        failing = lambda: re.findall(
            r'tenken_feed_failing\{node="[^"]+",feed="osv"\} (\d)',
            one.send("GET", "/metrics").body.decode(),
        )
        covered = lambda name: one.request("GET", f"/v1/resources/{name}").json()["coverage"]
        wait_for(lambda: one.send("GET", "/readyz").status == 200, 60, "the first generation")
        one.put_inventory("web-1", SBOM)
        wait_for(lambda: self.active(one) == ["PYSEC-77"], what="the finding")
        for number, content in enumerate((b"broken", b"")):
            broken.write_bytes(content)
            write_archive("Go", f"GO-{number + 2}")
            wait_for(lambda: failing() == ["1"], 60, "the failure")
            told = json.dumps(one.request("GET", "/v1/database").json())
            self.assertIn("osv/PyPI/all.zip", told)
            one.put_inventory(f"new-{number}", SBOM)
            wait_for(lambda: len(self.active(one)) == 2 + number, what="the new host's finding")
            self.assertEqual(covered(f"new-{number}")["status"], "ACTIVE")
            write_archive("PyPI", "PYSEC-77")
            wait_for(lambda: failing() == ["0"], 60, "the repair")
        self.assertEqual(covered("web-1")["status"], "ACTIVE")
        self.assertEqual(set(self.active(one)), {"PYSEC-77"})

    def test_feeds_that_fail_are_kept_as_states_and_hide_nothing(self):
        mirror = self.directory / "mirror"
        (mirror / "osv-vulnerabilities.storage.googleapis.com").mkdir(parents=True)
        generations = self.directory / "generations"
        generations.mkdir()
        shutil.copy(database, generations / "advisories.db")
        one = self.serve(
            "--mirror", str(mirror), "--feed", "kev", "--feed", "epss",
            database=generations, fetching=True,
        )
        failed = lambda: [line for line in log_lines(one) if line.get("message") == "feed failed"]
        wait_for(lambda: {line["feed"] for line in failed()} >= {"kev", "epss"}, 60, "the failures")
        self.assertEqual(one.send("GET", "/readyz").status, 200)
        page = one.send("GET", "/metrics").body.decode()
        self.assertRegex(page, r'tenken_feed_failing\{node="[^"]+",feed="kev"\} 1')
        one.stop()
        count = len(failed())
        one.start()
        time.sleep(7)
        self.assertEqual(len(failed()), count, "after a restart a feed waits for its turn")


class Faults(ServeCase):
    def assert_to_be_tried_again(self, answer):
        self.assertEqual(answer.status, 503, answer)
        self.assertEqual(answer.headers["x-amzn-ErrorType"], "ServiceUnavailableException")
        self.assertIn("Retry-After", answer.headers)
        self.assertIn("message", answer.json())

    def test_a_nearly_full_disk_refuses_inventories_until_there_is_room(self):
        one = self.serve("--min-free-bytes", str(1 << 60))
        answer = one.put_inventory("web-1", SBOM)
        self.assert_to_be_tried_again(answer)
        self.assertEqual(one.request("GET", "/v1/resources").status, 200)
        one.stop()
        one.arguments = []
        one.start()
        self.assertEqual(one.put_inventory("web-1", SBOM).status // 100, 2)

    def test_a_log_that_somebody_removes_is_noticed(self):
        one = self.serve()
        self.assertEqual(one.put_inventory("web-1", SBOM).status // 100, 2)
        time.sleep(1.5)  # a look each second
        (one.directory / "tenken.sqlite-wal").unlink()
        wait_for(lambda: one.send("GET", "/readyz").status == 503, what="not ready")
        self.assertIn("log was removed", one.log())
        self.assert_to_be_tried_again(one.put_inventory("web-2", SBOM))

    def test_a_database_that_is_gone_is_refused_and_comes_back(self):
        with postgres_server.PostgresServer() as postgres:
            one = self.serve(database_uri=postgres.uri)
            self.assertEqual(one.put_inventory("web-1", SBOM).status // 100, 2)
            postgres.stop()
            wait_for(lambda: one.send("GET", "/readyz").status == 503, what="not ready")
            answer = one.put_inventory("web-2", SBOM)
            self.assert_to_be_tried_again(answer)
            postgres.start()
            wait_for(lambda: one.send("GET", "/readyz").status == 200, what="ready again")
            wait_for(lambda: one.put_inventory("web-2", SBOM).status // 100 == 2, what="an answer")
            wait_for(lambda: len(one.findings()) > 0, what="findings")
            one.close()


class Backups(ServeCase):
    def admin(self, code, *words):
        answer = support.tenken("admin", *words, SOURCE_DATE_EPOCH=None)
        self.assertEqual(answer.code, code, answer)
        return answer

    def test_a_backup_of_a_running_server_is_restored_elsewhere(self):
        one = self.serve()
        one.put_inventory("web-1", SBOM)
        wait_for(lambda: len(one.findings()) > 0, what="findings")
        copy = self.directory / "copy.sqlite"
        self.admin(support.OK, "backup", copy, "--data", one.directory)
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        said = self.admin(support.TARGET, "restore", copy, "--data", one.directory, "--force")
        self.assertIn("stop the server first", said.err)
        self.assertNotIn("PostgreSQL", said.err)

        other = self.directory / "other"
        said = self.admin(support.OK, "restore", copy, "--data", other)
        self.assertIn("issue new ones", said.err)
        self.assertRegex(said.err, "its (1 access key is|[2-9] access keys are) ended;")
        said = self.admin(support.USAGE, "restore", copy, "--data", other)
        self.assertIn("--force", said.err)
        cut = self.directory / "cut"
        shutil.copytree(other, cut)
        (cut / "tenken.sqlite").rename(cut / "tenken.sqlite.restored")
        said = self.admin(support.TARGET, "key", "list", "--data", cut, "--account", server.ACCOUNT)
        self.assertIn("a restore was cut off", said.err)
        self.admin(support.OK, "restore", copy, "--data", cut)
        self.admin(support.OK, "key", "list", "--data", cut, "--account", server.ACCOUNT)
        second = self.serve(directory=other)
        self.assertEqual(len(second.findings()), len(one.findings()))
        self.assertEqual(second.request("GET", "/v1/resources", key=one.key()).status, 403)

    def test_what_the_store_does_not_let_be_done_is_usage(self):
        one = self.serve()
        one.stop()
        whose = ("--account", server.ACCOUNT, "--data", one.directory)
        ann = ("--user", "ann", *whose)
        self.admin(support.OK, "user", "create", *ann)
        for words in (
            ("user", "create", *ann, "--role", "admin"),
            ("key", "create", *ann, "--role", "admin"),
        ):
            self.assertIn("has the role viewer", self.admin(support.USAGE, *words).err)
        for _ in range(2):
            self.admin(support.OK, "key", "create", *ann)
        self.assertIn("revoke one", self.admin(support.USAGE, "key", "create", *ann).err)
        add = ("collect", "add", "--host", "h.example", *whose)
        self.admin(support.OK, *add)
        self.assertIn("collected already", self.admin(support.USAGE, *add).err)

    def test_a_key_may_be_named_with_its_account(self):
        one = self.serve()
        key = one.new_key()
        at = ("--data", one.directory)
        other = ("--account", "999999999999", *at)
        for action in ("rotate", "revoke"):
            said = self.admin(support.USAGE, "key", action, key.id, *other)
            self.assertIn("the account has no key " + key.id, said.err)
            self.admin(support.OK, "key", action, key.id, "--account", server.ACCOUNT, *at)

    def test_a_misspelt_directory_does_not_become_a_store(self):
        absent = self.directory / "absent"
        said = self.admin(support.USAGE, "key", "list", "--data", absent, "--account", server.ACCOUNT)
        self.assertIn("no such directory", said.err)
        self.assertFalse(absent.exists())

    def test_with_its_secret_key_a_restored_store_knows_its_keys(self):
        one = self.serve()
        key = one.key()
        copy = self.directory / "copy.sqlite"
        self.admin(support.OK, "backup", copy, "--data", one.directory)
        other = self.directory / "other"
        other.mkdir()
        shutil.copy(one.directory / "secret.key", other)
        self.assertEqual(self.admin(support.OK, "restore", copy, "--data", other).err, "")
        second = self.serve(directory=other)
        self.assertEqual(second.request("GET", "/v1/resources", key=key).status, 200)

    def test_where_no_store_is_nothing_is_backed_up(self):
        empty = self.directory / "empty"
        copy = self.directory / "copy.sqlite"
        said = self.admin(support.TARGET, "backup", copy, "--data", empty)
        self.assertIn("no store", said.err)
        self.assertFalse(copy.exists())

    def test_what_is_no_backup_replaces_nothing(self):
        one = self.serve()
        one.key()
        one.stop()
        before = (one.directory / "tenken.sqlite").read_bytes()
        for content in (b"", b"no database", before[: len(before) // 2]):
            file = self.directory / "broken"
            file.write_bytes(content)
            said = self.admin(support.USAGE, "restore", file, "--data", one.directory, "--force")
            self.assertRegex(said.err, "no backup of tenken|is damaged: ")
            self.assertNotIn("restore a backup", said.err)
        for absent in (self.directory / "absent", self.directory):
            said = self.admin(support.USAGE, "restore", absent, "--data", one.directory, "--force")
            self.assertIn(str(absent), said.err)
        one.start()
        self.assertEqual(one.request("GET", "/v1/resources").status, 200)

    def test_scheduled_backups_are_made_and_old_ones_removed(self):
        backups = self.directory / "backups"
        backups.mkdir()
        for day in range(1, 5):
            (backups / f"tenken-2020010{day}T000000Z.sqlite").write_bytes(b"old")
        one = self.serve("--backup-dir", str(backups), "--backup-keep", "2")
        wait_for(lambda: "backup made and verified" in messages(one), what="the backup")
        wait_for(lambda: len(list(backups.iterdir())) == 2, what="the clean-up")
        newest = sorted(backups.iterdir())[-1]
        self.assertTrue(newest.read_bytes().startswith(b"SQLite format 3"))

    def test_a_postgresql_store_is_pointed_to_its_own_tools(self):
        said = self.admin(support.USAGE, "backup", "x", "--database", "postgresql:///x")
        self.assertIn("pg_dump", said.err)
        said = self.admin(support.USAGE, "distribute", "--data", self.directory)
        self.assertIn("--database", said.err)

    def test_without_citus_distribute_changes_nothing_and_says_so(self):
        with postgres_server.PostgresServer() as postgres:
            said = self.admin(
                support.USAGE, "distribute", "--database", postgres.uri, "--data", self.directory
            )
            self.assertIn("nothing was changed", said.err)
            psql = postgres_server.programs() / "psql"
            tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"
            self.assertEqual(subprocess.check_output([psql, postgres.uri, "-Atc", tables]), b"0\n")


if __name__ == "__main__":
    support.main()
