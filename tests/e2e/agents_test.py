"""Agents at the server's door: tokens from the command line, enrolment, reports, polls and commands
over TLS, as an agent and as those who would like to be one. The agent here is this program; the
machine's own `openssl` makes its keys."""
import base64
import hashlib
import json
import http.client
import os
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import aws_tools

aws_tools.enter()

import own_api  # noqa: E402
import postgres_server  # noqa: E402
import server as serve  # noqa: E402
import support  # noqa: E402

# AddressSanitizer keeps what was freed, 256 MB of it: memory is measured here.
os.environ["ASAN_OPTIONS"] = f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb=1"

ACCOUNT = serve.ACCOUNT
MIB = 1 << 20


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, **options).stdout


def memory(process):
    """What is resident of it, in bytes."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def report_lines(*packages):
    """A host's report: what it has, as lines."""
    lines = [
        {"k": "inventory", "target": "host", "name": "web-1", "databasesRead": 1},
        {"k": "os", "id": "debian", "versionId": "12", "ecosystem": "Debian", "release": "12"},
        {"k": "host", "kernel": "6.1", "booted": 1},
    ]
    lines += [
        {"k": "package", "ecosystem": "PyPI", "kind": "pypi", "name": name, "version": version,
         "purl": f"pkg:pypi/{name}@{version}"}
        for name, version in packages
    ]  # fmt: skip
    return sorted(json.dumps(line, separators=(",", ":")).encode() for line in lines)


def debian_lines(version, *processes):
    """A host of Debian 12 with libssl3, and the processes that run an earlier one's file."""
    lines = [json.loads(line) for line in report_lines()]
    lines.append({"k": "package", "ecosystem": "Debian", "release": "12", "kind": "deb",
                  "name": "libssl3", "version": version, "arch": "amd64"})  # fmt: skip
    lines += [
        {"k": "outdated", "executable": "/usr/sbin/nginx", "file": "/usr/lib/libssl.so.3",
         "pid": pid, "package": "libssl3"}
        for pid in processes
    ]  # fmt: skip
    return sorted(json.dumps(line, separators=(",", ":")).encode() for line in lines)


def digest(lines):
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()


def whole(lines):
    return b"".join(b"+" + line + b"\n" for line in lines)


def delta(old, new):
    gone = [b"-" + hashlib.sha256(line).hexdigest()[:16].encode() for line in old if line not in new]
    came = [b"+" + line for line in new if line not in old]
    return b"".join(line + b"\n" for line in gone + came)


class Agent:
    """A host that speaks for itself."""

    def __init__(self, server, folder, name):
        self.server = server
        self.name = name
        self.key = pathlib.Path(folder) / f"{name}.key"
        self.certificate = None
        self.session = hashlib.sha256(name.encode()).hexdigest()[:16]
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(self.key))

    def request_pem(self):
        return openssl("req", "-new", "-key", str(self.key), "-subj", "/CN=x").decode()

    def connect(self, seconds=60):
        context = ssl.create_default_context(cafile=self.server.ca_file)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, timeout=seconds, context=context
        )

    def ask(self, path, body=b"", status=200, method="POST", **headers):
        headers = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        headers |= {"Tenken-Session": self.session, "Tenken-Version": "0.1"}
        connection = self.connect()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if status is not None:
            assert answer.status == status, f"{answer.status} {text[:500]}"
        return json.loads(text)

    def enrol(self, token, status=200, **more):
        body = {
            "token": token, "request": self.request_pem(), "hostName": self.name,
            "machineId": hashlib.sha256(self.name.encode()).hexdigest(),
            "hostKey": hashlib.sha256(self.name.encode() + b"key").hexdigest(),
            "stateId": "0" * 32, "version": "0.1", "architecture": "x86_64", **more,
        }  # fmt: skip
        answer = self.ask("/agent/enrol", json.dumps(body), status)
        if status == 200:
            self.certificate = self.key.with_suffix(".pem")
            self.certificate.write_text(answer["certificate"])
            self.resource, self.id = answer["resourceId"], answer["agentId"]
            self.command_key = base64.b64decode(answer["commandKey"])
        return answer

    def report(self, sequence, lines, base=None, status=200):
        headers = {"Tenken_Sequence": sequence, "Tenken_Digest": digest(lines)}
        if base is None:
            return self.ask("/agent/report", whole(lines), status, **headers)
        headers["Tenken_Base"] = digest(base)
        return self.ask("/agent/report", delta(base, lines), status, **headers)

    def poll(self, lines=(), status=200):
        return self.ask("/agent/poll", b"", status, Tenken_Digest=digest(lines) if lines else "")


class Stories:
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        database = own_api.build_database(
            cls.folder,
            [
                own_api.advisory("PYSEC-1", "alpha", "2.0"),
                own_api.advisory("CVE-2024-1", "libssl3", "2.0", "Debian:12"),
            ],
        )
        cls.releases = cls.folder / "releases"
        cls.releases.mkdir()
        cls.server = serve.Server(
            database, database_uri=cls.store(), arguments=["--agent-releases", str(cls.releases)]
        )
        cls.addClassCleanup(cls.server.close)
        cls.description = own_api.Description()

    def token(self, *words):
        answer = self.server.admin("token", "create", "--account", ACCOUNT, *words)
        self.assertRegex(answer, r"\A[A-Za-z0-9_-]{43}\n\Z")
        return answer.strip()

    def agent(self, name, *words):
        agent = Agent(self.server, self.folder, name)
        agent.enrol(self.token(*words))
        return agent

    def get(self, target, status=200):
        response = self.server.request("GET", target)
        self.assertEqual(response.status, status, str(response))
        return self.description.check("GET", target, response)

    def active(self, agent):
        target = f"/v1/findings?resource={agent.resource}&status=ACTIVE"
        return [one["vulnerabilityId"] for one in self.get(target)["findings"]]

    def test_a_host_from_its_token_to_its_end(self):
        agent = self.agent("story", "--tag", "env=prod")
        coverage = self.get(f"/v1/resources/{agent.resource}")["coverage"]
        self.assertEqual((coverage["status"], coverage["reason"]), ("INACTIVE", "NO_INVENTORY"))
        self.assertIn("tenken-agent status", coverage["repair"])
        self.get(f"/v1/resources/{agent.resource}/facts", 404)
        old = report_lines(("alpha", "1.0"), ("gamma", "1.0"))
        self.assertEqual(agent.report(1, old)["sequence"], 1)
        serve.wait_for(lambda: self.active(agent) == ["PYSEC-1"], 5, "a finding")
        self.assertEqual(self.get(f"/v1/resources/{agent.resource}")["tags"], {"env": "prod"})
        facts = self.get(f"/v1/resources/{agent.resource}/facts")
        self.assertEqual(facts["facts"]["host"], [{"k": "host", "kernel": "6.1", "booted": 1}])
        new = report_lines(("alpha", "2.0"), ("gamma", "1.0"))
        self.assertEqual(agent.report(2, new, base=old)["digest"], digest(new))
        serve.wait_for(lambda: self.active(agent) == [], 5, "no finding")
        # What comes again changes nothing; what does not fit is asked for.
        for sequence, lines in ((1, old), (2, new)):
            again = agent.report(sequence, lines)
            self.assertEqual((again["sequence"], again["digest"]), (2, digest(new)))
        time.sleep(1)
        self.assertEqual(self.active(agent), [])
        refused = agent.report(3, old, base=old, status=409)
        self.assertEqual((refused["need"], refused["sequence"]), ("whole", 2))
        # A host that has it again, and is retired.
        agent.report(3, old)
        serve.wait_for(lambda: self.active(agent) == ["PYSEC-1"], 5, "a finding")
        self.server.admin("agent", "retire", "--account", ACCOUNT, agent.resource)
        self.assertEqual(self.active(agent), [])
        self.assertIn("retired", agent.report(4, new, status=403)["message"])
        self.assertEqual(
            self.get(f"/v1/resources/{agent.resource}")["coverage"]["reason"],
            "RESOURCE_TERMINATED",
        )
        agent.enrol(self.token())
        agent.report(1, new)
        self.assertNotEqual(
            self.get(f"/v1/resources/{agent.resource}")["coverage"]["reason"],
            "RESOURCE_TERMINATED",
        )
        listed = [one for one in self.get("/v1/agents")["agents"] if one["agentId"] == agent.id]
        self.assertEqual((listed[0]["status"], listed[0]["health"]), ("active", "healthy"))
        done = [(one["action"], one["target"]) for one in self.get("/v1/audit")["events"]]
        for action in ("tenken:EnrolAgent", "tenken:RetireAgent"):
            self.assertIn((action, agent.resource), done)

    def test_a_finding_stays_while_processes_run_what_was_replaced(self):
        agent = self.agent("restart")
        agent.report(1, debian_lines("1.0"))
        serve.wait_for(lambda: self.active(agent) == ["CVE-2024-1"], 5, "a finding")
        agent.report(2, debian_lines("2.0", 812, 813))
        listed = f"/v1/findings?resource={agent.resource}"

        def finding():
            return self.get(listed)["findings"][0]

        serve.wait_for(lambda: finding()["restartNeeded"], 5, "restartNeeded")
        self.assertEqual(finding()["status"], "ACTIVE")
        running = [{"executable": "/usr/sbin/nginx", "pids": [812, 813]}]
        package = finding()["packages"][0]
        self.assertEqual((package["version"], package["running"]), ("1.0", running))
        self.assertEqual(package["location"], "/usr/lib/libssl.so.3")
        packages = self.get(f"/v1/resources/{agent.resource}/packages")["packages"]
        self.assertEqual({one["version"]: one.get("running") for one in packages},
                         {"1.0": running, "2.0": None})  # fmt: skip
        self.assertEqual(self.get("/v1/figures")["restartNeeded"], {"resources": 1})
        criteria = {"resourceId": [{"comparison": "EQUALS", "value": agent.resource}]}
        answer = self.server.client("inspector2").list_findings(filterCriteria=criteria)
        shown = answer["findings"][0]
        self.assertEqual(
            shown["remediation"]["recommendation"]["text"],
            "libssl3 1.0 was replaced, and processes still run its files: "
            "restart /usr/sbin/nginx (812, 813).",
        )
        affected = shown["packageVulnerabilityDetails"]["vulnerablePackages"]
        self.assertEqual(
            [(one["version"], one["filePath"], one["remediation"]) for one in affected],
            [("1.0", "/usr/lib/libssl.so.3", "restart /usr/sbin/nginx (812, 813)")],
        )
        agent.report(3, debian_lines("2.0"))
        serve.wait_for(lambda: self.active(agent) == [], 5, "no finding")
        self.assertEqual(self.get("/v1/figures")["restartNeeded"], {"resources": 0})

    def test_what_a_host_says_of_itself_is_in_its_findings(self):
        agent = self.agent("instance")
        told = [
            {"k": "cloud", "provider": "aws", "instanceId": "i-0123456789abcdef0",
             "account": ACCOUNT, "region": "eu-west-1", "type": "t3.micro",
             "image": "ami-0123456789abcdef0", "launched": "2024-01-31T12:00:00Z",
             "vpc": "vpc-1", "subnet": "subnet-1", "publicAddress": "203.0.113.7",
             "keyName": "ops", "instanceProfile": "arn:aws:iam::1:instance-profile/web"},
            {"k": "address", "interface": "eth0", "address": "10.0.0.5/24"},
            {"k": "address", "interface": "eth0", "address": "no address"},
            {"k": "address", "interface": "eth0", "address": "fe80::1/64"},
            {"k": "address", "interface": "eth0", "address": "2001:db8::5/64"},
        ]  # fmt: skip
        lines = report_lines(("alpha", "1.0"))
        lines += [json.dumps(line, separators=(",", ":")).encode() for line in told]
        agent.report(1, report_lines(("alpha", "1.0")))
        serve.wait_for(lambda: self.active(agent) == ["PYSEC-1"], 5, "a finding")
        agent.report(2, sorted(lines))
        # Its cloud answers now: it is the instance, and what it was is gone with its findings.
        before = self.get(f"/v1/findings?resource={agent.resource}")["findings"]
        self.assertEqual(
            [(one["status"], one["cause"]) for one in before],
            [("CLOSED", "the host is i-0123456789abcdef0")],
        )
        self.assertEqual(self.active(agent), [])
        agent.resource = "i-0123456789abcdef0"
        serve.wait_for(lambda: self.active(agent) == ["PYSEC-1"], 5, "a finding")
        client = self.server.client("inspector2")
        criteria = {"resourceId": [{"comparison": "EQUALS", "value": agent.resource}]}
        resource = client.list_findings(filterCriteria=criteria)["findings"][0]["resources"][0]
        instance = resource["details"]["awsEc2Instance"]
        self.assertEqual(instance.pop("launchedAt").timestamp(), 1706702400)
        self.assertEqual(
            instance,
            {"iamInstanceProfileArn": "arn:aws:iam::1:instance-profile/web",
             "imageId": "ami-0123456789abcdef0", "ipV4Addresses": ["10.0.0.5", "203.0.113.7"],
             "ipV6Addresses": ["2001:db8::5"], "keyName": "ops", "platform": "DEBIAN_12",
             "subnetId": "subnet-1", "type": "t3.micro", "vpcId": "vpc-1"},
        )  # fmt: skip
        covered = client.list_coverage(filterCriteria=criteria)["coveredResources"][0]
        self.assertEqual(
            covered["resourceMetadata"]["ec2"],
            {"amiId": "ami-0123456789abcdef0", "platform": "LINUX", "tags": {}},
        )
        # By what it shows it is found, and counted.
        for field, value in (("ec2InstanceImageId", instance["imageId"]),
                             ("ec2InstanceVpcId", "vpc-1"), ("ec2InstanceSubnetId", "subnet-1")):  # fmt: skip
            found = {
                comparison: [
                    one["resources"][0]["id"]
                    for one in client.list_findings(
                        filterCriteria={field: [{"comparison": comparison, "value": value}]}
                    )["findings"]
                ]
                for comparison in ("EQUALS", "NOT_EQUALS")
            }
            self.assertEqual(found["EQUALS"], [agent.resource], field)
            self.assertNotIn(agent.resource, found["NOT_EQUALS"], field)
        counted = client.list_finding_aggregations(aggregationType="AMI")["responses"]
        self.assertEqual(
            [one["amiAggregation"] for one in counted],
            [{"accountId": ACCOUNT, "ami": "ami-0123456789abcdef0", "affectedInstances": 1,
              "scanSource": "INSTANCE_SCAN",
              "severityCounts": {"all": 1, "critical": 1, "high": 0, "medium": 0,
                                 "low": 0, "informational": 0, "untriaged": 0}}],
        )  # fmt: skip

    def test_a_report_is_of_the_host_of_its_certificate(self):
        liar, other = self.agent("liar"), self.agent("other")
        other.report(1, report_lines(("alpha", "1.0")))
        serve.wait_for(lambda: self.active(other) == ["PYSEC-1"], 5, "a finding")
        # In the name of the other host, with nothing of what that one has.
        named = [line.replace(b'"web-1"', b'"other"') for line in report_lines(("gamma", "1.0"))]
        liar.report(1, sorted(named))

        def packages(of):
            listed = self.get(f"/v1/resources/{of.resource}/packages")["packages"]
            return [one["name"] for one in listed]

        serve.wait_for(lambda: packages(liar) == ["gamma"], 5, "its own packages")
        time.sleep(1)
        self.assertEqual((self.active(other), packages(other)), (["PYSEC-1"], ["alpha"]))
        # As the instance that another agent is: it stays what it was, and both are told.
        instance = json.dumps({"k": "cloud", "provider": "aws", "instanceId": "i-0fedcba9876543210"},
                              separators=(",", ":")).encode()  # fmt: skip
        other.report(2, sorted([*report_lines(("alpha", "1.0")), instance]))
        other.resource = "i-0fedcba9876543210"
        serve.wait_for(lambda: self.active(other) == ["PYSEC-1"], 5, "the instance's finding")
        liar.report(2, sorted([*report_lines(("gamma", "1.0")), instance]))
        self.assertEqual(self.active(other), ["PYSEC-1"])
        health = {one["resourceId"]: one["health"] for one in self.get("/v1/agents")["agents"]
                  if one["status"] == "active"}  # fmt: skip
        self.assertEqual((health[liar.resource], health[other.resource]), ("clone", "clone"))
        told = self.server.admin("agent", "list", "--account", ACCOUNT).splitlines()
        told = [line.split("\t") for line in told]
        self.assertEqual({one[1] for one in told if one[7] == "clone"} & {liar.resource},
                         {liar.resource})  # fmt: skip

    def test_a_copy_of_an_instance_is_refused_and_the_instance_goes_on(self):
        def of_instance(instance, *packages):
            line = {"k": "cloud", "provider": "aws", "instanceId": instance}
            line = json.dumps(line, separators=(",", ":")).encode()
            return sorted([*report_lines(*packages), line])

        original = self.agent("golden")
        original.resource, other = "i-0bbbbbbbbbbbbbbbb", "i-0cccccccccccccccc"
        lines = of_instance(original.resource, ("alpha", "1.0"))
        original.report(1, lines)
        serve.wait_for(lambda: self.active(original) == ["PYSEC-1"], 5, "a finding")
        # The image has the agent's key and state; the instance made from it has its own id.
        copy = Agent(self.server, self.folder, "golden-copy")
        copy.key, copy.certificate = original.key, original.certificate
        refused = copy.report(2, of_instance(other, ("gamma", "1.0")), status=409)
        self.assertNotIn("need", refused)
        self.assertIn(f"is that of {original.resource}, and this host is {other}",
                      refused["message"])  # fmt: skip
        self.get(f"/v1/resources/{other}", 404)
        (shown,) = [one for one in self.get("/v1/agents")["agents"]
                    if one["resourceId"] == original.resource]  # fmt: skip
        self.assertEqual((shown["health"], shown["agentId"]), ("clone", original.id))
        original.report(2, of_instance(original.resource, ("alpha", "1.0"), ("beta", "1.0")))
        self.assertEqual(self.active(original), ["PYSEC-1"])
        # Nor is it another by the word of who runs the server.
        purl = "pkg:pypi/gamma@1.0"
        self.server.put_inventory(other, {
            "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
                {"type": "library", "name": "gamma", "version": "1.0", "purl": purl}]})  # fmt: skip
        answer = support.tenken("admin", "agent", "move", original.id, other, "--account", ACCOUNT,
                                *self.server.store, SOURCE_DATE_EPOCH=None)  # fmt: skip
        self.assertNotEqual(answer.code, support.OK)
        self.assertIn(f"the agent's host is {original.resource}", answer.err)

    def test_two_processes_of_one_session_are_told_apart(self):
        host = self.agent("memory")
        host.report(1, report_lines(("alpha", "1.0")))
        here = report_lines(("alpha", "1.0"), ("beta", "1.0"))
        host.report(2, here)
        refused = host.report(2, report_lines(("gamma", "1.0")), status=409)
        self.assertNotIn("need", refused)
        (shown,) = [one for one in self.get("/v1/agents")["agents"]
                    if one["resourceId"] == host.resource]  # fmt: skip
        self.assertEqual(shown["health"], "clone")
        self.assertEqual(host.report(2, here)["digest"], digest(here))

    def test_an_agent_whose_resource_another_took_is_retired_and_told_so(self):
        displaced, mover = self.agent("displaced"), self.agent("mover")
        displaced.report(1, report_lines(("alpha", "1.0")))
        serve.wait_for(lambda: self.active(displaced) == ["PYSEC-1"], 5, "a finding")
        self.server.admin("agent", "move", mover.id, displaced.resource, "--account", ACCOUNT)
        self.assertEqual(
            displaced.poll(status=403)["message"],
            f"This agent was retired, for {displaced.resource} is that of another: enrol it again "
            "with a new token",
        )
        status = {one["agentId"]: one["status"] for one in self.get("/v1/agents")["agents"]}
        self.assertEqual((status[displaced.id], status[mover.id]), ("retired", "active"))
        mover.report(1, report_lines(("gamma", "1.0")))
        mover.resource = displaced.resource
        serve.wait_for(lambda: self.active(mover) == [], 5, "its word")

    def test_what_somebody_has_put_is_not_had_by_naming_it(self):
        instance = "i-0aaaaaaaaaaaaaaaa"
        purl = "pkg:pypi/alpha@1.0"
        sbom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"type": "library", "name": "alpha", "version": "1.0", "purl": purl}]}  # fmt: skip
        self.server.put_inventory(instance, sbom)

        def findings():
            criteria = {"resourceId": [{"comparison": "EQUALS", "value": instance}]}
            return [(one["status"], one["packageVulnerabilityDetails"]["vulnerabilityId"])
                    for one in self.server.findings(**criteria)]  # fmt: skip

        serve.wait_for(findings, 5, "a finding")
        before = findings()
        self.assertEqual({status for status, _ in before}, {"ACTIVE"})
        thief = self.agent("thief")
        line = json.dumps({"k": "cloud", "provider": "aws", "instanceId": instance},
                          separators=(",", ":")).encode()  # fmt: skip
        thief.report(1, sorted([*report_lines(("gamma", "1.0")), line]))
        time.sleep(1)
        self.assertEqual(findings(), before)
        (shown,) = [one for one in self.get("/v1/agents")["agents"]
                    if one["resourceId"] == thief.resource]  # fmt: skip
        self.assertEqual((shown["health"], shown["wantedResourceId"]), ("clone", instance))
        # It is that host, says who runs the server.
        self.server.admin("agent", "move", thief.resource, instance, "--account", ACCOUNT)
        thief.report(2, sorted([*report_lines(("gamma", "1.0")), line]))
        serve.wait_for(lambda: {status for status, _ in findings()} == {"CLOSED"}, 5, "its word")

    def test_a_command_reaches_an_agent_that_waits(self):
        agent = self.agent("waiting")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(agent.poll()))
        thread.start()
        time.sleep(1)
        self.assertEqual(answers, [])
        started = time.monotonic()
        self.server.admin("agent", "collect", "--account", ACCOUNT, agent.id)
        thread.join(30)
        self.assertLess(time.monotonic() - started, 5)
        command = json.loads(answers[0]["commands"][0]["text"])
        noted = self.get("/v1/audit")["events"]
        self.assertIn(
            ("command line", "tenken:CollectAgent", agent.resource, "success"),
            [(one["principal"], one["action"], one["target"], one["outcome"]) for one in noted],
        )
        self.assertEqual((command["command"], command["agentId"]), ("collect", agent.id))
        self.assertEqual(len(base64.b64decode(answers[0]["commands"][0]["signature"])), 64)
        self.assertEqual(len(agent.command_key), 32)

    def test_a_fleet_is_asked_again_when_what_it_was_asked_has_ended(self):
        account = "222233334444"
        self.server.admin("account", "create", "--account", account)
        agent = Agent(self.server, self.folder, "off")
        agent.enrol(self.server.admin("token", "create", "--account", account).strip())

        def asked(days):
            answer = support.tenken(
                "admin", "agent", "update", "--account", account, "--all", "--release", "9.9.9",
                *self.server.store, SOURCE_DATE_EPOCH=str(int(time.time()) + days * 86400),
            )  # fmt: skip
            self.assertEqual(answer.code, 0, str(answer))
            return answer.out

        self.assertIn(agent.id, asked(0))
        self.assertEqual(asked(6), "")
        self.assertIn(agent.id, asked(8))
        self.assertEqual(asked(9), "")

    def test_a_revoked_agent_is_not_let_in(self):
        agent = self.agent("revoked")
        self.server.admin("agent", "revoke", "--account", ACCOUNT, agent.id)
        self.assertEqual(
            agent.poll(status=403)["message"],
            "This agent was revoked: enrol it again with a new token",
        )

    def test_an_agent_that_waits_is_told_at_once_that_it_was_ended(self):
        for how in ("revoke", "retire"):
            agent = self.agent(f"waits-{how}")
            answers = []
            thread = threading.Thread(target=lambda: answers.append(agent.poll(status=403)))
            thread.start()
            time.sleep(1)
            self.assertEqual(answers, [])
            started = time.monotonic()
            self.server.admin("agent", how, "--account", ACCOUNT, agent.id)
            thread.join(30)
            self.assertLess(time.monotonic() - started, 5)
            self.assertIn(f"This agent was {how}d", answers[0]["message"])

    def test_tokens_end(self):
        token = self.token()
        first = Agent(self.server, self.folder, "first")
        first.enrol(token)
        second = Agent(self.server, self.folder, "second")
        second.enrol(token, 403)
        revoked = self.token("--uses", "5")
        listed = self.server.admin("token", "list", "--account", ACCOUNT)
        name = next(line.split("\t")[0] for line in listed.splitlines() if "0/5" in line)
        self.server.admin("token", "revoke", "--account", ACCOUNT, name)
        second.enrol(revoked, 403)
        refused = support.tenken(
            "admin", "token", "create", "--account", ACCOUNT, "--expires", "soon",
            *self.server.store,
        )  # fmt: skip
        self.assertEqual((refused.code, refused.out), (support.USAGE, ""))

    def test_strangers_are_refused(self):
        stranger = Agent(self.server, self.folder, "stranger")
        stranger.poll(status=403)
        stranger.ask("/agent/report", b"+{}\n", 403, Tenken_Sequence=1, Tenken_Digest="0" * 64)
        # A certificate of its own making: TLS refuses it.
        stranger.certificate = stranger.key.with_suffix(".pem")
        openssl(
            "req", "-x509", "-key", str(stranger.key), "-subj", "/CN=tenken CA", "-days", "2",
            "-out", str(stranger.certificate),
        )  # fmt: skip
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            stranger.poll()

    def test_large_bodies_are_refused_before_they_are_read(self):
        for name, certified, size in (("small", False, 65 * 1024), ("large", True, 100 * MIB)):
            agent = Agent(self.server, self.folder, name)
            if certified:
                agent.enrol(self.token())
            for head, value in (("Content-Length", str(size)), ("Transfer-Encoding", "chunked")):
                connection = agent.connect()
                connection.putrequest("POST", "/agent/report")
                connection.putheader(head, value)
                connection.endheaders()
                if head == "Transfer-Encoding":
                    self.send_chunks(connection, size)
                answer = connection.getresponse()
                self.assertEqual(answer.status, 413)
                self.assertEqual(json.loads(answer.read())["message"], "the body is too large")
                connection.close()

    def send_chunks(self, connection, size):
        """Until the server has heard enough."""
        chunk = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"
        before = memory(self.server.process)
        try:
            for _ in range(size // MIB + 1):
                connection.send(chunk)
        except (ConnectionError, ssl.SSLError):
            pass
        self.assertLess(memory(self.server.process) - before, 64 * MIB)

    def release(self, program):
        """Signed, as the machine's own architecture; the public key in base64."""
        file = self.releases / f"tenken-agent-{os.uname().machine}"
        file.write_bytes(program)
        key = self.folder / "release.key"
        openssl("genpkey", "-algorithm", "ed25519", "-out", str(key))
        openssl(
            "pkeyutl", "-sign", "-inkey", str(key), "-rawin", "-in", str(file),
            "-out", f"{file}.sig",
        )  # fmt: skip
        return base64.b64encode(openssl("pkey", "-in", str(key), "-pubout", "-outform", "DER")[-32:])

    def run_installer(self, *words):
        token = self.token()
        return subprocess.run(
            ["sh", str(self.folder / "install.sh"), "--server", self.server.url, "--bin",
             str(self.folder / "bin"), "--state", str(self.folder / "state"), "--no-service", *words],
            input=token + "\n", capture_output=True, text=True, check=False,
        )  # fmt: skip

    def test_the_install_script_trusts_what_it_was_told_to(self):
        said = support.tenken(
            "admin", "token", "create", "--account", ACCOUNT, "--server", self.server.url,
            *self.server.store,
        ).err  # fmt: skip
        connection = self.server.connect()
        connection.request("GET", "/agent/install")
        script = connection.getresponse().read()
        connection.close()
        self.assertIn(hashlib.sha256(script).hexdigest() + "  install'", said)
        authority = hashlib.sha256(pathlib.Path(self.server.ca_file).read_bytes()).hexdigest()
        # Whoever says another name in the Host header gets a script without one.
        self.assertIn(f"\ndefault_server='{self.server.url}'\n".encode(), script)
        self.assertIn(f"\ndefault_ca_sha256='{authority}'\n".encode(), script)
        for name in ("evil.example", "localhost';reboot;'", "localhost:99999", ""):
            connection = self.server.connect()
            connection.request("GET", "/agent/install", headers={"Host": name})
            text = connection.getresponse().read()
            connection.close()
            self.assertNotIn(b";reboot;", text)
            if text.startswith(b"#!"):
                self.assertIn(b"\ndefault_server=''\n", text)
        (self.folder / "install.sh").write_bytes(script)
        # In the place of the program one that says how it was called.
        key = self.release(
            b'#!/bin/sh\n[ "$1" = --version ] && exit\necho "$@" >&2\nread -r t; echo "${#t}" >&2\n'
        ).decode()
        done = self.run_installer("--ca-sha256", authority, "--release-key", key)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"enrol --server {self.server.url} --ca ", done.stderr)
        self.assertIn("\n43\n", done.stderr)
        self.assertTrue((self.folder / "bin" / "tenken-agent").exists())
        # Nothing is left, and nothing that is no agent's is taken.
        (self.folder / "state" / "letters").touch()
        done = self.run_installer("--uninstall")
        self.assertIn("no agent's state stands there", done.stderr)
        (self.folder / "state" / "agent.pem").touch()
        (self.folder / "state" / "agent.conf").touch()
        self.assertEqual(self.run_installer("--uninstall").returncode, 0)
        self.assertFalse((self.folder / "state").exists())
        self.assertFalse((self.folder / "bin" / "tenken-agent").exists())
        # Another authority, another signature: nothing is put anywhere.
        for words, why in (
            (["--ca-sha256", "0" * 64], "another than --ca-sha256 says"),
            (["--ca-sha256", authority, "--release-key", "A" * 43 + "="], "is not signed"),
        ):
            done = self.run_installer(*words)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
            self.assertFalse((self.folder / "bin" / "tenken-agent").exists())

    def test_files_for_hosts(self):
        (self.releases / "tenken-agent-x86_64").write_bytes(b"program")
        for path, status in (
            ("/agent/release/x86_64", 200),
            ("/agent/release/riscv64", 404),
            ("/agent/release/..%2f..%2fsecret.key", 404),
            ("/agent/ca.pem", 200),
        ):
            connection = self.server.connect()
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            self.assertEqual(answer.status, status, path)
            connection.close()
            self.assertNotIn(b"PRIVATE", body)
        self.assertEqual(body.decode(), pathlib.Path(self.server.ca_file).read_text())

    def test_agents_outlive_a_server_that_is_killed(self):
        agent = self.agent("survivor")
        old = report_lines(("alpha", "1.0"))
        agent.report(1, old)
        self.server.kill()
        self.server.start()
        new = report_lines(("alpha", "1.1"))
        self.assertEqual(agent.report(2, new, base=old)["sequence"], 2)


class OnSqlite(Stories, unittest.TestCase):
    @staticmethod
    def store():
        return None


class OnPostgresql(Stories, unittest.TestCase):
    @classmethod
    def store(cls):
        postgres_server.need_postgres()
        postgres = postgres_server.PostgresServer()
        cls.addClassCleanup(postgres.close)
        return postgres.uri


if __name__ == "__main__":
    support.main()
