#!/usr/bin/env python3
"""The story of a site, told by the stock AWS clients against `tenken serve`: the account, three real
inventories, findings listed, filtered and counted, suppression, an advisory update, exports to S3,
tags, the organisation and errors; by the AWS CLI, boto3 and the AWS SDK for JavaScript.

Each test is a chapter and needs those before it. An operation of the public model that this build
answers as a placeholder, though it should work, fails its chapter with "not yet".
"""
import aws_tools

aws_tools.enter()

import csv
import io
import json
import logging
import os
import pathlib
import shutil
import time
import unittest
import urllib.parse
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions

import inspector2_model as model
import s3_server
import server
import support

ALMA, DEBIAN, ALPINE = "i-0alma9", "i-0debian11", "i-0alpine311"
ROOTS = {
    ALMA: "inventories/rpm/alma9-bulk",
    DEBIAN: "inventories/dpkg/debian-bullseye-aged",
    ALPINE: "inventories/apk/alpine-3.11-aged",
}
TAGS = {ALMA: {"env": "prod"}, DEBIAN: {"env": "test"}, ALPINE: {"env": "prod", "team": "edge"}}
MEMBER = "222233334444"
BUCKET = "reports-of-tenken"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
NO_FILTER = f"{model.OWNED}/filter/{'0' * 16}"
REPORT_COLUMNS = 52

module = support.ModuleDirectory()


def build_databases(feeds):
    """older: without the AlmaLinux records of the delta; newer: with them."""
    osv = {name: feeds / f"osv/{name}/all.zip" for name in ("AlmaLinux", "Debian")}
    with zipfile.ZipFile(next((feeds / "osv-delta").glob("AlmaLinux-*.zip"))) as archive:
        added = set(json.loads(archive.read("delta.json"))["added_after"])
        before = {
            pathlib.PurePath(name).name: archive.read(name)
            for name in archive.namelist()
            if name.startswith("old/") and name.endswith(".json")
        }
    others = module.path / "others"
    (others / "osv/Debian").mkdir(parents=True)
    shutil.copy(osv["Debian"], others / "osv/Debian")
    for name in ("alpine", "kev", "epss"):
        shutil.copytree(feeds / name, others / name)
    with zipfile.ZipFile(osv["AlmaLinux"]) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    older = {name: text for name, text in records.items() if name[: -len(".json")] not in added}
    older.update(before)
    return {
        "older": build("older", older, others),
        "newer": build("newer", records, others),
    }, records


def build(name, records, others):
    """Of the AlmaLinux records and what all generations share."""
    folder = module.path / f"feed-{name}" / "osv" / "AlmaLinux"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for file, text in records.items():
            archive.writestr(file, text)
    return support.build(module.path / f"{name}.db", folder.parents[1], others)


def scan(sbom, database):
    """vulnerability → the advisories it comes from, as tenken scan has it."""
    answer = support.tenken("scan", "--sbom", sbom, "--db", database, "--format", "json")
    assert answer.code == support.OK, str(answer)
    found = {}
    for finding in answer.json()["findings"]:
        found.setdefault(finding["id"], set()).update(finding["advisories"])
    return found


def setUpModule():
    feeds = support.need_data("feeds")
    roots = {name: support.need_data(path) for name, path in ROOTS.items()}
    warnings.simplefilter("error")
    module.databases, module.records = build_databases(feeds)
    module.sboms = {}
    for name, root in roots.items():
        module.sboms[name] = module.path / f"{name}.json"
        words = ("--rootfs", root, "--format", "cyclonedx", "--output", module.sboms[name])
        answer = support.tenken("sbom", *words)
        assert answer.code == support.OK, str(answer)
    module.current = module.path / "current.db"
    use_database("older")
    module.s3 = s3_server.S3Server()
    module.s3.client.create_bucket(Bucket=BUCKET)
    module.server = server.Server(
        module.current,
        arguments=[
            "--s3-endpoint-url", module.s3.url, "--export-bucket", f"{server.ACCOUNT}={BUCKET}",
        ],
        variables={
            "AWS_ACCESS_KEY_ID": module.s3.access_key,
            "AWS_SECRET_ACCESS_KEY": module.s3.secret,
        },
    )  # fmt: skip
    module.called = set()
    module.faults = []
    module.complaints = Complaints()
    logging.getLogger("botocore").addHandler(module.complaints)
    module.client = model.watch(module.server.client(), module.faults)


def tearDownModule():
    for name in ("server", "s3"):
        if hasattr(module, name):
            getattr(module, name).close()
    module.remove()


def use_database(name):
    """Beside the current one first, then renamed over it."""
    beside = module.path / "beside.db"
    shutil.copy(module.databases[name], beside)
    os.rename(beside, module.current)


class Complaints(logging.Handler):
    """What botocore warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def image(finding):
    return finding["resources"][0].get("details", {}).get("awsEcrContainerImage", {})


def score(finding):
    return finding.get("inspectorScore", -1)


def vendor_rank(details):
    word = details.get("vendorSeverity", "").lower()
    meanings = ("",), ("none",), ("low", "negligible", "unimportant"), ("medium", "moderate"), (
        "high", "important"), ("critical",)  # fmt: skip
    return next(rank for rank, words in enumerate(meanings) if word in words)


SEVERITIES = ["UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
# What no finding of tenken has leaves the order to the score.
SORT_KEYS = {
    "AWS_ACCOUNT_ID": lambda one: one["awsAccountId"],
    "FINDING_TYPE": score,
    "SEVERITY": lambda one: SEVERITIES.index(one["severity"]),
    "FIRST_OBSERVED_AT": lambda one: one["firstObservedAt"],
    "LAST_OBSERVED_AT": lambda one: one["lastObservedAt"],
    "FINDING_STATUS": lambda one: one["status"],
    "RESOURCE_TYPE": lambda one: one["resources"][0]["type"],
    "ECR_IMAGE_PUSHED_AT": score,
    "ECR_IMAGE_REPOSITORY_NAME": lambda one: image(one).get("repositoryName", ""),
    "ECR_IMAGE_REGISTRY": lambda one: image(one).get("registry", ""),
    "NETWORK_PROTOCOL": score,
    "COMPONENT_TYPE": score,
    "VULNERABILITY_ID": lambda one: vulnerability(one),
    "VULNERABILITY_SOURCE": lambda one: one["packageVulnerabilityDetails"]["source"],
    "INSPECTOR_SCORE": score,
    "VENDOR_SEVERITY": lambda one: vendor_rank(one["packageVulnerabilityDetails"]),
    "EPSS_SCORE": lambda one: one.get("epss", {}).get("score", -1),
}


def equals(*values):
    return [{"comparison": "EQUALS", "value": value} for value in values]


def vulnerability(finding):
    return finding["packageVulnerabilityDetails"]["vulnerabilityId"]


class Story(support.TestCase):
    def not_yet(self, text):
        if "is not available in this version of tenken" in text:
            self.fail(f"not yet: {text.strip().rsplit(': ', 1)[-1]}")

    def aws(self, operation, *words, service="inspector2", error=None, **options):
        """Calls an operation by the AWS CLI: the JSON of its answer, or the error that it must be."""
        module.called.add(operation)
        options = [
            word
            for name, value in options.items()
            for word in (
                "--" + name.replace("_", "-"),
                value if isinstance(value, str) else json.dumps(value),
            )
        ]
        answer = module.server.aws(service, model.words(operation), *words, *options)
        self.not_yet(answer.err)
        if error:
            self.assertIn(f"({error})", answer.err, answer)
            return None
        self.assertEqual((answer.code, answer.err), (0, ""), answer)
        return answer.json() if answer.raw else {}

    def call(self, operation, **members):
        """The same by boto3."""
        try:
            return getattr(module.client, model.method(operation))(**members)
        except botocore.exceptions.ClientError as error:
            self.not_yet(error.response["Error"]["Message"])
            raise

    def findings(self, **criteria):
        return module.server.findings(**criteria)

    def active(self, resource):
        found = self.findings(resourceId=equals(resource), findingStatus=equals("ACTIVE"))
        return {vulnerability(one) for one in found}

    def wait_for_active(self, resource, right, seconds):
        deadline = time.monotonic() + seconds
        while (now := self.active(resource)) != right and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(now - right, set(), f"{resource}: active, but should not be")
        self.assertEqual(right - now, set(), f"{resource}: not active, but should be")

    # The account.

    def test_010_an_account_enables_scanning(self):
        self.aws("Enable", "--resource-types", "EC2", "ECR", "LAMBDA")
        answer = self.aws("BatchGetAccountStatus")
        state = answer["accounts"][0]
        self.assertEqual(state["accountId"], server.ACCOUNT)
        self.assertEqual(state["resourceState"]["ec2"]["status"], "ENABLED")
        self.assertEqual(set(state["resourceState"]), {
            "ec2", "ecr", "lambda", "lambdaCode", "codeRepository"})  # fmt: skip
        self.aws("Disable", "--resource-types", "LAMBDA")
        self.assertEqual(
            self.call("BatchGetAccountStatus")["accounts"][0]["resourceState"]["lambda"]["status"],
            "DISABLED",
        )

    def test_011_who_may_what_and_what_it_costs(self):
        permissions = self.aws("ListAccountPermissions", "--service", "EC2")["permissions"]
        self.assertTrue(permissions)
        self.aws("BatchGetFreeTrialInfo", "--account-ids", server.ACCOUNT)
        self.aws("ListUsageTotals")

    def test_012_configuration_and_keys(self):
        self.aws(
            "UpdateConfiguration", "--ecr-configuration", '{"rescanDuration":"DAYS_30"}'
        )
        self.assertEqual(
            self.aws("GetConfiguration")["ecrConfiguration"]["rescanDurationState"][
                "rescanDuration"
            ],
            "DAYS_30",
        )
        of = ("--scan-type", "CODE", "--resource-type", "AWS_LAMBDA_FUNCTION")
        self.aws("UpdateEncryptionKey", *of, "--kms-key-id", KMS_KEY)
        self.assertEqual(self.aws("GetEncryptionKey", *of)["kmsKeyId"], KMS_KEY)
        self.aws("ResetEncryptionKey", *of)
        self.aws("GetEncryptionKey", *of, error="ResourceNotFoundException")

    def test_013_deep_inspection(self):
        self.aws(
            "UpdateEc2DeepInspectionConfiguration", "--activate-deep-inspection",
            "--package-paths", "/opt/app",
        )  # fmt: skip
        self.assertEqual(
            self.aws("GetEc2DeepInspectionConfiguration")["packagePaths"], ["/opt/app"]
        )

    # Inventories become findings.

    def test_020_three_inventories_are_taken_in(self):
        for name, file in module.sboms.items():
            answer = module.server.put_inventory(name, file.read_bytes(), **TAGS[name])
            self.assertEqual(answer.status, 200, answer)

    def test_021_findings_are_those_of_a_scan(self):
        for name, file in module.sboms.items():
            right = set(scan(file, module.databases["older"]))
            self.assertGreater(len(right), 100, name)
            self.wait_for_active(name, right, 20)

    def test_022_a_scan_sends_its_inventory_to_the_server(self):
        answer = support.tenken(
            "scan", "--rootfs", support.need_data(ROOTS[ALPINE]), "--server", module.server.url,
            "--ca", module.server.ca_file, "--resource", "i-0sent", "--tag", "env=sent",
            AWS_ACCESS_KEY_ID=module.server.key().id,
            AWS_SECRET_ACCESS_KEY=module.server.key().secret,
        )  # fmt: skip
        self.assertEqual(answer.code, 0, answer)
        self.wait_for_active("i-0sent", set(scan(module.sboms[ALPINE], module.current)), 20)

    def test_030_every_page_of_the_list(self):
        pages = list(module.client.get_paginator("list_findings").paginate(maxResults=100))
        whole = [one for page in pages for one in page["findings"]]
        arns = [one["findingArn"] for one in whole]
        self.assertEqual(len(arns), len(set(arns)))
        self.assertEqual(set(arns), {one["findingArn"] for one in self.findings()})
        self.assertLessEqual(max(len(page["findings"]) for page in pages), 25)
        self.assertNotIn("nextToken", pages[-1])
        cli = self.aws("ListFindings", "--max-items", "60", "--page-size", "20")["findings"]
        self.assertEqual(len(cli), 60)
        for one in whole:
            self.assertEqual(one["awsAccountId"], server.ACCOUNT)
            self.assertTrue(one["packageVulnerabilityDetails"]["vulnerablePackages"])
            (resource,) = one["resources"]
            self.assertEqual(resource["tags"], TAGS.get(resource["id"], {"env": "sent"}))

    def test_031_sorted_lists(self):
        of = module.client.meta.service_model.shape_for("SortField").enum
        self.assertEqual(set(SORT_KEYS), set(of))
        whole = self.findings(resourceId=equals(ALPINE))
        self.assertGreater(len(whole), 100)
        self.check_sorts(SORT_KEYS, {"resourceId": equals(ALPINE)}, len(whole))

    def check_sorts(self, fields, criteria, findings):
        for field in fields:
            key = SORT_KEYS[field]
            for order in ("ASC", "DESC"):
                pages = module.client.get_paginator("list_findings").paginate(
                    sortCriteria={"field": field, "sortOrder": order}, filterCriteria=criteria
                )
                values = [key(one) for page in pages for one in page["findings"]]
                self.assertEqual(len(values), findings, field)
                self.assertEqual(values, sorted(values, reverse=order == "DESC"), field)

    def test_032_filters_choose_what_they_say(self):
        whole = self.findings()
        name = vulnerability(whole[0])
        package = whole[0]["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"]
        resource = lambda one: one["resources"][0]
        packages = lambda one: one["packageVulnerabilityDetails"]["vulnerablePackages"]
        score = lambda one: one.get("inspectorScore")
        tag = [{"comparison": "EQUALS", "key": "env", "value": "prod"}]
        prefix = [{"comparison": "PREFIX", "value": "CVE-2023-"}]
        other = [{"comparison": "NOT_EQUALS", "value": ALMA}]
        range_ = [{"lowerInclusive": 7.0, "upperInclusive": 8.0}]
        cases = [
            ({"severity": equals("HIGH", "LOW")}, lambda one: one["severity"] in ("HIGH", "LOW")),
            ({"resourceId": equals(DEBIAN)}, lambda one: resource(one)["id"] == DEBIAN),
            ({"resourceId": other}, lambda one: resource(one)["id"] != ALMA),
            ({"vulnerabilityId": equals(name)}, lambda one: vulnerability(one) == name),
            ({"vulnerabilityId": prefix}, lambda one: vulnerability(one).startswith("CVE-2023-")),
            ({"resourceTags": tag}, lambda one: resource(one).get("tags", {}).get("env") == "prod"),
            ({"fixAvailable": equals("YES")}, lambda one: one["fixAvailable"] == "YES"),
            ({"inspectorScore": range_}, lambda one: score(one) is not None and 7 <= score(one) <= 8),
            (
                {"vulnerablePackages": [{"name": equals(package)[0]}]},
                lambda one: any(p["name"] == package for p in packages(one)),
            ),
        ]
        for criteria, chosen in cases:
            with self.subTest(criteria=criteria):
                right = {one["findingArn"] for one in whole if chosen(one)}
                self.assertTrue(right)
                self.assertEqual({one["findingArn"] for one in self.findings(**criteria)}, right)

    def test_033_details_of_a_finding(self):
        one = self.findings(resourceId=equals(ALMA))[0]
        answer = self.aws("BatchGetFindingDetails", "--finding-arns", one["findingArn"])
        self.assertEqual(answer["findingDetails"][0]["findingArn"], one["findingArn"])
        found = self.aws(
            "SearchVulnerabilities", filter_criteria={"vulnerabilityIds": [vulnerability(one)]}
        )
        self.assertEqual(found["vulnerabilities"][0]["id"], vulnerability(one))

    def test_034_counts_of_findings(self):
        whole = self.findings(findingStatus=equals("ACTIVE"))
        severities = ("critical", "high", "medium", "low", "informational", "untriaged")
        right = {"all": len(whole)} | {
            severity: sum(one["severity"] == severity.upper() for one in whole)
            for severity in severities
        }
        # The AWS CLI knows fewer of them than boto3.
        for answer in (
            self.aws("ListFindingAggregations", "--aggregation-type", "ACCOUNT"),
            self.call("ListFindingAggregations", aggregationType="ACCOUNT"),
        ):
            counts = answer["responses"][0]["accountAggregation"]["severityCounts"]
            self.assertEqual(counts, {name: right[name] for name in counts})
        self.assertEqual(counts, right)
        for kind in ("AMI", "AWS_EC2_INSTANCE", "AWS_ECR_CONTAINER", "AWS_LAMBDA_FUNCTION",
                     "LAMBDA_LAYER", "IMAGE_LAYER", "PACKAGE", "REPOSITORY", "TITLE",
                     "FINDING_TYPE", "CODE_REPOSITORY"):  # fmt: skip
            with self.subTest(kind):
                self.call("ListFindingAggregations", aggregationType=kind)
        pages = module.client.get_paginator("list_finding_aggregations").paginate(
            aggregationType="AWS_EC2_INSTANCE"
        )
        hosts = [one["ec2InstanceAggregation"] for page in pages for one in page["responses"]]
        self.assertEqual(
            {one["instanceId"]: one["severityCounts"]["all"] for one in hosts},
            {name: sum(one["resources"][0]["id"] == name for one in whole)
             for name in {one["resources"][0]["id"] for one in whole}},
        )  # fmt: skip

    def test_035_coverage(self):
        covered = self.aws("ListCoverage")["coveredResources"]
        self.assertLessEqual(set(ROOTS), {one["resourceId"] for one in covered})
        for one in covered:
            self.assertEqual(one["scanStatus"], {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"})
        counts = self.aws("ListCoverageStatistics", "--group-by", "RESOURCE_TYPE")
        self.assertEqual(counts["totalCounts"], len(covered))
        clusters = self.aws(
            "GetClustersForImage", filter={"resourceId": model.KNOWN_IMAGE}
        )
        self.assertEqual(clusters["cluster"], [])

    # What people decide, and what the world brings.

    def test_040_a_filter_suppresses_and_lets_go(self):
        name = vulnerability(self.findings(resourceId=equals(DEBIAN))[0])
        arn = self.aws(
            "CreateFilter", "--action", "SUPPRESS", "--name", "accepted", "--reason", "accepted",
            filter_criteria={"vulnerabilityId": equals(name)},
        )["arn"]  # fmt: skip

        def statuses():
            return {one["status"] for one in self.findings(vulnerabilityId=equals(name))}

        server.wait_for(lambda: statuses() == {"SUPPRESSED"}, 5, "suppression")
        listed = self.aws("ListFilters", "--action", "SUPPRESS")["filters"]
        self.assertEqual([one["arn"] for one in listed], [arn])
        self.aws("UpdateFilter", "--filter-arn", arn, "--description", "seen by the owner")
        self.assertEqual(
            self.call("ListFilters", arns=[arn])["filters"][0]["description"], "seen by the owner"
        )
        self.aws("TagResource", "--resource-arn", arn, tags={"owner": "a b/c=d", "x": ""})
        self.aws("UntagResource", "--resource-arn", arn, "--tag-keys", "x")
        tags = self.aws("ListTagsForResource", "--resource-arn", arn)["tags"]
        self.assertEqual(tags, {"owner": "a b/c=d"})
        self.aws("DeleteFilter", "--arn", arn)
        server.wait_for(lambda: statuses() == {"ACTIVE"}, 5, "the end of suppression")

    def test_050_new_advisories_make_findings_appear(self):
        before = self.active(ALMA)
        right = set(scan(module.sboms[ALMA], module.databases["newer"]))
        self.assertGreater(len(right - before), 0)
        use_database("newer")
        self.wait_for_active(ALMA, right, 20)

    def test_051_a_withdrawn_advisory_closes_its_findings(self):
        """In a copy of the newer feed one record is withdrawn: a vulnerability that no other has."""
        found = scan(module.sboms[ALMA], module.databases["newer"])
        name, (record,) = next((n, a) for n, a in found.items() if len(a) == 1)
        records = dict(module.records)
        text = json.loads(records[record + ".json"])
        text["withdrawn"] = text["modified"]
        records[record + ".json"] = json.dumps(text)
        others = module.path / "others"
        module.databases["withdrawn"] = build("withdrawn", records, others)
        right = set(scan(module.sboms[ALMA], module.databases["withdrawn"]))
        self.assertNotIn(name, right)
        use_database("withdrawn")
        self.wait_for_active(ALMA, right, 20)
        (closed,) = self.findings(resourceId=equals(ALMA), vulnerabilityId=equals(name))
        self.assertEqual(closed["status"], "CLOSED")

    def wait_for_export(self, ask):
        def ended():
            answer = ask()
            return answer if answer["status"] != "IN_PROGRESS" else None

        answer = server.wait_for(ended, 60, "the export")
        self.assertEqual(answer["status"], "SUCCEEDED", answer)

    def destination(self, prefix):
        return {"bucketName": BUCKET, "keyPrefix": prefix, "kmsKeyArn": KMS_KEY}

    def test_060_a_findings_report_in_s3(self):
        report = self.aws(
            "CreateFindingsReport", "--report-format", "CSV", s3_destination=self.destination("csv")
        )["reportId"]
        self.wait_for_export(
            lambda: self.aws("GetFindingsReportStatus", "--report-id", report)
        )
        (key,) = [one for one in module.s3.keys(BUCKET) if one.startswith("csv/")]
        rows = list(csv.reader(io.StringIO(module.s3.get(BUCKET, key).decode())))
        self.assertEqual({len(row) for row in rows}, {REPORT_COLUMNS})
        arn = rows[0].index("Finding ARN")
        active = self.findings(findingStatus=equals("ACTIVE"))
        self.assertEqual({row[arn] for row in rows[1:]}, {one["findingArn"] for one in active})
        self.aws("CancelFindingsReport", "--report-id", model.UUID,
                 error="ResourceNotFoundException")  # fmt: skip

    def test_061_sboms_in_s3(self):
        export = self.aws(
            "CreateSbomExport", "--report-format", "CYCLONEDX_1_4",
            s3_destination=self.destination("sbom"),
        )["reportId"]  # fmt: skip
        self.wait_for_export(lambda: self.aws("GetSbomExport", "--report-id", export))
        keys = [one for one in module.s3.keys(BUCKET) if one.startswith("sbom/")]
        self.assertEqual(len(keys), len(self.call("ListCoverage")["coveredResources"]))
        for key in keys:
            document = json.loads(module.s3.get(BUCKET, key))
            self.assertEqual(document["bomFormat"], "CycloneDX")
        self.aws("CancelSbomExport", "--report-id", model.UUID, error="ResourceNotFoundException")

    def test_062_an_export_to_a_bucket_that_is_not_allowed_is_refused(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.call(
                "CreateFindingsReport", reportFormat="CSV",
                s3Destination=dict(self.destination(""), bucketName="somebody-elses"),
            )  # fmt: skip
        self.assertLess(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 500)

    def test_063_an_sbom_is_scanned_by_itself(self):
        answer = self.aws(
            "ScanSbom", service="inspector-scan", sbom="file://" + str(module.sboms[ALPINE]),
            output_format="CYCLONE_DX_1_5",
        )  # fmt: skip
        found = {one["id"] for one in answer["sbom"]["vulnerabilities"]}
        self.assertEqual(found, set(scan(module.sboms[ALPINE], module.current)))

    def test_070_the_javascript_sdk(self):
        answer = module.server.node("story.js", DEBIAN, NO_FILTER)
        self.not_yet(answer.err)
        self.assertEqual((answer.code, answer.err), (0, ""), answer)
        said = answer.json()
        self.assertEqual(said["account"], server.ACCOUNT)
        self.assertEqual(set(said["findings"]), self.active(DEBIAN))
        self.assertLessEqual(set(ROOTS), set(said["covered"]))
        self.assertEqual(
            said["error"], {"name": "ResourceNotFoundException", "status": 404, "known": True}
        )

    def test_080_an_organisation(self):
        module.server.key(MEMBER)
        here = ("--delegated-admin-account-id", server.ACCOUNT)
        self.aws("EnableDelegatedAdminAccount", *here)
        self.aws("GetDelegatedAdminAccount")
        self.aws("ListDelegatedAdminAccounts")
        self.aws("AssociateMember", "--account-id", MEMBER)
        self.assertEqual(
            self.aws("GetMember", "--account-id", MEMBER)["member"]["accountId"], MEMBER
        )
        self.assertIn(MEMBER, [one["accountId"] for one in self.aws("ListMembers")["members"]])
        self.aws("UpdateOrganizationConfiguration", auto_enable={"ec2": True, "ecr": False})
        self.assertTrue(self.aws("DescribeOrganizationConfiguration")["autoEnable"]["ec2"])
        self.aws("UpdateOrgEc2DeepInspectionConfiguration", "--org-package-paths", "/srv/app")
        self.aws("BatchUpdateMemberEc2DeepInspectionStatus",
                 account_ids=[{"accountId": MEMBER, "activateDeepInspection": True}])  # fmt: skip
        self.aws("BatchGetMemberEc2DeepInspectionStatus", "--account-ids", MEMBER)
        self.aws("DisassociateMember", "--account-id", MEMBER)
        self.aws("GetMember", "--account-id", MEMBER, error="ResourceNotFoundException")
        self.aws("DisableDelegatedAdminAccount", *here)

    def test_081_who_asks(self):
        answer = self.aws("GetCallerIdentity", service="sts")
        self.assertEqual(answer["Account"], server.ACCOUNT)

    def test_082_errors_have_the_shapes_of_the_model(self):
        with self.assertRaises(module.client.exceptions.ResourceNotFoundException):
            self.call("ListTagsForResource", resourceArn=NO_FILTER)
        with self.assertRaises(module.client.exceptions.ValidationException) as caught:
            self.call("ListFindings", nextToken="no token of ours")
        self.assertIn("reason", caught.exception.response)
        self.assertIn("RequestId", caught.exception.response["ResponseMetadata"])

    def test_084_images_are_found_by_their_repository(self):
        names = {
            f"zeta/app@sha256:{'a' * 64}": ("zeta/app", server.ACCOUNT),
            f"registry.example/alpha/app@sha256:{'b' * 64}": ("alpha/app", "registry.example"),
        }
        for name in names:
            answer = module.server.request(
                "PUT", f"/v1/resources/{urllib.parse.quote(name, safe='')}/inventory?type=image",
                module.sboms[ALPINE].read_bytes(), {"Content-Type": server.CYCLONEDX},
            )  # fmt: skip
            self.assertEqual(answer.status, 200, answer)
        kind = equals("AWS_ECR_CONTAINER_IMAGE")
        right = 2 * len(scan(module.sboms[ALPINE], module.current))
        images = lambda: self.findings(resourceType=kind)
        server.wait_for(lambda: len(images()) == right, 20, "findings of the images")
        whole = self.findings()
        for name, (repository, registry) in names.items():
            shown = {"repositoryName": repository, "registry": registry,
                     "imageHash": name.rpartition("@")[2]}  # fmt: skip
            fields = {"ecrImageRepositoryName": "repositoryName", "ecrImageRegistry": "registry",
                      "ecrImageHash": "imageHash", "cloudImageDigest": "imageHash"}  # fmt: skip
            for field, member in fields.items():
                for comparison in ("EQUALS", "NOT_EQUALS"):
                    found = self.findings(
                        **{field: [{"comparison": comparison, "value": shown[member]}]}
                    )
                    self.assertEqual(
                        {one["findingArn"] for one in found},
                        {one["findingArn"] for one in whole
                         if (image(one).get(member) == shown[member]) == (comparison == "EQUALS")},
                        field,
                    )  # fmt: skip
        counted = self.aws("ListFindingAggregations", "--aggregation-type", "REPOSITORY")
        counted = [one["repositoryAggregation"] for one in counted["responses"]]
        self.assertEqual(
            {one["repository"]: (one["affectedImages"], one["severityCounts"]["all"])
             for one in counted},
            {repository: (1, right // 2) for repository, _ in names.values()},
        )  # fmt: skip
        groups = self.aws("ListCoverageStatistics", "--group-by", "ECR_REPOSITORY_NAME")
        self.assertEqual([one["count"] for one in groups["countsByGroup"]], [1, 1])
        keys = ("ECR_IMAGE_REPOSITORY_NAME", "ECR_IMAGE_REGISTRY")
        self.check_sorts(keys, {"resourceType": kind}, right)

    def test_090_every_other_operation_of_the_model_answers_as_documented(self):
        known = model.cli_models("inspector2")
        rest = sorted(set(known["operations"]) - module.called)

        def ask(name):
            words = ("--cli-input-json", json.dumps(model.small_input(known, name)))
            return name, module.server.aws("inspector2", model.words(name), *words)

        with ThreadPoolExecutor(4) as pool:
            for name, answer in pool.map(ask, rest):
                with self.subTest(name):
                    if not model.PLACEHOLDER.search(name):
                        self.fail("not called by any chapter: " + answer.err.strip())
                    else:
                        self.assertIn(
                            f"(ValidationException) when calling the {name} operation: "
                            f"{name} is not available in this version of tenken",
                            answer.err,
                        )

    def test_091_no_answer_was_outside_the_model(self):
        self.assertEqual(sorted(set(module.faults))[:20], [])
        self.assertEqual(module.complaints.lines, [])

    def test_099_the_server_ends_well(self):
        module.server.stop()
        log = module.server.log()
        self.assertNotIn("request failed", log)


if __name__ == "__main__":
    unittest.TestLoader.sortTestMethodsUsing = lambda _, a, b: (a > b) - (a < b)
    support.main()
