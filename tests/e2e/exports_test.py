#!/usr/bin/env python3
"""Exports as the AWS CLI asks for them, into an S3 server of another make: findings reports, SBOMs,
what goes wrong with a bucket, a server killed half-way; exports into the server's own directory.
"""
import aws_tools

aws_tools.enter()

import csv
import io
import json
import os
import socket
import stat
import time

import s3_server
import server
import support
from server import wait_for

BUCKET = "reports-of-tenken"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/0b7e1a1c-9a2f-4f57-9d64-3f5b7d6f5a11"
NAMES = 1200  # of packages, each with a vulnerability
HOSTS = 9

directory = None
database = None
s3 = None


def setUpModule():
    global directory, database, s3
    directory = support.ModuleDirectory()
    feed = support.write_feed(directory.path / "feed")
    for number in range(NAMES):
        record = support.advisory(
            f"GHSA-{number:04}-many-many", "PyPI", f"many{number}",
            [{"introduced": "0"}, {"fixed": "2.0"}], aliases=[f"CVE-2025-{10000 + number}"],
            severity=support.MEDIUM, summary=f"Flaw {number}", details="Words about it. " * 60,
        )  # fmt: skip
        support.write(feed / (record["id"] + ".json"), record)
    database = support.build(directory.path / "advisories.db", feed)
    s3 = s3_server.S3Server()
    s3.client.create_bucket(Bucket=BUCKET)


def tearDownModule():
    s3.close()
    directory.remove()


DEMO = support.cyclonedx("pkg:pypi/demo-package@1.0", "pkg:pypi/once@1.0", "pkg:pypi/fine@1.0")
MANY = support.cyclonedx(*[f"pkg:pypi/many{number}@1.0" for number in range(NAMES)])


class ExportsCase(support.TestCase):
    def serve(self, endpoint=None, arguments=(), **named):
        one = server.Server(
            database=database,
            arguments=[
                "--s3-endpoint-url", endpoint or s3.url,
                "--export-bucket", f"{server.ACCOUNT}={BUCKET}",
                "--export-bucket", f"{server.ACCOUNT}=no-such-bucket-here", *arguments,
            ],
            variables={"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret},
            **named,
        )  # fmt: skip
        self.addCleanup(one.close)
        return one

    def put(self, one, resources, findings):
        for name, sbom in resources.items():
            answer = one.put_inventory(name, sbom, env="prod")
            self.assertEqual(answer.status, 200, answer)
        wait_for(lambda: self.total(one) == findings, 120, "the findings")

    def total(self, one):
        counts = one.aws("inspector2", "list-finding-aggregations", "--aggregation-type",
                         "ACCOUNT").json()["responses"]  # fmt: skip
        return counts[0]["accountAggregation"]["severityCounts"]["all"] if counts else 0

    def aws(self, one, *words, **named):
        answer = one.aws("inspector2", *words, **named)
        self.assertEqual(answer.code, 0, answer)
        return answer.json()

    def destination(self, prefix, bucket=BUCKET):
        return f"bucketName={bucket},keyPrefix={prefix},kmsKeyArn={KMS_KEY}"

    def report(self, one, prefix, *words, kind="CSV", bucket=BUCKET):
        return self.aws(
            one, "create-findings-report", "--report-format", kind,
            "--s3-destination", self.destination(prefix, bucket), *words,
        )["reportId"]  # fmt: skip

    def ended(self, one, report, seconds=120):
        def status():
            answer = self.aws(one, "get-findings-report-status", "--report-id", report)
            return answer if answer["status"] != "IN_PROGRESS" else None

        return wait_for(status, seconds, "the report's end")


class Reports(ExportsCase):
    def test_a_report_has_the_columns_and_a_line_for_each_finding(self):
        with self.serve() as one:
            self.put(one, {"i-0a": DEMO, "i-0b": DEMO}, 6)
            report = self.report(one, "csv")
            status = self.ended(one, report)
            self.assertEqual(status["status"], "SUCCEEDED", status)
            self.assertEqual(status["destination"]["bucketName"], BUCKET)
            head = s3.client.head_object(Bucket=BUCKET, Key=f"csv/{report}.csv")
            self.assertEqual(head["ServerSideEncryption"], "aws:kms")
            self.assertEqual(head["SSEKMSKeyId"], KMS_KEY)
            text = s3.get(BUCKET, f"csv/{report}.csv").decode()
            rows = list(csv.DictReader(io.StringIO(text)))
            self.assertEqual({len(row) for row in csv.reader(io.StringIO(text))}, {52})
            found = {finding["findingArn"]: finding for finding in one.findings()}
            self.assertEqual(len(rows), len(found))
            for row in rows:
                finding = found[row["Finding ARN"]]
                self.assertEqual(row["Severity"], finding["severity"])
                self.assertEqual(row["Title"], finding["title"])
                self.assertEqual(row["Resource ID"], finding["resources"][0]["id"])
                self.assertEqual(row["Resource Tags"], "env:prod")

    def test_a_question_chooses_and_json_is_what_the_list_says(self):
        with self.serve() as one:
            self.put(one, {"i-0a": DEMO, "i-0b": DEMO}, 6)
            where = {"resourceId": [{"comparison": "EQUALS", "value": "i-0b"}]}
            report = self.report(
                one, "json", "--filter-criteria", json.dumps(where), kind="JSON"
            )
            self.assertEqual(self.ended(one, report)["status"], "SUCCEEDED")
            written = json.loads(s3.get(BUCKET, f"json/{report}.json"))["findings"]
            listed = one.findings(**where)
            self.assertEqual(len(listed), 3)
            self.assertEqual({one["findingArn"] for one in written},
                             {one["findingArn"] for one in listed})  # fmt: skip
            latest = self.aws(one, "get-findings-report-status")
            self.assertEqual((latest["reportId"], latest["filterCriteria"]), (report, where))

    def test_what_went_wrong_is_told(self):
        with self.serve() as one:
            self.put(one, {"i-0a": DEMO}, 3)
            wrong = self.ended(one, self.report(one, "x", bucket="no-such-bucket-here"))
            self.assertEqual((wrong["status"], wrong["errorCode"]), ("FAILED", "BUCKET_NOT_FOUND"))
            none = {"resourceId": [{"comparison": "EQUALS", "value": "nobody"}]}
            wrong = self.ended(one, self.report(one, "x", "--filter-criteria", json.dumps(none)))
            self.assertEqual(wrong["errorCode"], "NO_FINDINGS_FOUND")
            refused = one.aws(
                "inspector2", "create-findings-report", "--report-format", "CSV",
                "--s3-destination", self.destination("x", "somebody-elses"),
            )  # fmt: skip
            self.assertIn("AccessDeniedException", refused.err)

    def test_a_large_report_goes_up_in_parts_and_a_killed_one_begins_anew(self):
        with socket.socket() as silent:  # takes requests and never answers
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            one = self.serve(f"http://127.0.0.1:{port}")
            self.put(one, {f"i-{host}": MANY for host in range(HOSTS)}, NAMES * HOSTS)
            report = self.report(one, "large", kind="JSON")
            silent.settimeout(60)
            silent.accept()[0].close()
            refused = one.aws(
                "inspector2", "create-findings-report", "--report-format", "CSV",
                "--s3-destination", self.destination("x"),
            )  # fmt: skip
            self.assertIn("Cannot have multiple reports in-progress", refused.err)
            one.kill()
        one.arguments[one.arguments.index("--s3-endpoint-url") + 1] = s3.url
        one.start()
        self.assertEqual(self.ended(one, report)["status"], "SUCCEEDED")
        text = s3.get(BUCKET, f"large/{report}.json")
        self.assertGreater(len(text), 16 << 20)
        written = [finding["findingArn"] for finding in json.loads(text)["findings"]]
        self.assertEqual(len(written), NAMES * HOSTS)
        self.assertEqual(len(set(written)), NAMES * HOSTS)

    def test_a_report_is_cancelled(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            one = self.serve(f"http://127.0.0.1:{silent.getsockname()[1]}")
            self.put(one, {"i-0a": DEMO}, 3)
            report = self.report(one, "cancelled")
            self.assertEqual(
                self.aws(one, "cancel-findings-report", "--report-id", report)["reportId"], report
            )
            self.assertEqual(self.ended(one, report)["status"], "CANCELLED")
            self.report(one, "stopped")
            begun = time.monotonic()
            one.stop()
            self.assertLess(time.monotonic() - begun, 10)


class Sboms(ExportsCase):
    def export(self, one, prefix, kind, *words):
        export = self.aws(
            one, "create-sbom-export", "--report-format", kind,
            "--s3-destination", self.destination(prefix), *words,
        )["reportId"]  # fmt: skip

        def ended():
            answer = self.aws(one, "get-sbom-export", "--report-id", export)
            return answer if answer["status"] != "IN_PROGRESS" else None

        answer = wait_for(ended, 60, "the export's end")
        self.assertEqual(answer["status"], "SUCCEEDED", answer)
        self.assertEqual(answer["format"], kind)
        keys = [key for key in s3.keys(BUCKET) if key.startswith(prefix + "/")]
        return {key.rsplit("/", 1)[1]: json.loads(s3.get(BUCKET, key)) for key in keys}

    def test_a_document_for_each_resource_in_both_formats(self):
        with self.serve() as one:
            self.put(one, {"i-0a": DEMO, "host/with: slash": DEMO}, 6)
            documents = self.export(one, "cdx", "CYCLONEDX_1_4")
            self.assertEqual(set(documents), {"i-0a.json", "host%2Fwith%3A%20slash.json"})
            document = documents["i-0a.json"]
            self.assertEqual(document["specVersion"], "1.4")
            said = {one["name"]: one["value"] for one in document["metadata"]["properties"]}
            self.assertEqual(said["accountId"], server.ACCOUNT)
            purls = {one["bom-ref"]: one.get("purl") for one in document["components"]}
            affected = {purls[ref["ref"]] for one in document["vulnerabilities"]
                        for ref in one["affects"]}  # fmt: skip
            self.assertEqual(affected, {"pkg:pypi/demo-package@1.0", "pkg:pypi/once@1.0"})

            where = {"resourceId": [{"comparison": "EQUALS", "value": "i-0a"}]}
            documents = self.export(
                one, "spdx", "SPDX_2_3", "--resource-filter-criteria", json.dumps(where)
            )
            self.assertEqual(set(documents), {"i-0a.json"})
            document = documents["i-0a.json"]
            self.assertEqual(document["name"], f"{server.ACCOUNT}/EC2/i-0a")
            security = {
                reference["referenceLocator"]
                for package in document["packages"]
                for reference in package.get("externalRefs", [])
                if reference["referenceCategory"] == "SECURITY"
            }
            self.assertIn("CVE-2024-90004", security)


class Local(ExportsCase):
    def test_one_whose_bucket_hangs_holds_up_no_other(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            silent.settimeout(60)
            arguments = ["--export-dir", str(self.directory / "exports")]
            with self.serve(f"http://127.0.0.1:{silent.getsockname()[1]}", arguments) as one:
                self.put(one, {"i-0a": DEMO}, 3)
                report = self.report(one, "hangs")
                taken, _ = silent.accept()
                self.addCleanup(taken.close)
                asked = one.request("POST", "/v1/exports", {"name": "s", "format": "SPDX_2_3"})
                self.assertEqual(asked.status, 202, asked)
                path = "/v1/exports/" + asked.json()["exportId"]
                wait_for(lambda: one.request("GET", path).json()["status"] == "SUCCEEDED", 60,
                         "the other export's end")  # fmt: skip
                state = self.aws(one, "get-findings-report-status", "--report-id", report)
                self.assertEqual(state["status"], "IN_PROGRESS", state)

    def test_exports_go_into_the_servers_own_directory_only(self):
        exports = self.directory / "exports"
        with self.serve(arguments=["--export-dir", str(exports)]) as one:
            self.put(one, {"i-0a": DEMO}, 3)

            def export(**body):
                return one.request("POST", "/v1/exports", body)

            def ended(answer):
                self.assertEqual(answer.status, 202, answer)
                path = "/v1/exports/" + answer.json()["exportId"]

                def status():
                    state = one.request("GET", path).json()
                    return state if state["status"] != "IN_PROGRESS" else None

                return wait_for(status, 60, "the export's end")

            state = ended(export(name="all.csv", format="CSV"))
            self.assertEqual((state["status"], state["items"]), ("SUCCEEDED", 3), state)
            file = exports / server.ACCOUNT / "all.csv"
            self.assertEqual(len(list(csv.reader(io.StringIO(file.read_text())))), 4)
            self.assertEqual(stat.S_IMODE(os.stat(file).st_mode) & 0o007, 0)
            state = ended(export(name="sboms", format="SPDX_2_3"))
            self.assertEqual(state["status"], "SUCCEEDED", state)
            files = [path.name for path in (exports / server.ACCOUNT / "sboms").rglob("*.json")]
            self.assertEqual(files, ["i-0a.json"])
            # The same name again: what an earlier export left is gone, and nothing lies beside.
            folder = exports / server.ACCOUNT / "sboms"
            (folder / "of-an-earlier-one.json").write_text("{}")
            state = ended(export(name="sboms", format="CYCLONEDX_1_4"))
            self.assertEqual(state["status"], "SUCCEEDED", state)
            self.assertEqual([path.name for path in folder.rglob("*.json")], ["i-0a.json"])
            self.assertEqual(sorted(os.listdir(folder.parent)), ["all.csv", "sboms"])
            for name in ("", "..", ".hidden", "a/b", "/etc/passwd", "x" * 65, "a\u0000b"):
                self.assertEqual(export(name=name, format="CSV").status, 400, name)
            wrong = {"severity": [{"comparison": "LIKE", "value": "x"}]}
            answer = export(name="a", format="CSV", filterCriteria=wrong)
            self.assertEqual(answer.status, 400, answer)
            self.assertEqual(sorted(os.listdir(exports)), [server.ACCOUNT])


if __name__ == "__main__":
    import unittest

    unittest.main()
