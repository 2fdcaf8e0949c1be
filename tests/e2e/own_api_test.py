"""The own API: a story over all of its operations, whose every answer is checked against
docs/openapi.yaml; then schemathesis, which makes up requests from that description."""
import pathlib
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import aws_tools

aws_tools.enter()

import own_api  # noqa: E402
import server as serve  # noqa: E402
import support  # noqa: E402

OTHER = "444455556666"
SCHEMATHESIS_SECONDS = 240


class OwnApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        database = own_api.build_database(
            scratch.name,
            [own_api.advisory("PYSEC-1", "alpha", "2.0"), own_api.advisory("PYSEC-2", "beta", "3.0")],
        )
        cls.exports = pathlib.Path(scratch.name) / "exports"
        cls.exports.mkdir()
        cls.server = serve.Server(database, arguments=["--export-dir", str(cls.exports)])
        cls.addClassCleanup(cls.server.close)
        cls.description = own_api.Description()

    def ask(self, method, target, status=200, key=None, body=b"", headers=None):
        response = self.server.request(method, target, body, headers, key)
        self.assertEqual(response.status, status, str(response))
        return self.description.check(method, target, response)

    def put(self, resource, query="", key=None, status=200, **packages):
        target = f"/v1/resources/{urllib.parse.quote(resource, safe='')}/inventory{query}"
        headers = {"Content-Type": serve.CYCLONEDX}
        return self.ask("PUT", target, status, key, own_api.sbom(**packages), headers)

    def create_filter(self, request):
        """The new filter's id."""
        made = self.server.request("POST", "/filters/create", request)
        self.assertEqual(made.status, 200, str(made))
        return made.json()["arn"].rpartition("/")[2]

    def findings(self, query=""):
        return self.ask("GET", "/v1/findings" + query)["findings"]

    def wait_for_findings(self, query, count):
        serve.wait_for(lambda: len(self.findings(query)) == count, what=f"{count} findings")
        return self.findings(query)

    def test_a_resource_from_its_first_report_to_its_end(self):
        put = self.put("web 1/a", "?tag=env%3Dprod&tag=team%3D&ttl=7d", alpha="1.0", gamma="1.0")
        self.assertFalse(put["unchanged"])
        one = "/v1/resources/web%201%2Fa"
        same = f"?tag=env%3Dprod&tag=team%3D&ttl=7d&digest={put['digest']}"
        self.assertTrue(self.ask("PUT", f"{one}/inventory{same}")["unchanged"])
        self.ask("PUT", f"{one}/inventory?digest={put['digest']}", 412)  # its tags are others
        finding = self.wait_for_findings("?resource=web%201%2Fa", 1)[0]
        self.assertEqual(
            (finding["vulnerabilityId"], finding["status"], finding["severity"], finding["score"]),
            ("PYSEC-1", "ACTIVE", "CRITICAL", 9.8),
        )
        resource = self.ask("GET", one)
        self.assertEqual(resource["tags"], {"env": "prod", "team": ""})
        self.assertEqual(resource["coverage"], {"status": "ACTIVE", "reason": "SUCCESSFUL"})
        self.assertEqual(resource["findings"]["active"]["critical"], 1)
        self.assertIn("expiresAt", resource)
        packages = self.ask("GET", f"{one}/packages")["packages"]
        self.assertEqual(
            {p["name"]: (p["decided"], p["vulnerabilities"]) for p in packages},
            {"alpha": ("decided", 1), "gamma": ("decided", 0)},
        )
        self.assertEqual(len(self.ask("GET", f"{one}/sbom")["components"]), 2)
        self.assertEqual(len(self.ask("GET", f"{one}/sbom?format=spdx")["packages"]) >= 2, True)
        self.ask("GET", f"{one}/facts", 404)  # no agent reported it: agents_test.py
        self.assertEqual(self.ask("GET", "/v1/agents"), {"agents": []})
        self.assertEqual(self.ask("GET", "/v1/collections"), {"collections": []})
        self.assertEqual(self.ask("DELETE", one)["findingsClosed"], 1)
        self.assertEqual(self.ask("GET", one)["coverage"]["reason"], "RESOURCE_TERMINATED")
        detail = self.ask("GET", "/v1/findings/" + finding["findingId"])
        self.assertEqual(
            [(event["status"], event["cause"]) for event in detail["history"]],
            [("ACTIVE", f"inventory {put['digest']}"), ("CLOSED", "retired by admin")],
        )
        # It reports again: it lives again, and its finding goes on.
        self.ask("PUT", f"{one}/inventory{same}", 412)
        self.put("web 1/a", alpha="1.0")
        again = self.wait_for_findings("?resource=web%201%2Fa&status=ACTIVE", 1)[0]
        self.assertEqual(again["findingId"], finding["findingId"])

    def test_a_finding_is_explained_by_the_advisories_rows(self):
        self.put("explained", alpha="1.0", beta="3.0")
        finding = self.wait_for_findings("?resource=explained", 1)[0]
        evidence = self.ask("GET", "/v1/findings/" + finding["findingId"])["evidence"]
        row = evidence["packages"][0]["findings"][0]["evidence"][0]
        self.assertEqual((row["advisory"], row["verdict"]), ("PYSEC-1", "affected"))
        why_not = self.ask("GET", "/v1/resources/explained/explain/PYSEC-2")
        self.assertTrue(why_not["known"])
        self.assertEqual(why_not["packages"][0]["findings"], [])
        self.assertEqual(why_not["packages"][0]["others"][0]["verdict"], "not_affected")
        nothing = self.ask("GET", "/v1/resources/explained/explain/CVE-1999-0001")
        self.assertEqual((nothing["known"], nothing["packages"]), (False, []))

    def test_pages_follow_one_another_and_tokens_belong_to_their_question(self):
        for number in range(7):
            self.put(f"page-{number}", "?tag=paged%3Dyes", alpha="1.0")
        seen = []
        target = "/v1/resources?tag=paged%3Dyes&limit=3"
        token = ""
        while True:
            page = self.ask("GET", target + token)
            seen += [one["resourceId"] for one in page["resources"]]
            if "nextToken" not in page:
                break
            token = "&nextToken=" + page["nextToken"]
        self.assertEqual(seen, [f"page-{number}" for number in range(7)])
        self.ask("GET", "/v1/resources?tag=paged%3Dno&limit=3" + token, 400)
        self.ask("GET", "/v1/findings?limit=3" + token, 400)
        self.ask("GET", target + token[:-1], 400)
        self.ask("GET", target + token, 400, self.server.key(OTHER))

    def test_another_tenant_sees_and_changes_nothing(self):
        self.put("theirs", alpha="1.0")
        finding = self.wait_for_findings("?resource=theirs", 1)[0]
        stranger = self.server.key(OTHER)
        one = "/v1/resources/theirs"
        for target in (one, f"{one}/packages", f"{one}/sbom", f"{one}/explain/PYSEC-1"):
            self.ask("GET", target, 404, stranger)
        self.ask("DELETE", one, 404, stranger)
        self.ask("GET", "/v1/findings/" + finding["findingId"], 404, stranger)
        self.assertEqual(self.ask("GET", "/v1/findings", key=stranger)["findings"], [])
        self.assertEqual(self.ask("GET", "/v1/figures", key=stranger)["packages"], 0)
        events = self.ask("GET", "/v1/audit", key=stranger)["events"]
        self.assertIn(("tenken:RetireResource", "theirs", "ResourceNotFoundException"),
                      [(event["action"], event["target"], event["outcome"]) for event in events])

    def test_roles_are_held_to(self):
        viewer, auditor = self.server.key(role="viewer"), self.server.key(role="auditor")
        self.ask("GET", "/v1/resources", key=viewer)
        self.ask("GET", "/v1/audit", 403, viewer)
        self.ask("GET", "/v1/audit", key=auditor)
        self.put("refused", key=auditor, status=403, alpha="1.0")
        self.ask("DELETE", "/v1/resources/refused", 403, viewer)

    def test_a_user_gets_another_role_and_keeps_it_with_a_new_key(self):
        words = ("--account", serve.ACCOUNT, "--user", "rises")
        first = serve.Key(self.server.admin("key", "create", *words))
        self.ask("GET", "/v1/resources", key=first)
        self.ask("GET", "/v1/audit", 403, first)
        self.server.admin("user", "role", *words, "--role", "auditor")
        serve.wait_for(
            lambda: self.server.request("GET", "/v1/audit", key=first).status == 200, what="the role"
        )
        second = serve.Key(self.server.admin("key", "create", *words))
        self.ask("GET", "/v1/audit", key=second)
        nobody = ("--account", serve.ACCOUNT, "--user", "nobody")
        for wrong in (words, (*words, "--role", "owner"), (*nobody, "--role", "viewer")):
            answer = support.tenken("admin", "user", "role", *wrong, *self.server.store)
            self.assertEqual(answer.code, support.USAGE, str(answer))

    def test_how_old_the_data_is_stands_in_every_answer_that_depends_on_it(self):
        database = self.ask("GET", "/v1/database")["database"]
        self.assertEqual(database["newestRecord"], "2024-01-01T00:00:00Z")
        self.assertEqual(database["vulnerabilities"], 2)
        for target in ("/v1/resources", "/v1/findings", "/v1/figures"):
            age = self.ask("GET", target)["database"]
            self.assertEqual(age["generation"], database["generation"])
            self.assertGreater(age["ageSeconds"], 0)
        self.ask("GET", "/v1/jobs")

    def test_pages_for_machines_that_watch_are_read_and_nothing_else(self):
        serve.wait_for(lambda: self.server.send("GET", "/readyz").status == 200, what="readiness")
        for path in ("/healthz", "/readyz", "/metrics"):
            for method in ("GET", "HEAD"):
                self.assertEqual(self.server.send(method, path).status, 200, (method, path))
            for method in ("POST", "DELETE", "get"):
                refused = self.server.send(method, path)
                self.assertEqual(refused.status, 405, (method, path))
                self.assertEqual(refused.headers["Allow"], "GET, HEAD")
                self.assertEqual(refused.headers["x-amzn-ErrorType"], "MethodNotAllowedException")

    def test_figures_count_what_is_installed_on_what_is_there(self):
        key = self.server.key("555566667777")
        for resource in ("stays", "goes"):
            self.put(resource, key=key, alpha="1.0", gamma="1.0")
        self.assertEqual(self.ask("GET", "/v1/figures", key=key)["packages"], 4)
        self.ask("DELETE", "/v1/resources/goes", key=key)
        figures = self.ask("GET", "/v1/figures", key=key)
        self.assertEqual(figures["packages"], 2)
        self.assertEqual(sum(one["count"] for one in figures["resources"]), 2)

    def test_an_export_lies_in_the_servers_directory(self):
        self.put("exported", alpha="1.0")
        self.wait_for_findings("?resource=exported", 1)
        asked = {"name": "report.csv", "format": "CSV"}
        begun = self.ask("POST", "/v1/exports", 202, body=asked)
        target = "/v1/exports/" + begun["exportId"]
        serve.wait_for(lambda: self.ask("GET", target)["status"] == "SUCCEEDED", what="the export")
        written = [file for file in self.exports.rglob("*") if file.is_file()]
        self.assertIn("PYSEC-1", written[0].read_text())
        self.ask("GET", target, 404, self.server.key(OTHER))

    def test_a_suppression_rule_ends_by_itself(self):
        self.put("accepted", alpha="1.0")
        finding = self.wait_for_findings("?resource=accepted", 1)[0]
        criteria = {"resourceId": [{"comparison": "EQUALS", "value": "accepted"}]}
        rule = {"name": "accepted", "action": "SUPPRESS", "reason": "r", "filterCriteria": criteria}
        made = self.create_filter(rule)
        one = "/v1/filters/" + made
        self.assertTrue(self.ask("GET", one)["suppresses"])
        self.wait_for_findings("?resource=accepted&status=SUPPRESSED", 1)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        self.assertEqual(self.ask("PUT", one + "/expiry", body={"expiresAt": soon})["expiresAt"], soon)
        self.wait_for_findings("?resource=accepted&status=ACTIVE", 1)
        history = self.ask("GET", "/v1/findings/" + finding["findingId"])["history"]
        self.assertEqual(history[-1]["cause"], f"filter {made} expired")
        kept = self.ask("GET", "/v1/filters")["filters"]
        self.assertIn(made, [filter["filterId"] for filter in kept])
        self.ask("PUT", one + "/expiry", 403, self.server.key(role="operator"), {"expiresAt": None})
        self.ask("GET", one, 404, self.server.key(OTHER))
        self.assertIn(("tenken:SetFilterExpiry", "success"),
                      [(event["action"], event["outcome"])
                       for event in self.ask("GET", "/v1/audit")["events"]])

    def test_what_is_wrong_is_refused_with_a_reason(self):
        for target, word in (
            ("/v1/resources?limit=0", "limit"),
            ("/v1/resources?limit=1&limit=2", "limit"),
            ("/v1/resources?colour=red", "colour"),
            ("/v1/resources?type=toaster", "type"),
            ("/v1/resources?tag=", "tag"),
            ("/v1/resources?type=", "type: a value is needed"),
            ("/v1/findings?resource", "resource: a value is needed"),
            ("/v1/findings?nextToken=", "nextToken: a value is needed"),
            ("/v1/figures?limit=1", "limit"),
            ("/v1/findings?severity=high", "severity"),
            ("/v1/findings?nextToken=abc", "nextToken"),
        ):
            self.assertIn(word, self.ask("GET", target, 400)["message"])
        for query in ("?ttl=7", "?type=toaster", "?tag=x", "?digest=zz"):
            self.put("wrong", query, status=400, alpha="1.0")
        for query, word in (
            ("?tag=env%3Da&tag=env%3Db", "tag env: it has two values"),
            ("?tag=env%3Da&tag=env%3Da", "tag env: it has two values"),
            ("?tag=" + "n" * 129 + "%3Da", "1 to 128"),
            ("?tag=n%3D" + "v" * 257, "at most 256"),
            ("?tag=n%3Da%1B", "printable"),
        ):
            self.assertIn(word, self.put("wrong", query, status=400, alpha="1.0")["message"])
        self.ask("GET", "/v1/resources/wrong", 404)
        self.put("tagged", "?tag=" + "n" * 128 + "%3D" + "v" * 256, alpha="1.0")
        response = self.server.request("POST", "/v1/resources")
        self.assertEqual((response.status, response.headers["Allow"]), (405, "GET"))
        self.assertEqual(response.headers["x-amzn-ErrorType"], "MethodNotAllowedException")
        self.assertEqual(self.server.request("GET", "/v1/nothing").status, 404)

    def test_z_every_operation_was_called(self):
        self.assertEqual(self.description.operations() - self.description.called, set())

    def test_z_made_up_requests_are_answered_as_described(self):
        self.put("known", alpha="1.0")
        finding = self.wait_for_findings("?resource=known", 1)[0]
        made = self.create_filter({"name": "known", "action": "NONE", "filterCriteria": {}})
        environment = self.server.aws_environment()
        environment.update(
            SCHEMATHESIS_HOOKS="own_api_hooks", PYTHONPATH=str(aws_tools.HERE),
            TENKEN_RESOURCE="known", TENKEN_FINDING=finding["findingId"], TENKEN_FILTER=made,
            NO_COLOR="1",
        )  # fmt: skip
        started = time.monotonic()
        words = [
            str(aws_tools.HOME / "bin" / "schemathesis"), "run", str(self.description.file),
            "--url", self.server.url, "--tls-verify", self.server.ca_file,
            "--phases", "examples,coverage,fuzzing", "--max-examples", "12",
            "--generation-deterministic",
            "--suppress-health-check", "all", "--request-timeout", "20",
            "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
            "response_schema_conformance,unsupported_method",
        ]  # fmt: skip
        run = subprocess.run(
            words, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False,
            timeout=SCHEMATHESIS_SECONDS,
        )  # fmt: skip
        said = run.stdout.decode(errors="replace")
        print(f"schemathesis: {time.monotonic() - started:.0f} s\n" + said[-1800:])
        self.assertEqual(run.returncode, 0, said[-6000:] + run.stderr.decode(errors="replace")[-2000:])
        self.assertTrue(self.server.running(), self.server.log())


if __name__ == "__main__":
    support.main()
