#!/usr/bin/env python3
"""Bad input to `tenken serve`: each gets the error that AWS has for it, never a 5xx; nothing of
another tenant nor of the machine is in the answer, and the server goes on.
"""
import aws_tools

aws_tools.enter()

import datetime
import hashlib
import json
import re
import socket
import ssl
import time
import unittest
from unittest import mock

import botocore.auth

import inspector2_model as model
import server
import support

OTHER = "999988887777"
SECRET_HOST = "host-of-the-other-tenant"
LEAKS = re.compile(rb"(?i)sqlite|postgres|/tmp/|/var/|/home/|\.cpp|syntax error|" + SECRET_HOST.encode())
NASTY = [
    "'; DROP TABLE finding; --",
    "' OR '1'='1",
    '" OR ""="',
    "%' ESCAPE '\\",
    "\\'; SELECT pg_sleep(10); --",
    "?1",
    "$1",
    "{}",
    "\u0000",
    "\u202e\uffff",
    "a" * 1024,
]

module = support.ModuleDirectory()


def setUpModule():
    file = support.build(module.path / "a.db", support.write_feed(module.path / "feed"))
    module.server = server.Server(file)
    sbom = support.cyclonedx("pkg:pypi/demo-package@1.0")
    for account, host in ((server.ACCOUNT, "web-1"), (OTHER, SECRET_HOST)):
        answer = module.server.put_inventory(host, sbom, key=module.server.key(account))
        assert answer.status == 200, str(answer)
    server.wait_for(module.server.findings, 10, "findings")


def tearDownModule():
    if hasattr(module, "server"):
        module.server.close()
    module.remove()


class Refusals(support.TestCase):
    def tearDown(self):
        """Whatever was sent: the server answers, and has lost nothing."""
        self.assertTrue(module.server.running(), module.server.log())
        self.assertEqual(len(module.server.findings()), 2)

    def refused(self, answer, status, *errors):
        self.assertEqual(answer.status, status, answer)
        if errors:
            self.assertIn(answer.error, errors, answer)
        self.assertIsInstance(answer.json().get("message", answer.json().get("Message")), str)
        self.assertIsNone(LEAKS.search(answer.body), answer)
        self.assertTrue(answer.headers.get("x-amzn-RequestId"))

    def never_5xx(self, answer):
        self.assertLess(answer.status, 500, answer)
        self.assertIsNone(LEAKS.search(answer.body), answer)
        return answer

    def signed(self, body=b"{}", **options):
        return module.server.signed_headers(
            "POST", "/findings/list", body, {"Content-Type": "application/json"}, **options
        )

    def send(self, body, headers):
        return module.server.send("POST", "/findings/list", body, headers)

    # Signatures.

    def test_no_signature(self):
        self.refused(self.send(b"{}", {}), 403, "MissingAuthenticationTokenException")

    def test_a_wrong_signature(self):
        headers = self.signed()
        text = headers["Authorization"]
        headers["Authorization"] = text[:-1] + ("0" if text[-1] != "0" else "1")
        self.refused(self.send(b"{}", headers), 403, "InvalidSignatureException")

    def test_a_signature_that_is_none(self):
        for text in ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "Bearer x", "\x7f", "A" * 5000):
            headers = dict(self.signed(), Authorization=text)
            answer = self.never_5xx(self.send(b"{}", headers))
            self.assertIn(answer.status, (400, 401, 403), answer)

    def test_an_expired_signature(self):
        for minutes in (-30, 30):
            moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
            with mock.patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None)):
                headers = self.signed()
            answer = self.send(b"{}", headers)
            self.refused(answer, 403, "InvalidSignatureException", "RequestExpired",
                         "SignatureDoesNotMatch")  # fmt: skip

    def test_a_replayed_request_with_another_body(self):
        headers = self.signed(b"{}")
        self.assertEqual(self.send(b"{}", headers).status, 200)
        self.refused(self.send(b'{"maxResults":1}', headers), 403, "InvalidSignatureException")

    def test_an_unknown_key(self):
        key = server.Key(
            "export AWS_ACCESS_KEY_ID=TKIAAAAAAAAAAAAAAAAA\nexport AWS_SECRET_ACCESS_KEY=aaaaaa\n"
        )
        self.refused(self.send(b"{}", self.signed(key=key)), 403, "UnrecognizedClientException")

    def test_a_revoked_key_is_refused_within_a_second(self):
        key = module.server.new_key(user="leaver")
        self.assertEqual(self.send(b"{}", self.signed(key=key)).status, 200)
        module.server.admin("key", "revoke", key.id)
        time.sleep(1)
        self.refused(self.send(b"{}", self.signed(key=key)), 403, "UnrecognizedClientException")

    def test_a_signature_for_another_service(self):
        answer = self.send(b"{}", self.signed(scope="s3"))
        self.assertIn(answer.status, (403, 404), answer)

    def test_a_viewer_may_not_write(self):
        answer = module.server.put_inventory(
            "web-1", support.cyclonedx(), key=module.server.key(role="viewer")
        )
        self.refused(answer, 403, "AccessDeniedException")

    # Other tenants.

    def ask(self, operation, body, key=None):
        operation = model.cli_models("inspector2")["operations"][operation]["http"]
        return module.server.request(operation["method"], operation["requestUri"], body, key=key)

    def test_another_tenants_names_are_unknown(self):
        there = module.server.key(OTHER)
        created = self.ask("CreateFilter", {
            "name": "theirs", "action": "NONE",
            "filterCriteria": {"severity": [{"comparison": "EQUALS", "value": "HIGH"}]},
        }, there)  # fmt: skip
        self.assertEqual(created.status, 200, created)
        arn = created.json()["arn"]
        self.refused(self.ask("DeleteFilter", {"arn": arn}), 404, "ResourceNotFoundException")
        self.refused(
            self.ask("UpdateFilter", {"filterArn": arn, "name": "mine"}), 404,
            "ResourceNotFoundException",
        )  # fmt: skip
        path = "/tags/" + arn.replace(":", "%3A").replace("/", "%2F")
        self.refused(module.server.request("GET", path), 404, "ResourceNotFoundException")
        self.assertEqual(self.ask("ListFilters", {"arns": [arn]}).json()["filters"], [])
        listed = self.ask("ListFindings", {}, there).json()["findings"]
        theirs = [one["findingArn"] for one in listed]
        self.assertEqual({one["resources"][0]["id"] for one in listed}, {SECRET_HOST})
        answer = self.never_5xx(self.ask("BatchGetFindingDetails", {"findingArns": theirs}))
        self.assertEqual(answer.json().get("findingDetails", []), [])
        criteria = {"awsAccountId": [{"comparison": "EQUALS", "value": OTHER}]}
        self.assertEqual(self.ask("ListFindings", {"filterCriteria": criteria}).json()["findings"], [])
        self.assertEqual(self.ask("ListFilters", {}, there).json()["filters"][0]["arn"], arn)

    def page_token(self, key=None):
        answer = self.ask("ListFindings", {"maxResults": 1}, key)
        return answer.json()["nextToken"]

    def test_a_tampered_token(self):
        token = self.page_token()
        self.assertEqual(
            self.ask("ListFindings", {"maxResults": 1, "nextToken": token}).status, 200
        )
        bad = [token[:-1], token + "A", "A" + token[1:], token[::-1], "", "A" * 100_000, "'--"]
        bad += [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :]
                for n in range(0, len(token), 7)]  # fmt: skip
        for text in set(bad) - {token}:
            answer = self.ask("ListFindings", {"maxResults": 1, "nextToken": text})
            if text == "" and answer.status == 200:
                continue
            self.refused(answer, 400, "ValidationException")

    def test_a_token_of_another_question_or_tenant(self):
        token = self.page_token()
        self.refused(self.ask("ListFindings", {"nextToken": token}, module.server.key(OTHER)),
                     400, "ValidationException")  # fmt: skip
        self.refused(self.ask("ListCoverage", {"nextToken": token}), 400, "ValidationException")

    # Bodies.

    def test_bodies_that_are_no_requests(self):
        deep = b'{"a":' * 100_000
        for body in (
            b"", b"{", b"[]", b"3", b'"x"', b"\x00", b"\xff\xfe", b'{"maxResults":',
            b"[" * 100_000, deep, deep + b"1" + b"}" * 100_000, b'{"a":1}{"b":2}',
            b'{"maxResults":1e999}', b'{"maxResults":' + b"9" * 10_000 + b"}",
        ):  # fmt: skip
            with self.subTest(body[:20]):
                answer = self.send(body, self.signed(body))
                if body == b"":
                    self.never_5xx(answer)
                else:
                    self.refused(answer, 400, "ValidationException", "SerializationException")

    def test_wrong_types(self):
        values = [None, True, 7, -1, 1.5, "x", [], {}, [[]], [None], [7], {"x": 1}, "9" * 400]
        for member in ("filterCriteria", "maxResults", "nextToken", "sortCriteria"):
            for value in values:
                self.never_5xx(self.ask("ListFindings", {member: value}))
        answer = self.ask("ListFindings", {"maxResults": "x"})
        self.refused(answer, 400, "ValidationException", "SerializationException")
        self.refused(self.ask("ListFindings", {"maxResults": 101}), 400, "ValidationException")
        self.refused(self.ask("ListFindings", {"filterCriteria": {"severity": "HIGH"}}), 400)

    def test_ten_thousand_filters(self):
        one = {"comparison": "EQUALS", "value": "CVE-2024-90004"}
        for criteria in (
            {"vulnerabilityId": [one] * 10_000},
            {"resourceId": [dict(one, value=f"i-{n}") for n in range(10_000)]},
            {f"field{n}": [one] for n in range(10_000)},
        ):
            answer = self.never_5xx(self.ask("ListFindings", {"filterCriteria": criteria}))
            if "field0" not in criteria:
                self.refused(answer, 400, "ValidationException")

    def test_sql_everywhere(self):
        members = model.cli_models("inspector2")["shapes"]["FilterCriteria"]["members"]
        names = [name for name, one in members.items() if one["shape"] == "StringFilterList"]
        self.assertGreater(len(names), 40)
        whole = len(module.server.findings(awsAccountId=[
            {"comparison": "EQUALS", "value": server.ACCOUNT},
        ]))  # fmt: skip
        self.assertGreater(whole, 0)
        for text in NASTY:
            for comparison in ("EQUALS", "PREFIX", "NOT_EQUALS"):
                test = [{"comparison": comparison, "value": text}]
                # Each alone, so that no other makes the question impossible before the store is
                # asked; then all of them, which NOT_EQUALS lets reach the store together.
                questions = [{name: test} for name in names] + [dict.fromkeys(names, test)]
                for criteria in questions:
                    answer = self.never_5xx(self.ask("ListFindings", {"filterCriteria": criteria}))
                    if answer.status == 200:
                        found = answer.json()["findings"]
                        right = whole if comparison == "NOT_EQUALS" else 0
                        self.assertEqual(len(found), right, criteria)
            tags = [{"comparison": "EQUALS", "key": text, "value": text}]
            self.never_5xx(self.ask("ListFindings", {"filterCriteria": {"resourceTags": tags}}))
            package = [{"name": {"comparison": "PREFIX", "value": text}}]
            self.never_5xx(
                self.ask("ListFindings", {"filterCriteria": {"vulnerablePackages": package}})
            )
            self.never_5xx(self.ask("ListFindings", {"nextToken": text}))
            self.never_5xx(self.ask("DeleteFilter", {"arn": text}))
            created = self.never_5xx(self.ask("CreateFilter", {
                "name": text[:100], "action": "NONE", "description": text[:500],
                "filterCriteria": {"title": [{"comparison": "EQUALS", "value": text}]},
            }))  # fmt: skip
            if created.status == 200:
                listed = self.ask("ListFilters", {"arns": [created.json()["arn"]]}).json()["filters"]
                self.assertEqual(listed[0]["name"], text[:100])
                self.assertEqual(listed[0]["criteria"]["title"][0]["value"], text)
                self.ask("DeleteFilter", {"arn": created.json()["arn"]})

    def test_sql_in_an_inventory(self):
        purls = ["pkg:pypi/demo%27%3B--@1.0", "pkg:deb/debian/a%27b@1%27?distro=debian-11"]
        answer = self.never_5xx(
            module.server.put_inventory("x'); DROP TABLE resource; --", support.cyclonedx(*purls))
        )
        self.assertIn(answer.status, (200, 400), answer)

    # The wire.

    def raw(self, data, seconds=30):
        """What the server says to these bytes until it closes or a while has passed."""
        context = ssl.create_default_context(cafile=module.server.ca_file)
        with socket.create_connection(("127.0.0.1", module.server.port), timeout=seconds) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
                said = b""
                try:
                    stream.sendall(data)
                    while part := stream.recv(65536):
                        said += part
                        if b"\r\n\r\n" in said and b"onnection: close" not in said:
                            break
                except (OSError, ssl.SSLError):
                    pass
                return said

    def status(self, said):
        return int(said.split(b" ")[1]) if said.startswith(b"HTTP/1.1 ") else None

    def test_an_oversized_body(self):
        headers = b"Host: x\r\nContent-Length: 999999999999\r\n\r\n"
        said = self.raw(b"POST /findings/list HTTP/1.1\r\n" + headers)
        self.assertIn(self.status(said), (403, 413))
        said = self.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n")
        self.assertIn(self.status(said), (400, 431, None))

    def test_a_truncated_body_changes_nothing(self):
        body = json.dumps(support.cyclonedx("pkg:pypi/demo-package@1.0")).encode()
        path = "/v1/resources/cut/inventory"
        headers = module.server.signed_headers("PUT", path, body, {"Content-Type": server.CYCLONEDX})
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{module.server.port}\r\n{lines}"
        context = ssl.create_default_context(cafile=module.server.ca_file)
        plain = socket.create_connection(("127.0.0.1", module.server.port))
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
            stream.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-10])
        time.sleep(0.5)
        covered = self.ask("ListCoverage", {}).json()["coveredResources"]
        self.assertNotIn("cut", [one["resourceId"] for one in covered])

    def test_bytes_that_are_no_http(self):
        for data in (b"\x16\x03\x01" * 100, b"GET\r\n\r\n", b"\x00" * 1000, b"A" * 100_000,
                     b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                     b"Content-Length: 3\r\nHost: x\r\n\r\nzzz\r\n\r\n"):  # fmt: skip
            said = self.raw(data + b"\r\n\r\n")
            self.assertIn(self.status(said), (None, 400, 403, 404, 405, 414, 431, 505), said[:200])

    def test_slow_senders_hold_nobody_up(self):
        context = ssl.create_default_context(cafile=module.server.ca_file)
        slow = []
        for _ in range(100):
            plain = socket.create_connection(("127.0.0.1", module.server.port))
            slow.append(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            slow[-1].sendall(b"POST /findings/list HTTP/1.1\r\nHost: x\r\nX-")
        started = time.monotonic()
        for n in range(20):
            slow[n].sendall(b"a")
            self.assertEqual(self.ask("ListFindings", {"maxResults": 1}).status, 200)
        self.assertLess(time.monotonic() - started, 10)
        for one in slow:
            one.close()


if __name__ == "__main__":
    support.main()
