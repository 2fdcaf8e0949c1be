#!/usr/bin/env python3
"""Signature Version 4 in both directions against botocore's signer.

What botocore's clients and signers send must verify, and what we sign must be what botocore signs
for the same request. Usage: oracle_test.py PEER, where PEER is built from peer.cpp. Needs botocore
1.43.11 or newer for the interpreter that runs it, or for $TENKEN_TEST_PYTHON.
"""
import calendar
import datetime
import json
import os
import subprocess
import sys
import unittest
import urllib.parse
from unittest import mock

try:
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
    import botocore.session
except ImportError:
    other = os.environ.get("TENKEN_TEST_PYTHON")
    if other and os.path.realpath(other) != os.path.realpath(sys.executable):
        os.execv(other, [other, *sys.argv])
    print("botocore is not installed: pip install botocore==1.43.11")
    sys.exit(77)

KEY, SECRET = "TKIAABCDEFGHIJKLMNOP", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEBYaD" + "x+/=" * 200
HOST = "127.0.0.1:8443"
URL = "https://" + HOST
NOW = datetime.datetime(2024, 10, 21, 13, 15, 2)
TIME = calendar.timegm(NOW.timetuple())
ARN = "arn:aws:inspector2:us-east-1:111122223333:owner/111122223333/filter/0123456789abcdef"

peer = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(**question):
    peer.stdin.write(json.dumps(question) + "\n")
    peer.stdin.flush()
    return json.loads(peer.stdout.readline())


def text(value):
    return value.decode() if isinstance(value, bytes) else value or ""


def verify(request, service, time=TIME, secret=SECRET, body=None):
    """Asks about a request of botocore's as its HTTP client would send it."""
    url = urllib.parse.urlsplit(request.url)
    headers = [[name, text(value)] for name, value in request.headers.items()]
    if "host" not in [name.lower() for name, _ in headers]:
        headers.append(["Host", url.netloc])
    return ask(
        do="verify", method=request.method, headers=headers, secret=secret, service=service,
        target=url.path + ("?" + url.query if url.query else ""), time=time,
        body=text(request.body) if body is None else body,
    )


def client_requests(service, calls, token=None):
    """The requests that a client of botocore sends for calls, a list of (operation, arguments)."""
    session = botocore.session.Session()
    session.set_credentials(KEY, SECRET, token)
    client = session.create_client(service, "us-east-1", endpoint_url=URL)
    sent = []

    def keep(request, **_):
        sent.append(request)
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, FakeRaw(service))

    client.meta.events.register("before-send", keep)
    for operation, arguments in calls:
        getattr(client, operation)(**arguments)
    return sent


class FakeRaw:
    def __init__(self, service):
        self.body = b"<R><GetCallerIdentityResult/></R>" if service == "sts" else b"{}"

    def stream(self):
        yield self.body


def signer(kind, service, token=None, **more):
    return kind(botocore.credentials.Credentials(KEY, SECRET, token), service, "us-east-1", **more)


def signed_by_botocore(request, auth):
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        auth.add_auth(request)
    return request


def aws_request(method="GET", path="/", headers=None, body=b""):
    return botocore.awsrequest.AWSRequest(
        method=method, url=URL + path, headers=headers or {}, data=body
    )


PATHS = [
    "/",
    "/filters/list",
    "/tags/arn%3Aaws%3Ainspector2%3Aus-east-1%3A1%3Aowner%2F1%2Ffilter%2Fx",
    "/tags/x?tagKeys=b&tagKeys=a&tagKeys=B",
    "/a?acl&b=&c=%3A%2F&a=1&a-b=2&a0=3",
    "/%E7%82%B9%E6%A4%9C/%20%2B~?q=%E7%82%B9%20%2B",
    "/a//b/./c/../d/",
    "/%252F/%25",
]
GO_HEADERS = {
    "Amz-Sdk-Invocation-Id": "0b7e1a1c-9a2f-4f57-9d64-3f5b7d6f5a11",
    "Amz-Sdk-Request": "attempt=1; max=3",
    "Content-Length": "2",
    "Content-Type": "application/json",
}


class BotocoreSigns(unittest.TestCase):
    def check(self, request, service, **how):
        answer = verify(request, service, **how)
        self.assertTrue(answer["ok"], (request.method, request.url, answer))
        self.assertEqual(answer["access_key"], KEY)
        return answer

    def test_requests_of_clients_verify(self):
        calls = [
            ("get_configuration", {}),
            ("list_findings", {"maxResults": 5}),
            ("list_tags_for_resource", {"resourceArn": ARN}),
            ("tag_resource", {"resourceArn": ARN, "tags": {"点検": "a b+c/é"}}),
            ("untag_resource", {"resourceArn": ARN, "tagKeys": ["b", "a", "点 検", "a+b"]}),
            ("list_account_permissions", {"service": "EC2"}),
        ]
        now = calendar.timegm(datetime.datetime.now(datetime.timezone.utc).timetuple())
        for token in (None, TOKEN):
            sent = client_requests("inspector2", calls, token)
            sent_sts = client_requests("sts", [("get_caller_identity", {})], token)
            classic = client_requests("inspector", [("list_assessment_runs", {})], token)
            self.assertEqual(len(sent), len(calls))
            for service, requests in (
                ("inspector2", sent), ("sts", sent_sts), ("inspector", classic)
            ):
                for request in requests:
                    answer = self.check(request, service, time=now)
                    self.assertEqual(answer["token"], token or "")

    def test_every_form_of_path_and_query_verifies(self):
        for path in PATHS:
            for body in (b"", b"{}"):
                request = aws_request("POST" if body else "GET", path, body=body)
                self.check(
                    signed_by_botocore(request, signer(botocore.auth.SigV4Auth, "inspector2")),
                    "inspector2",
                )

    def test_header_set_of_the_go_sdk_verifies(self):
        request = signed_by_botocore(
            aws_request("POST", "/findings/list", GO_HEADERS, b"{}"),
            signer(botocore.auth.SigV4Auth, "inspector2"),
        )
        self.assertIn(
            "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;"
            "x-amz-date,",
            request.headers["Authorization"],
        )
        self.check(request, "inspector2")

    def test_blanks_in_headers_are_folded_and_a_date_header_will_do(self):
        request = aws_request(headers={"X-Note": "  a   b \t c  ", "Date": "x"})
        signed_by_botocore(request, signer(botocore.auth.SigV4Auth, "inspector2"))
        self.assertNotIn("X-Amz-Date", request.headers)
        self.check(request, "inspector2")

    def test_presigned_urls_verify_until_they_expire(self):
        for token in (None, TOKEN):
            for path in PATHS:
                request = signed_by_botocore(
                    aws_request(path=path),
                    signer(botocore.auth.SigV4QueryAuth, "sts", token, expires=900),
                )
                answer = self.check(request, "sts", time=TIME + 899)
                self.assertEqual(answer["token"], token or "")
                self.assertEqual(verify(request, "sts", time=TIME + 900)["code"], "RequestExpired")

    def test_s3_encodes_the_key_once(self):
        for path in ("/bucket/a%20b/%E7%82%B9", "/b/x//y/../z", "/b/k%3D%28%29%21?uploads&x-id=P"):
            request = signed_by_botocore(
                aws_request("PUT", path, body=b"text"), signer(botocore.auth.S3SigV4Auth, "s3")
            )
            self.check(request, "s3")

    def test_anything_changed_is_refused(self):
        def fresh(**how):
            return signed_by_botocore(
                aws_request("POST", "/findings/list", GO_HEADERS, b"{}"),
                signer(botocore.auth.SigV4Auth, "inspector2"),
            )

        mismatch = "InvalidSignatureException"
        self.assertEqual(verify(fresh(), "inspector2", body="{} ")["code"], mismatch)
        self.assertEqual(verify(fresh(), "inspector2", secret=SECRET + "x")["code"], mismatch)
        self.assertEqual(verify(fresh(), "inspector2", time=TIME + 301)["code"], mismatch)
        self.assertEqual(verify(fresh(), "inspector2", time=TIME - 301)["code"], mismatch)
        self.assertEqual(verify(fresh(), "sts")["code"], mismatch)
        request = fresh()
        request.headers.replace_header("Content-Type", "text/plain")
        self.assertEqual(verify(request, "inspector2")["code"], mismatch)
        request = fresh()
        request.url += "?x=1"
        self.assertEqual(verify(request, "inspector2")["code"], mismatch)


class WeSign(unittest.TestCase):
    def check(self, kind, service, method, path, headers, body, token):
        """What we sign is what botocore signs for the same request and time."""
        ours = ask(
            do="sign", method=method, target=path, headers=[["Host", HOST], *headers.items()],
            body=body, access_key=KEY, secret=SECRET, token=token, region="us-east-1",
            service=service, time=TIME,
        )["headers"]
        theirs = signed_by_botocore(
            aws_request(method, path, dict(headers), body.encode()), signer(kind, service, token)
        )
        for name, value in ours:
            self.assertEqual(value, theirs.headers[name], (path, name))
        self.assertEqual(ours[-1][0], "authorization")

    def test_as_botocore_does(self):
        for token in ("", TOKEN):
            for path in PATHS:
                for headers in ({}, GO_HEADERS, {"X-B": " a   b ", "X-A": "é"}):
                    for body in ("", "{}", '{"a": "点検"}'):
                        self.check(
                            botocore.auth.SigV4Auth, "inspector2", "POST", path, headers, body,
                            token,
                        )

    def test_for_s3_as_botocore_does(self):
        for path in (
            "/bucket",
            "/bucket/a%20b/%E7%82%B9",
            "/bucket//x/../y",
            "/bucket/k%3D%28%29%21%2B?uploadId=a%2Fb&partNumber=2",
            "/bucket?list-type=2&prefix=a%2F",
        ):
            self.check(botocore.auth.S3SigV4Auth, "s3", "PUT", path, {}, "text", "")


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    peer.stdin.close()
    sys.exit(0 if result.wasSuccessful() else 1)
