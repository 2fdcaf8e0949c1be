#!/usr/bin/env python3
"""What an operator does as the documents say: the first key, backups, another secret key, wrong
options, and what stays as it was when something is refused."""
import os
import re
import shutil
import sqlite3

import postgres_server
import server
import support

INVENTORY = support.cyclonedx("pkg:pypi/once@1.0")
KEY = ("--account", server.ACCOUNT, "--user", "admin", "--role", "admin")


class OperatingCase(support.TestCase):
    def serve(self, *arguments, **named):
        one = server.Server(arguments=arguments, **named)
        self.addCleanup(one.close)
        return one

    def admin(self, code, *words, **variables):
        answer = support.tenken("admin", *words, SOURCE_DATE_EPOCH=None, **variables)
        self.assertEqual(answer.code, code, answer)
        return answer


class SecretKey(OperatingCase):
    def first_key_line(self, one):
        return re.search(r"the first: tenken (admin key create [^\"]*)", one.log())[1].split()

    def test_the_line_for_the_first_key_names_the_servers_secret_key(self):
        file = self.directory / "elsewhere.key"
        one = self.serve("--secret-key-file", str(file))
        words = self.first_key_line(one)
        self.assertIn(str(file), words)
        key = server.Key(self.admin(support.OK, *words[1:]).out)
        self.assertEqual(one.request("GET", "/v1/resources", key=key).status, 200)
        self.assertFalse((one.directory / "secret.key").exists())
        one.stop()
        one.start()

    def test_a_store_belongs_to_the_secret_key_of_its_first_start(self):
        one = self.serve("--secret-key-file", str(self.directory / "elsewhere.key"))
        said = self.admin(support.USAGE, "key", "create", *KEY, "--data", one.directory)
        self.assertIn("sealed with another secret key", said.err)
        self.assertFalse((one.directory / "secret.key").exists())
        one.stop()
        said = support.tenken("serve", "--data", one.directory, "--no-update", "--listen", "127.0.0.1:0")
        self.assertEqual(said.code, support.TARGET, said)
        self.assertIn("sealed with another secret key", said.err)
        self.assertFalse((one.directory / "secret.key").exists())

    def test_on_postgresql_the_line_names_the_data_directory(self):
        with postgres_server.PostgresServer() as postgres:
            one = self.serve(database_uri=postgres.uri)
            words = self.first_key_line(one)
            self.assertIn(str(one.directory), words)
            home = self.directory / "home"
            at = ("--database", postgres.uri, "--data", home)
            said = self.admin(support.USAGE, "key", "create", *KEY, *at)
            self.assertIn("sealed with another secret key", said.err)
            self.assertFalse((home / "secret.key").exists())

    def test_a_lost_secret_key_is_given_up_by_a_backup_and_its_restoring(self):
        one = self.serve()
        one.key()
        one.stop()
        (one.directory / "secret.key").unlink()
        copy = self.directory / "copy.sqlite"
        self.admin(support.OK, "backup", copy, "--data", one.directory)
        said = self.admin(support.OK, "restore", copy, "--data", one.directory, "--force")
        self.assertIn("1 access key is ended", said.err)
        one.start()
        self.assertEqual(one.request("GET", "/v1/resources", key=one.new_key()).status, 200)


class AdvisoryFile(OperatingCase):
    def build(self, version):
        record = support.advisory("PYSEC-1", "PyPI", "once", [{"introduced": "0"}, {"fixed": version}])
        feed = self.directory / version
        support.write(feed / "PYSEC-1.json", record)
        return support.build(self.directory / f"{version}.db", feed)

    def test_a_file_damaged_or_removed_while_the_server_was_down_leaves_its_copy_in_use(self):
        data, used = self.directory / "data", self.directory / "used.db"
        data.mkdir()
        shutil.copy(self.build("2.0"), used)
        one = server.Server(used, directory=data)
        self.addCleanup(one.close)
        ready = lambda: one.send("GET", "/readyz")
        problem = lambda: one.request("GET", "/v1/database").json().get("problem", "")
        server.wait_for(lambda: ready().status == 200, 15, "the first generation")
        for name, spoil in (("damaged", lambda: used.write_bytes(b"no database")), ("gone", used.unlink)):
            one.stop()
            spoil()
            one.start()
            server.wait_for(lambda: "the one in use stays" in problem(), 15, "the fault of the file")
            self.assertEqual(ready().status, 200, name)
            one.put_inventory(name, INVENTORY)
            server.wait_for(lambda: one.findings(resourceId=[{"comparison": "EQUALS", "value": name}]),
                            15, "the finding")  # fmt: skip
        shutil.copy(self.build("3.0"), self.directory / "fresh.db")
        os.replace(self.directory / "fresh.db", used)
        server.wait_for(lambda: problem() == "", 15, "the new file")

    def test_without_a_copy_it_is_said_that_the_file_is_damaged(self):
        used = self.directory / "used.db"
        used.write_bytes(b"no database")
        one = server.Server(used)
        self.addCleanup(one.close)
        refused = lambda: one.send("GET", "/readyz")
        server.wait_for(lambda: b"cannot be used" in refused().body, 15, "the reason")
        self.assertEqual(refused().status, 503)


class Refusals(OperatingCase):
    def test_a_backup_takes_the_place_of_backups_only(self):
        one = self.serve()
        one.key()
        names = ("secret.key", "tenken.sqlite", "tenken.sqlite-wal", "serve.lock", "tls/ca.key")
        for name in (*names, "tenken.sqlite.restored", "tls/more"):
            file = one.directory / name
            before = file.read_bytes() if name in names[:1] + names[4:] else None
            self.admin(support.USAGE, "backup", file, "--data", one.directory)
            if before is not None:
                self.assertEqual(file.read_bytes(), before)
        link = self.directory / "link"
        link.symlink_to(one.directory / "tenken.sqlite")
        mine = support.write(self.directory / "notes.txt", "mine")
        for file in (link, mine, self.directory, "/dev/null"):
            said = self.admin(support.USAGE, "backup", file, "--data", one.directory)
            self.assertIn("no backup of tenken", said.err)
        self.assertEqual(mine.read_text(), "mine")
        absent = self.directory / "absent"
        said = self.admin(support.USAGE, "backup", absent / "copy.sqlite", "--data", one.directory)
        self.assertIn(f"{absent}: no such directory", said.err)
        copy = self.directory / "copy.sqlite"
        for _ in range(2):
            self.admin(support.OK, "backup", copy, "--data", one.directory)
        own = one.directory / "backups"
        own.mkdir()
        self.admin(support.OK, "backup", own / "tenken-1.sqlite", "--data", one.directory)
        one.stop()
        one.start()
        self.assertEqual(one.request("GET", "/v1/resources").status, 200)

    def test_a_refused_restore_leaves_nothing(self):
        broken = support.write(self.directory / "broken", "no backup")
        other = self.directory / "other.db"
        with sqlite3.connect(other) as database:
            database.execute("CREATE TABLE x (y)")
        empty = self.directory / "empty"
        empty.mkdir()
        for file in (broken, other, self.directory / "absent"):
            self.admin(support.USAGE, "restore", file, "--data", empty)
            self.assertEqual(list(empty.iterdir()), [])
            self.admin(support.USAGE, "restore", file, "--data", self.directory / "none")
            self.assertFalse((self.directory / "none").exists())

    def test_lists_of_an_account_that_is_not_there(self):
        one = self.serve()
        one.key()
        one.admin("account", "revoke", "--account", server.ACCOUNT)
        for group in ("user", "key", "agent", "token", "collect"):
            at = (group, "list", "--data", one.directory, "--account")
            said = self.admin(support.USAGE, *at, "999999999999")
            self.assertIn("there is no account 999999999999", said.err)
            self.admin(support.OK, *at, server.ACCOUNT)

    def test_a_newer_store_is_refused_and_can_be_copied(self):
        one = self.serve()
        one.stop()
        with sqlite3.connect(one.directory / "tenken.sqlite") as database:
            database.execute("INSERT INTO schema_version VALUES ('store', 9999, 0)")
        database.close()
        said = self.admin(support.TARGET, "account", "list", "--data", one.directory)
        self.assertIn("run the newer tenken", said.err)
        self.admin(support.OK, "backup", self.directory / "copy", "--data", one.directory)

    def test_a_store_that_is_none_is_told_by_its_name_and_reason(self):
        one = self.serve()
        one.stop()
        for file in one.directory.glob("tenken.sqlite*"):
            file.unlink()
        support.write(one.directory / "tenken.sqlite", "garbage " * 1000)
        said = self.admin(support.TARGET, "account", "list", "--data", one.directory)
        self.assertIn("tenken.sqlite: SQLite: file is not a database", said.err)
        self.assertNotIn("PRAGMA", said.err)

    def test_wrong_options_of_exports_and_agents_end_with_2(self):
        file = support.write(self.directory / "file", "x")
        for words in (
            ("--s3-endpoint-url", "ftp://x"),
            ("--s3-endpoint-url", "x"),
            ("--export-dir", file),
            ("--export-bucket", server.ACCOUNT + "=UP_Case"),
            ("--agent-releases", self.directory / "none"),
        ):
            with self.subTest(words=words):
                said = support.tenken("serve", "--data", self.directory / "data", *words)
                self.assertEqual((said.code, said.out), (support.USAGE, ""), said)
                self.assertFalse((self.directory / "data").exists())

    def test_the_place_of_the_store_does_not_depend_on_the_advisories(self):
        home = self.directory / "home"
        names = {"TENKEN_DB": str(self.directory / "full.db"), "XDG_DATA_HOME": str(home)}
        said = support.tenken("admin", "account", "list", **names)
        self.assertNotIn("full.db", said.err)


class Documents(OperatingCase):
    def test_every_metric_is_documented(self):
        one = self.serve()
        page = one.send("GET", "/metrics").body.decode()
        known = (support.SOURCE / "docs/serve.md").read_text()
        for name in re.findall(r"^# HELP (\S+)", page, re.M):
            self.assertIn(name, known)


if __name__ == "__main__":
    support.main()
