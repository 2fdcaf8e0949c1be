#!/usr/bin/env python3
"""An agent whose server is in trouble, or in wrong hands: it asks for the whole again and again, has
the inventory taken without end. The server is this program; the machine's own `openssl` makes its
keys.
"""
import aws_tools

aws_tools.enter()

import base64
import http.server
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

import support
from agent_hosts import Host
from server import wait_for

COMMAND_KEY = "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8AAQIDBAUGBwgJCgsMDQ4P"


def openssl(*words, **options):
    return subprocess.run(
        ["openssl", *map(str, words)], check=True, capture_output=True, **options
    ).stdout


class Authority:
    """That signs servers and agents."""

    def __init__(self, folder, name):
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
        )  # fmt: skip

    def sign(self, request, name=None):
        """A request as PEM text; name: of a server."""
        extensions = self.key.with_suffix(".ext")
        extensions.write_text(f"subjectAltName=IP:{name}\n" if name else "basicConstraints=CA:FALSE\n")
        return openssl(
            "x509", "-req", "-days", "30", "-CA", self.certificate, "-CAkey", self.key,
            "-CAcreateserial", "-extfile", extensions, input=request.encode(),
        ).decode()  # fmt: skip

    def context(self, folder):
        """Of a server at 127.0.0.1."""
        key = folder / "server.key"
        request = openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=server", "-keyout", key,
        ).decode()  # fmt: skip
        chain = folder / "server.pem"
        chain.write_text(self.sign(request, "127.0.0.1"))
        out = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        out.load_cert_chain(chain, key)
        return out


class BadServer:
    """answer(path, headers, body) gives status and the answer's members; asked lists (path, time)."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = Authority(folder, "tenken")
        key = folder / "command.key"
        key.write_text(f"-----BEGIN PRIVATE KEY-----\n{COMMAND_KEY}\n-----END PRIVATE KEY-----\n")
        self.command_key = key
        self.public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-32:]
        self.sequence = 0
        self.asked = []
        self.connections = []
        self.lock = threading.Lock()
        self.answer = lambda *_: None
        self.server = None
        self.port = 0
        self.listen()

    def listen(self):
        self.context = self.authority.context(self.folder)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                outer.connections.append(self.connection)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.asked.append((self.path, time.monotonic()))
                    status, members = outer.answered(self.path, self.headers, body)
                text = json.dumps(members).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # an agent that went
        self.port = self.server.server_address[1]
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answered(self, path, headers, body):
        answer = self.answer(path, headers, body)
        if answer is not None:
            return answer
        if path == "/agent/enrol":
            return 200, {
                "agentId": "agent-1", "resourceId": "mi-1", "ca": self.authority.certificate.read_text(),
                "certificate": self.authority.sign(json.loads(body)["request"]),
                "commandKey": base64.b64encode(self.public).decode(),
            }  # fmt: skip
        if path == "/agent/report":
            self.sequence = int(headers["Tenken-Sequence"])
            return 200, {"sequence": self.sequence, "digest": headers["Tenken-Digest"]}
        return 200, {"commands": []}

    def signed(self, command, number):
        """A command that holds for an hour."""
        text = json.dumps({"id": f"{number:032x}", "agentId": "agent-1", "command": command,
                           "issued": int(time.time()), "expires": int(time.time()) + 3600})  # fmt: skip
        file = self.folder / "command"
        file.write_text(text)
        signature = openssl("pkeyutl", "-sign", "-inkey", self.command_key, "-rawin", "-in", file)
        return {"text": text, "signature": base64.b64encode(signature).decode()}

    def count(self, path):
        with self.lock:
            return sum(one == path for one, _ in self.asked)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connections.clear()


class BadServers(support.TestCase):
    def setUp(self):
        super().setUp()
        self.server = BadServer(self.directory)
        self.addCleanup(lambda: self.server.close())
        self.machine = self.directory / "host"
        self.machine.mkdir()
        self.host = Host(self.machine, "1" * 32, {"openssl": "3.0.9-1"})
        self.addCleanup(self.host.stop, 9)
        answer = self.host.agent(
            "enrol", "--server", self.server.url, "--ca", self.server.authority.certificate,
            "--token", "token",
        )  # fmt: skip
        self.assertEqual(answer.code, 0, answer)

    def test_one_that_asks_for_the_whole_for_ever_gets_it_ever_more_seldom(self):
        def answer(path, *_):
            if path == "/agent/report":
                return 409, {"need": "whole", "sequence": 0, "digest": "", "message": "no"}
            return None

        self.server.answer = answer
        self.host.start()
        wait_for(lambda: self.server.count("/agent/report") >= 2, 15, "the second whole report")
        time.sleep(7)
        # After 1, 2 and 4 s at most, each of which may be half as long.
        self.assertLessEqual(self.server.count("/agent/report"), 6)
        self.assertGreaterEqual(self.server.count("/agent/report"), 3)
        log = self.host.log()
        self.assertEqual(log.count("asks for the whole report again and again"), 1, log)
        self.assertIn("again and again", (self.host.state / "status").read_text())
        # It comes to its senses: the report that it takes is the last for now.
        self.server.answer = lambda *_: None
        wait_for(lambda: "the server answers again" in self.host.log(), 20, "an end")
        self.server.asked.clear()
        self.host.install({"openssl": "3.0.11-1"})
        wait_for(lambda: self.server.count("/agent/report") == 1, 15, "the next report")

    def test_a_report_that_is_too_large_is_not_sent_again_for_hours(self):
        foreign = []

        def answer(path, headers, _body):
            if path == "/agent/report":
                return 413, {"message": "the body is too large"}
            if path == "/agent/poll" and headers["Tenken-Digest"]:
                foreign.append(headers["Tenken-Digest"])
                return 200, {"commands": [self.server.signed("collect", len(foreign))]}
            return None

        self.server.answer = answer
        self.host.start()
        wait_for(lambda: self.server.count("/agent/report") == 1, 15, "the report")
        wait_for(lambda: self.server.count("/agent/poll") >= 2, 15, "polls all the same")
        for version in ("3.0.10-1", "3.0.11-1"):
            self.host.install({"openssl": version})
            time.sleep(3)
        self.assertEqual(self.server.count("/agent/report"), 1)
        self.assertLess(self.server.count("/agent/poll"), 15)
        self.assertEqual(self.host.log().count("answers 413"), 1, self.host.log())
        # It names no report that the server has not: that would ask for the whole.
        self.assertEqual(foreign, [])
        self.assertLessEqual(self.host.log().count("report "), 3, self.host.log())
        status = self.host.agent("status").out
        self.assertIn("the body is too large: nothing is reported for hours", status)
        # Over a start too, and under cron.
        self.host.stop()
        done = self.host.agent("run", "--once", SOURCE_DATE_EPOCH=None)
        self.assertEqual(done.code, support.SERVER, done)
        self.assertIn("nothing is reported for hours", done.err)
        self.assertEqual(self.server.count("/agent/report"), 1)
        # When the hours are over, what the host is then; the server takes it.
        since, lasts, why = (self.host.state / "held").read_text().split(" ", 2)
        (self.host.state / "held").write_text(f"{int(since) - int(lasts)} {lasts} {why}")
        self.server.answer = lambda *_: None
        self.host.start()
        wait_for(lambda: self.server.sequence > 1, 15, "the report")
        wait_for(lambda: not (self.host.state / "held").exists(), 5, "an end")
        wait_for(lambda: "fault" not in self.host.agent("status").out, 15, "no fault")

    def refuse_reports(self, *statuses):
        """The next reports are answered so; the list that this gives has the headers of all."""
        left, sent = list(statuses), []

        def answer(path, headers, _body):
            if path != "/agent/report":
                return None
            sent.append(headers)
            return (left.pop(0), {"message": "not this one"}) if left else None

        self.server.answer = answer
        return sent

    def test_where_something_else_answers_a_report_waits_and_is_sent_again(self):
        self.host.start()
        wait_for(lambda: self.server.sequence == 1, 15, "the first report")
        for number, status in enumerate((302, 404, 408, 421)):
            sent = self.refuse_reports(status)
            self.host.install({"openssl": f"3.0.{status}-1"})
            wait_for(lambda: self.server.sequence == number + 2, 15, f"the report after {status}")
            self.assertEqual({one["Tenken-Sequence"] for one in sent}, {str(number + 2)}, status)
            self.assertIn(f"answers {status}", self.host.log())
        self.assertFalse(self.held())

    def test_where_a_difference_is_refused_the_whole_is_sent_at_once(self):
        self.host.start()
        wait_for(lambda: self.server.sequence == 1, 15, "the first report")
        sent = self.refuse_reports(400)
        self.host.install({"openssl": "3.0.10-1"})
        wait_for(lambda: len(sent) == 2, 15, "the whole report")
        self.assertIsNotNone(sent[0]["Tenken-Base"])
        self.assertIsNone(sent[1]["Tenken-Base"])
        wait_for(lambda: "fault" not in self.host.agent("status").out, 15, "no fault")

    def test_where_the_whole_is_refused_too_nothing_is_sent_for_hours_and_that_is_told(self):
        self.host.start()
        wait_for(lambda: self.server.sequence == 1, 15, "the first report")
        sent = self.refuse_reports(400, 400)
        self.host.install({"openssl": "3.0.10-1"})
        wait_for(self.held, 15, "the second refusal")
        self.server.asked.clear()
        wait_for(lambda: self.server.count("/agent/poll") >= 2, 15, "polls all the same")
        self.assertEqual(len(sent), 2)
        status = self.host.agent("status").out
        self.assertIn("answers 400: not this one: nothing is reported for hours", status)
        self.host.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(sent) == 3, 15, "another try")
        wait_for(lambda: not self.held(), 5, "an end")

    def test_told_to_collect_or_enrolled_again_it_sends_what_was_held(self):
        refused = lambda path, *_: (400, {"message": "no"}) if path == "/agent/report" else None
        self.server.answer = refused
        self.host.start()
        wait_for(self.held, 15, "the refusal")
        told = []

        def collect_once(path, headers, _body):
            if path == "/agent/poll" and not told:
                told.append(headers["Tenken-Digest"])
                return 200, {"commands": [self.server.signed("collect", 1)]}
            return None

        self.server.answer = collect_once
        wait_for(lambda: self.server.sequence > 0, 15, "the report that was asked for")
        wait_for(lambda: not self.held(), 5, "an end")
        self.server.answer = refused
        self.host.install({"openssl": "3.0.10-1"})
        wait_for(self.held, 15, "another refusal")
        self.host.stop()
        told.clear()
        self.server.answer, self.server.sequence = collect_once, 0
        self.host.agent("enrol", "--server", self.server.url, "--ca",
                        self.server.authority.certificate, "--token", "token")  # fmt: skip
        self.host.start()
        wait_for(lambda: self.server.sequence > 0, 15, "the report after the enrolment")
        self.assertRegex(told[0], "^[0-9a-f]{64}$")  # as a server asks whoever names what it lacks

    def test_a_sequence_that_no_server_takes_is_not_believed(self):
        wrong = [(200, {"sequence": (1 << 63) - 1, "digest": "x"})]
        self.server.answer = lambda path, *_: wrong.pop() if path == "/agent/report" and wrong else None
        self.host.start()
        wait_for(lambda: self.server.sequence > 0, 15, "the report")
        self.assertLess(self.server.sequence, 10)

    def test_a_run_that_need_not_look_keeps_what_could_not_be_read(self):
        file = self.host.root / "var/lib/dpkg/status"
        file.write_text(file.read_text()[:-5])
        for _ in range(3):
            done = self.host.agent("run", "--once", SOURCE_DATE_EPOCH=None)
            self.assertEqual(done.code, 0, done)
            self.assertRegex(self.host.agent("status").out, r"unread +var/lib/dpkg/status: ")

    def seconds_to_end(self):
        begun = time.monotonic()
        self.assertEqual(self.host.stop(), 0)
        return time.monotonic() - begun

    def test_told_to_end_while_it_reads_it_sends_nothing_more_and_ends(self):
        answered = threading.Event()
        self.addCleanup(answered.set)
        packages = {f"package{i}": "1.0" for i in range(40_000)}
        self.host.install(packages)
        self.host.start()
        wait_for(lambda: self.server.sequence == 1, 15, "the first report")
        self.server.answer = lambda *_: answered.wait(60) and None
        self.host.install(packages | {"package0": "1.1"})
        time.sleep(1.6)  # a further change is waited for no longer
        self.assertLess(self.seconds_to_end(), 5)

    def test_told_to_end_while_name_servers_are_silent_it_ends(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
            self.skipTest("no mounts of one's own here")
        silent.bind(("127.53.53.53", 53))
        resolver = self.directory / "resolv.conf"
        resolver.write_text("nameserver 127.53.53.53\n")
        configured = self.host.state / "agent.conf"
        configured.write_text(configured.read_text().replace("https://127.0.0.1:", "https://a.test:"))
        mount = f"mount --bind {resolver} /etc/resolv.conf && exec "
        with open(self.host.log_file, "ab") as log:
            self.host.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", mount + '"$@"', "sh", self.host.program, "run",
                 "--state", self.host.state, "--rootfs", self.host.root],
                stderr=log, env=support.environment(SOURCE_DATE_EPOCH=None),
            )  # fmt: skip
        silent.settimeout(15)
        silent.recv(4096)
        time.sleep(0.5)
        self.assertLess(self.seconds_to_end(), 3)

    def refuse_large(self, most):
        """The server takes no report of more bytes."""
        self.server.answer = lambda path, _headers, body: (
            (413, {"message": "the body is too large"})
            if path == "/agent/report" and len(body) > most
            else None
        )

    def held(self):
        return (self.host.state / "held").exists()

    def test_a_report_that_was_too_large_is_sent_when_it_has_become_smaller(self):
        self.refuse_large(4000)
        self.host.install({f"package{i}": "1.0" for i in range(100)})
        self.host.start()
        wait_for(self.held, 15, "the refusal")
        self.assertEqual(self.server.sequence, 0)
        # Smaller, and not small enough: one try.
        self.host.install({f"package{i}": "1.0" for i in range(95)})
        wait_for(lambda: self.server.count("/agent/report") == 2, 15, "another try")
        self.host.install({"openssl": "3.0.9-1"})
        wait_for(lambda: self.server.sequence > 0, 15, "the small report")
        wait_for(lambda: not self.held(), 5, "an end")

    def test_a_report_that_has_become_smaller_while_no_agent_ran_is_sent_at_the_start(self):
        self.refuse_large(4000)
        self.host.install({f"package{i}": "1.0" for i in range(100)})
        self.host.start()
        wait_for(self.held, 15, "the refusal")
        self.host.stop()
        self.host.install({"openssl": "3.0.9-1"})
        done = self.host.agent("run", "--once", SOURCE_DATE_EPOCH=None)
        self.assertEqual(done.code, 0, done)
        self.assertGreater(self.server.sequence, 0)
        self.assertFalse(self.held())

    def test_a_report_that_is_too_large_is_tried_again_on_sighup(self):
        self.refuse_large(0)
        self.host.start()
        wait_for(self.held, 15, "the refusal")
        self.host.process.send_signal(signal.SIGHUP)
        held = self.host.state / "held"
        wait_for(lambda: held.read_text().split()[1] == "7200", 15, "another refusal")
        self.assertEqual(self.server.count("/agent/report"), 2)
        self.server.answer = lambda *_: None
        self.host.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.server.sequence > 0, 15, "the report")
        wait_for(lambda: not self.held(), 5, "an end")

    def test_one_that_takes_it_for_a_second_agent_is_asked_again_soon(self):
        self.server.answer = lambda *_: (409, {"message": "Another agent with this key has taken over"})
        self.host.start()
        wait_for(lambda: self.server.count("/agent/report") >= 3, 15, "tries")
        time.sleep(3)
        self.assertLessEqual(self.server.count("/agent/report"), 6)
        self.assertIn("Another agent with this key", self.host.agent("status").out)
        self.server.answer = lambda *_: None
        wait_for(lambda: "the server answers again" in self.host.log(), 20, "an end")

    def test_why_an_update_failed_is_told_once(self):
        told = []

        def answer(path, headers, _body):
            if path == "/agent/poll":
                told.append(headers["Tenken-Update"])
                if len(told) == 1:
                    return 503, {"message": "not now"}
            return None

        versions = self.host.state / "versions"
        versions.mkdir(exist_ok=True)
        (versions / "fault").write_text("9.9.9 it broke\n")
        self.server.answer = answer
        self.host.start()
        wait_for(lambda: len(told) >= 4, 30, "polls")
        # A poll that failed has told nothing.
        self.assertEqual(told[:4], ["9.9.9 it broke", "9.9.9 it broke", None, None])

    def renews(self, authority):
        """The agent renews, and is named that authority."""
        said = self.host.log().count("the certificate was renewed") if self.host.log_file.exists() else 0

        def answer(path, _headers, body):
            if path == "/agent/renew":
                return 200, {"certificate": self.server.authority.sign(json.loads(body)["request"]),
                             "ca": authority}  # fmt: skip
            if path == "/agent/poll" and "/agent/renew" not in [one for one, _ in self.server.asked]:
                return 200, {"commands": [self.server.signed("renew", time.monotonic_ns())]}
            return None

        self.server.asked.clear()
        self.server.answer = answer
        wait_for(lambda: self.host.log().count("the certificate was renewed") > said, 20, "a renewal")
        self.server.answer = lambda *_: None

    def test_a_server_may_go_over_to_another_authority(self):
        self.host.start()
        wait_for(lambda: self.server.sequence == 1, 15, "the report")
        pinned = (self.host.state / "ca.pem").read_text()
        self.renews("-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n")
        self.assertIn("the server's authority is not taken", self.host.log())
        self.assertEqual((self.host.state / "ca.pem").read_text(), pinned)
        next_one = Authority(self.directory, "next")
        self.renews(next_one.certificate.read_text())
        self.assertIn("trusted by a further authority", self.host.log())
        self.assertTrue((self.host.state / "ca.pem").read_text().startswith(pinned))
        # The server shows a certificate of the new one alone.
        self.server.close()
        self.server.authority = next_one
        self.server.listen()
        self.host.install({"openssl": "3.0.11-1"})
        wait_for(lambda: self.server.sequence == 2, 30, "a report to the new one")
        # One that nobody named is a stranger.
        self.server.close()
        self.server.authority = Authority(self.directory, "stranger")
        self.server.listen()
        wait_for(lambda: "is not to be trusted" in self.host.log(), 30, "the refusal")

    def test_inventories_without_end_are_taken_once_a_minute(self):
        def answer(path, *_):
            if path == "/agent/poll" and self.server.sequence > 0:
                number = len(self.server.asked)
                return 200, {"commands": [self.server.signed("collect", number)]}
            return None

        self.server.answer = answer
        self.host.start()
        wait_for(lambda: self.server.sequence >= 2, 15, "the inventory that was asked for")
        time.sleep(6)
        self.assertEqual(self.server.sequence, 2)
        self.assertLess(self.server.count("/agent/poll"), 12)
        # Those that came meanwhile are not forgotten; a change is reported at once.
        self.host.install({"openssl": "3.0.11-1"})
        wait_for(lambda: self.server.sequence == 3, 15, "the change")
        self.server.answer = lambda *_: None
        wait_for(lambda: self.server.sequence == 4, 75, "one more inventory")

    def test_a_command_that_fails_takes_no_other_with_it(self):
        def answer(path, *_):
            if path == "/agent/renew":
                return 503, {"message": "not now"}
            if path == "/agent/poll" and self.server.sequence == 1:
                commands = [self.server.signed(name, i) for i, name in enumerate(("renew", "collect"))]
                return 200, {"commands": commands}
            return None

        self.server.answer = answer
        self.host.start()
        wait_for(lambda: self.server.sequence >= 2, 20, "the inventory that was asked for")
        self.assertIn("not now", self.host.log())


if __name__ == "__main__":
    support.main()
