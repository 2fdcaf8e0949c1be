"""tenken scan --server against a running server: what is sent and what the resource then looks
like, what is not sent again, and every way in which it may fail."""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import aws_tools

aws_tools.enter()

import http.server  # noqa: E402

import own_api  # noqa: E402
import server as serve  # noqa: E402
import support  # noqa: E402

STATUS = """Package: alpha
Status: install ok installed
Architecture: amd64
Version: 1.0-1
Maintainer: nobody <nobody@example.org>
Description: a package

"""


def make_root(folder, machine_id="0123456789abcdef0123456789abcdef"):
    """A small Debian root."""
    root = pathlib.Path(folder)
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "var/lib/dpkg/status").write_text(STATUS)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    if machine_id:
        (root / "etc/machine-id").write_text(machine_id + "\n")
    return root


class Answering(http.server.BaseHTTPRequestHandler):
    """A server that answers what it is told, one after the other; the last for ever."""

    answers = []
    seen = []

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append(self.path)
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class ScanServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        cls.root = make_root(cls.scratch / "root")
        cls.sbom = cls.scratch / "bom.json"
        cls.sbom.write_text(json.dumps(own_api.sbom(alpha="1.0", beta="1.0")))
        database = own_api.build_database(
            scratch.name, [own_api.advisory("PYSEC-1", "alpha", "2.0")]
        )
        cls.server = serve.Server(database)
        cls.addClassCleanup(cls.server.close)

    def scan(self, *words, url=None, ca=None, **changes):
        key = self.server.key()
        variables = {
            "AWS_ACCESS_KEY_ID": key.id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_PROFILE": None,
            "AWS_SESSION_TOKEN": None,
            "SSL_CERT_FILE": None,
            "SSL_CERT_DIR": None,
            "TENKEN_DB": "/nonexistent",  # no advisory database is needed
            **changes,
        }
        where = ["--server", url or self.server.url, "--ca", ca or self.server.ca_file]
        return support.tenken("scan", *where, *words, **variables)

    def resource(self, name):
        response = self.server.request("GET", "/v1/resources/" + name)
        self.assertEqual(response.status, 200, str(response))
        return response.json()

    def sent(self, *words, **changes):
        """The id under which it arrived, and whether anything was new."""
        answer = self.scan(*words, **changes)
        self.assertEqual((answer.code, answer.err), (0, ""), str(answer))
        name, _, rest = answer.out.partition(": ")
        return name, not rest.startswith("nothing has changed")

    def refused(self, word, *words, **changes):
        answer = self.scan(*words, **changes)
        self.assertEqual(answer.code, support.SERVER, str(answer))
        self.assertIn(word, answer.err)
        self.assertEqual(answer.out, "")

    def test_this_host_arrives_under_an_id_that_does_not_give_its_machine_id_away(self):
        try:
            machine = pathlib.Path("/etc/machine-id").read_text().strip()
        except OSError:
            self.skipTest("this host has no machine id")
        if len(machine) != 32:
            self.skipTest("this host has no machine id")
        name, new = self.sent()
        self.assertTrue(new)
        self.assertRegex(name, "^mi-[0-9a-f]{17}$")
        self.assertNotIn(name[3:], machine)
        self.assertEqual(self.resource(name)["type"], "host")
        self.assertGreater(self.resource(name)["packages"], 0)

    def test_a_root_arrives_under_its_own_id(self):
        name, new = self.sent("--rootfs", str(self.root))
        self.assertTrue(new)
        self.assertRegex(name, "^mi-[0-9a-f]{17}$")
        other = make_root(self.scratch / "other", "f" * 31 + "e")
        self.assertNotEqual(self.sent("--rootfs", str(other))[0], name)
        self.assertEqual(self.resource(name)["platform"], "DEBIAN_12")

    def test_what_has_no_machine_id_needs_a_name(self):
        nameless = make_root(self.scratch / "nameless", None)
        for target in (("--rootfs", str(nameless)), ("--sbom", str(self.sbom))):
            answer = self.scan(*target)
            self.assertEqual(answer.code, support.USAGE, str(answer))
            self.assertIn("--resource is needed", answer.err)

    def test_tags_type_and_time_to_live_are_the_resources(self):
        words = ("--sbom", str(self.sbom), "--resource", "ci/app:1", "--type", "image")
        name, _ = self.sent(*words, "--tag", "env=ci", "--tag", "a b=c=d & é", "--ttl", "7d")
        resource = self.resource("ci%2Fapp%3A1")
        self.assertEqual((name, resource["resourceId"]), ("ci/app:1", "ci/app:1"))
        self.assertEqual(resource["type"], "image")
        self.assertEqual(resource["tags"], {"env": "ci", "a b": "c=d & é"})
        self.assertIn("expiresAt", resource)

    def test_tags_that_are_none_are_usage_and_nothing_is_sent(self):
        for tags, word in ((("a",), "NAME=VALUE is needed"), (("=b",), "NAME=VALUE is needed"),
                           (("a=1", "a=2"), "two values")):  # fmt: skip
            words = [word for tag in tags for word in ("--tag", tag)]
            answer = self.scan("--rootfs", str(self.root), "--resource", "untagged", *words)
            self.assertEqual((answer.code, answer.out), (support.USAGE, ""), answer)
            self.assertIn(word, answer.err)
        self.assertEqual(self.server.request("GET", "/v1/resources/untagged").status, 404)

    def test_what_has_not_changed_is_not_sent_again(self):
        words = ("--sbom", str(self.sbom), "--resource", "same")
        self.assertEqual(self.sent(*words), ("same", True))
        self.assertEqual(self.sent(*words), ("same", False))
        seen = self.resource("same")["seenAt"]
        time.sleep(1.1)
        self.assertEqual(self.sent(*words), ("same", False))
        self.assertGreater(self.resource("same")["seenAt"], seen)
        self.assertEqual(self.sent(*words, "--tag", "env=new"), ("same", True))
        self.assertEqual(self.resource("same")["tags"], {"env": "new"})

    def test_findings_are_there_soon_after(self):
        self.sent("--sbom", str(self.sbom), "--resource", "found")
        serve.wait_for(
            lambda: self.server.request("GET", "/v1/findings?resource=found").json()["findings"],
            seconds=5, what="the finding",
        )  # fmt: skip

    def test_keys_that_are_wrong_or_may_not_are_refused(self):
        target = ("--rootfs", str(self.root))
        self.refused("status 403", *target, AWS_SECRET_ACCESS_KEY="x" * 40)
        self.refused("status 403", *target, AWS_ACCESS_KEY_ID="TKIA" + "A" * 16)
        viewer = self.server.key(role="viewer")
        self.refused(
            "does not permit", *target,
            AWS_ACCESS_KEY_ID=viewer.id, AWS_SECRET_ACCESS_KEY=viewer.secret,
        )  # fmt: skip
        self.refused(
            "no AWS credentials", *target, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_CONFIG_FILE=os.devnull,
        )  # fmt: skip

    def test_keys_may_stand_in_a_profile(self):
        key = self.server.key()
        file = self.scratch / "credentials"
        file.write_text(
            f"[other]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n"
        )
        self.sent(
            "--rootfs", str(self.root), "--resource", "by-profile",
            AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_PROFILE="other",
            AWS_SHARED_CREDENTIALS_FILE=str(file), AWS_CONFIG_FILE=os.devnull,
        )  # fmt: skip

    def test_the_servers_words_are_passed_on(self):
        self.refused("characters", "--rootfs", str(self.root), "--resource", "x" * 3000)

    def certificate(self, names):
        """A certificate of an authority of its own: paths of certificate and key."""
        file, key = self.scratch / "own.pem", self.scratch / "own.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + names,
             "-keyout", key, "-out", file],
            check=True, capture_output=True,
        )  # fmt: skip
        return file, key

    def test_a_server_that_cannot_be_trusted_gets_nothing(self):
        file, _ = self.certificate("IP:127.0.0.1")
        self.refused("--ca FILE names its authority", "--rootfs", str(self.root), ca=str(file))
        key = self.server.key()
        answer = support.tenken(
            "scan", "--server", self.server.url, "--rootfs", self.root,
            AWS_ACCESS_KEY_ID=key.id, AWS_SECRET_ACCESS_KEY=key.secret,
            AWS_PROFILE=None, AWS_SESSION_TOKEN=None, SSL_CERT_FILE=None, SSL_CERT_DIR=None,
        )  # fmt: skip
        self.assertEqual(answer.code, support.SERVER, str(answer))
        self.assertIn("--ca FILE names its authority", answer.err)

    def test_an_authority_without_a_certificate_is_usage(self):
        file = self.scratch / "notes.md"
        file.write_text("# notes\n")
        answer = self.scan("--rootfs", str(self.root), ca=str(file))
        self.assertEqual(answer.code, support.USAGE, str(answer))
        self.assertIn("notes.md: no PEM certificate", answer.err)

    def test_an_authority_that_is_being_written_is_waited_for(self):
        written = pathlib.Path(self.server.ca_file).read_bytes()
        for begun in (False, True):
            file = self.scratch / f"late-{begun}.pem"
            if begun:
                file.touch()
            timer = threading.Timer(0.5, file.write_bytes, [written])
            timer.start()
            self.addCleanup(timer.join)
            self.sent("--rootfs", str(self.root), ca=str(file))

    def answering(self, answers, names="IP:127.0.0.1"):
        """The URL and the certificate of a server that answers so."""
        file, key = self.certificate(names)
        handler = type("Told", (Answering,), {"answers": list(answers), "seen": []})
        told = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        told.socket = context.wrap_socket(told.socket, server_side=True)
        threading.Thread(target=told.serve_forever, daemon=True).start()
        self.addCleanup(told.server_close)
        self.addCleanup(told.shutdown)
        return f"https://127.0.0.1:{told.server_port}", str(file), handler.seen

    def test_a_certificate_of_another_name_is_refused(self):
        url, ca, seen = self.answering([(200, {}, b"{}")], "DNS:elsewhere.example")
        self.refused("no alternative certificate subject name", "--rootfs", str(self.root),
                     url=url, ca=ca)
        self.assertEqual(seen, [])

    def test_a_redirect_is_not_followed(self):
        url, ca, seen = self.answering([(302, {"Location": self.server.url}, b"")])
        self.refused("status 302", "--rootfs", str(self.root), url=url, ca=ca)
        self.assertEqual(len(seen), 1)

    def test_what_may_pass_is_tried_again(self):
        busy = (503, {"Retry-After": "1"}, b'{"message":"later"}')
        url, ca, seen = self.answering([busy, (429, {}, b"{}"), (200, {}, b"{}")])
        self.sent("--rootfs", str(self.root), url=url, ca=ca)
        self.assertEqual(len(seen), 3)

    def test_a_server_that_is_down_is_given_up_within_ten_seconds(self):
        started = time.monotonic()
        self.refused("connect", "--rootfs", str(self.root), url="https://127.0.0.1:9")
        self.assertLess(time.monotonic() - started, 10)

    def test_a_server_that_says_nothing_is_given_up_within_ten_seconds(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            started = time.monotonic()
            port = silent.getsockname()[1]
            self.refused("", "--rootfs", str(self.root), url=f"https://127.0.0.1:{port}")
            self.assertLess(time.monotonic() - started, 11)

    def test_options_that_belong_to_findings_are_not_taken_with_it(self):
        for words in (("--fail-on", "high"), ("--strict",), ("--format", "json")):
            self.assertEqual(self.scan(*words).code, support.USAGE)
        self.assertEqual(support.tenken("scan", "--ttl", "7d").code, support.USAGE)
        for ttl in ("soon", "7", "0d", "-1d"):
            answer = self.scan("--ttl=" + ttl, url="https://127.0.0.1:9")
            self.assertEqual(answer.code, support.USAGE, str(answer))
            self.assertIn("--ttl: a time such as 7d", answer.err)
        for url in (
            "http://192.0.2.1", "http://127.example", "http://127.0.0.1.example:80",
            "ftp://127.0.0.1", "https://127.0.0.1/path", "nonsense",
        ):  # fmt: skip
            self.assertEqual(self.scan(url=url).code, support.USAGE, url)


if __name__ == "__main__":
    support.main()
