"""What Terraform's AWS provider asks of Inspector, call by call: create, read back until the plan
is empty, update, destroy, with its waits. The order, the inputs and the answers it reacts to are
those of the provider's resources aws_inspector2_enabler, _filter, _delegated_admin_account,
_member_association and _organization_configuration; Terraform itself is not run.
"""
import json
import sys
import unittest
import urllib.parse
import uuid

import aws_tools

aws_tools.enter()

import botocore.exceptions  # noqa: E402

import server as serve  # noqa: E402
import support  # noqa: E402

ACCOUNT = serve.ACCOUNT
ADMINISTRATOR = "444455556666"
MEMBER = "777788889999"

TYPES = ("EC2", "ECR", "LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY")
# As the provider names the members of a resourceState.
NAMES = dict(zip(("ec2", "ecr", "lambda", "lambdaCode", "codeRepository"), TYPES))
PENDING = ("ENABLING", "DISABLING", "SUSPENDING")


class NotFound(Exception):
    pass


def refused(code, text=""):
    """That a call is refused with this code, and a message that has the text."""

    class Refused:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, _):
            assert kind is not None, f"no {code}"
            if not isinstance(error, botocore.exceptions.ClientError):
                return False
            assert error.response["Error"]["Code"] == code, error
            assert text in error.response["Error"]["Message"], error
            return True

    return Refused()


class Enabler:
    """aws_inspector2_enabler."""

    def __init__(self, client, own_account, accounts, types):
        self.client, self.own, self.accounts = client, own_account, sorted(accounts)
        self.types = set(types)

    def create(self):
        answer = self.client.enable(
            accountIds=self.accounts, resourceTypes=sorted(self.types), clientToken=uuid.uuid4().hex
        )
        assert not answer.get("failedAccounts"), answer
        # What is enabled beside it is disabled.
        for account, (_, states) in self.wait_enabled().items():
            others = sorted(set(states) - self.types)
            if others:
                self.client.disable(accountIds=[account], resourceTypes=others)
        self.wait_enabled()
        return self.read()

    def read(self):
        """What the provider takes for the present state: the accounts and the types."""
        states = self.statuses()
        enabled = {account for account, (status, _) in states.items() if status == "ENABLED"}
        first = next(iter(states.values()))[1]
        return enabled, {kind for kind, status in first.items() if status == "ENABLED"}

    def update(self, types):
        self.types = set(types)
        answer = self.client.enable(
            accountIds=self.accounts, resourceTypes=sorted(self.types), clientToken=uuid.uuid4().hex
        )
        assert not answer.get("failedAccounts"), answer
        self.wait_enabled()
        self.client.disable(
            accountIds=self.accounts, resourceTypes=[t for t in TYPES if t not in self.types]
        )
        self.wait_enabled()
        return self.read()

    def destroy(self):
        members = [account for account in self.accounts if account != self.own]
        answer = self.client.disable(
            accountIds=members or [self.own], resourceTypes=list(TYPES)
        )
        for failed in answer.get("failedAccounts", []):
            assert failed["errorCode"] == "ACCESS_DENIED", failed
        serve.wait_for(self.is_disabled, 15, "the end of the enabler")

    def statuses(self):
        answer = self.client.batch_get_account_status(accountIds=self.accounts)
        states = {
            one["accountId"]: (
                one["state"]["status"],
                {NAMES[name]: state["status"] for name, state in one["resourceState"].items()},
            )
            for one in answer["accounts"]
        }
        for _, by_type in states.values():
            assert set(by_type) == set(TYPES), by_type  # it reads all of them without a look
        if not states:
            raise NotFound()
        return states

    def wait_enabled(self):
        def settled():
            states = self.statuses()
            if all(status == "DISABLED" for status, _ in states.values()):
                return None
            for status, by_type in states.values():
                if status in PENDING or any(one in PENDING for one in by_type.values()):
                    return None
                if status == "ENABLED" and set(by_type.values()) == {"DISABLED"}:
                    return None
            return states

        return serve.wait_for(settled, 15, "the enabler")

    def is_disabled(self):
        try:
            return all(status == "DISABLED" for status, _ in self.statuses().values())
        except NotFound:
            return True


def delegated_administrator(client, account):
    for page in client.get_paginator("list_delegated_admin_accounts").paginate():
        for one in page["delegatedAdminAccounts"]:
            if one["accountId"] == account:
                return one["status"]
    raise NotFound()


def gone(look):
    """True once look() finds nothing."""
    try:
        look()
        return False
    except NotFound:
        return True


def find_member(client, account):
    try:
        member = client.get_member(accountId=account)["member"]
    except client.exceptions.ResourceNotFoundException:
        raise NotFound() from None
    except client.exceptions.AccessDeniedException as error:
        text = error.response["Error"]["Message"]
        if "Invoking account does not have access to get member account" not in text:
            raise
        raise NotFound() from None
    if member["relationshipStatus"] == "REMOVED":
        raise NotFound()
    return member


class Terraform(support.TestCase):
    def setUp(self):
        super().setUp()
        self.server = serve.Server()
        self.addCleanup(self.server.close)
        self.client = self.server.client()  # of the management account, since it is the first

    def client_of(self, account):
        return self.server.client(key=self.server.key(account))

    def test_caller(self):
        identity = self.server.client("sts").get_caller_identity()
        self.assertEqual(identity["Account"], ACCOUNT)

    def test_enabler(self):
        enabler = Enabler(self.client, ACCOUNT, [ACCOUNT], ["EC2", "ECR"])
        self.assertEqual(enabler.create(), ({ACCOUNT}, {"EC2", "ECR"}))
        self.assertEqual(enabler.read(), ({ACCOUNT}, {"EC2", "ECR"}))
        wanted = {"ECR", "LAMBDA", "LAMBDA_CODE"}
        self.assertEqual(enabler.update(wanted), ({ACCOUNT}, wanted))
        # Another of the same account takes over what is there.
        again = Enabler(self.client, ACCOUNT, [ACCOUNT], ["LAMBDA"])
        self.assertEqual(again.create(), ({ACCOUNT}, {"LAMBDA"}))
        again.destroy()
        again.destroy()

    def test_filter(self):
        criteria = {
            "severity": [{"comparison": "EQUALS", "value": "LOW"}],
            "firstObservedAt": [{"endInclusive": 1704067200, "startInclusive": 1672531200}],
            "inspectorScore": [{"lowerInclusive": 1.0, "upperInclusive": 3.9}],
            "resourceTags": [{"comparison": "EQUALS", "key": "env", "value": "test"}],
        }
        arn = self.client.create_filter(
            name="low", action="SUPPRESS", filterCriteria=criteria, description="d",
            reason="r", tags={"team": "a"},
        )["arn"]  # fmt: skip

        def read():
            found = self.client.list_filters(arns=[arn])["filters"]
            if not found:
                raise NotFound()
            return found[0], self.client.list_tags_for_resource(resourceArn=arn)["tags"]

        found, tags = read()
        self.assertEqual(tags, {"team": "a"})
        wanted = {"arn": arn, "name": "low", "action": "SUPPRESS", "description": "d",
                  "reason": "r", "ownerId": ACCOUNT}  # fmt: skip
        self.assertEqual({name: found[name] for name in wanted}, wanted)
        self.assertEqual(set(found["criteria"]), set(criteria))
        for name in ("severity", "inspectorScore", "resourceTags"):
            self.assertEqual(found["criteria"][name], criteria[name])
        dates = found["criteria"]["firstObservedAt"][0]
        self.assertEqual(
            [dates[name].timestamp() for name in ("startInclusive", "endInclusive")],
            [1672531200, 1704067200],
        )
        self.client.untag_resource(resourceArn=arn, tagKeys=["team"])
        self.client.tag_resource(resourceArn=arn, tags={"env": "prod"})
        changed = {"severity": [{"comparison": "EQUALS", "value": "MEDIUM"}]}
        self.client.update_filter(
            filterArn=arn, name="medium", action="NONE", filterCriteria=changed, reason="s"
        )
        found, tags = read()
        self.assertEqual(tags, {"env": "prod"})
        self.assertEqual(
            (found["name"], found["action"], found["criteria"], found["reason"]),
            ("medium", "NONE", changed, "s"),
        )
        self.client.delete_filter(arn=arn)
        self.assertTrue(gone(read))
        with refused("ResourceNotFoundException"):
            self.client.delete_filter(arn=arn)
        with refused("ResourceNotFoundException"):
            self.client.list_tags_for_resource(resourceArn=arn)

    def designate(self):
        self.server.key(ADMINISTRATOR)
        self.client.enable_delegated_admin_account(
            delegatedAdminAccountId=ADMINISTRATOR, clientToken=uuid.uuid4().hex
        )
        look = lambda: delegated_administrator(self.client, ADMINISTRATOR)  # noqa: E731
        serve.wait_for(lambda: look() == "ENABLED", 15, "the administrator")
        return look

    def test_delegated_admin_account(self):
        look = self.designate()
        # Create finds it there already and goes on; another account's is an error that says so.
        with refused("ConflictException", "already enabled"):
            self.client.enable_delegated_admin_account(delegatedAdminAccountId=ADMINISTRATOR)
        self.assertEqual(look(), "ENABLED")
        self.assertEqual(
            delegated_administrator(self.client_of(ADMINISTRATOR), ADMINISTRATOR), "ENABLED"
        )
        self.client.disable_delegated_admin_account(delegatedAdminAccountId=ADMINISTRATOR)
        serve.wait_for(lambda: gone(look), 15, "the end of the administrator")
        with refused("ResourceNotFoundException"):
            self.client.disable_delegated_admin_account(delegatedAdminAccountId=ADMINISTRATOR)

    def test_organization_configuration(self):
        self.designate()
        administrator = self.client_of(ADMINISTRATOR)
        names = ("ec2", "ecr", "lambda", "lambdaCode")

        def apply(*values):
            wanted = dict(zip(names, values))
            administrator.update_organization_configuration(autoEnable=wanted)

            def reached():
                answer = administrator.describe_organization_configuration()
                return all(answer["autoEnable"][n] == wanted[n] for n in names) and answer

            answer = serve.wait_for(reached, 15, "the configuration")
            self.assertIs(answer["maxAccountLimitReached"], False)

        apply(True, False, False, False)
        apply(True, True, True, True)
        apply(False, False, False, False)

    def test_member_association(self):
        self.designate()
        self.server.key(MEMBER)
        administrator = self.client_of(ADMINISTRATOR)
        look = lambda: find_member(administrator, MEMBER)  # noqa: E731
        self.assertTrue(gone(look))
        with refused("ValidationException", "is not yet associated to it"):
            administrator.disassociate_member(accountId=MEMBER)

        self.assertEqual(administrator.associate_member(accountId=MEMBER)["accountId"], MEMBER)
        serve.wait_for(lambda: look()["relationshipStatus"] == "ENABLED", 15, "the member")
        member = look()
        self.assertEqual(member["accountId"], MEMBER)
        self.assertEqual(member["delegatedAdminAccountId"], ADMINISTRATOR)
        self.assertEqual(member, look())  # an empty plan: updatedAt stands still

        # An enabler of the administrator's for its member, and its own.
        members = Enabler(administrator, ADMINISTRATOR, [MEMBER], ["EC2"])
        self.assertEqual(members.create(), ({MEMBER}, {"EC2"}))
        own = Enabler(administrator, ADMINISTRATOR, [ADMINISTRATOR], ["EC2", "ECR"])
        self.assertEqual(own.create(), ({ADMINISTRATOR}, {"EC2", "ECR"}))
        self.assertEqual(members.update(["ECR"]), ({MEMBER}, {"ECR"}))
        members.destroy()

        administrator.disassociate_member(accountId=MEMBER)
        serve.wait_for(lambda: gone(look), 15, "the end of the member")
        own.destroy()
        # A plan of an enabler whose member has left: the provider finds it gone.
        self.assertRaises(NotFound, members.statuses)

    def go(self, method, path, body=None):
        """The status and document of a request with the headers that SDKs for Go sign."""
        data = b"" if body is None else json.dumps(body).encode()
        headers = {
            "amz-sdk-invocation-id": str(uuid.uuid4()),
            "amz-sdk-request": "attempt=1; max=25",
            "User-Agent": "APN/1.0 HashiCorp/1.0 Terraform/1.9 terraform-provider-aws/5 "
            "aws-sdk-go-v2/1 lang/go#1.24 api/inspector2#1",
            "Accept-Encoding": "gzip",
        }
        if data:
            headers.update({"Content-Length": str(len(data)), "Content-Type": "application/json"})
        signed = self.server.signed_headers(method, path, data, headers)
        self.assertIn("SignedHeaders=", signed["Authorization"])
        self.assertIn("amz-sdk-invocation-id;amz-sdk-request", signed["Authorization"])
        answer = self.server.send(method, path, data, signed)
        return answer.status, answer.json()

    def test_headers_of_the_go_sdk(self):
        types = ["EC2", "LAMBDA"]
        status, answer = self.go(
            "POST", "/enable",
            {"accountIds": [ACCOUNT], "clientToken": "terraform-1", "resourceTypes": types},
        )  # fmt: skip
        self.assertEqual((status, answer["failedAccounts"]), (200, []), answer)
        status, answer = self.go("POST", "/status/batch/get", {"accountIds": [ACCOUNT]})
        self.assertEqual(status, 200)
        self.assertEqual(answer["accounts"][0]["resourceState"]["lambda"]["status"], "ENABLED")
        # Without members: no body.
        status, answer = self.go("POST", "/configuration/get")
        self.assertEqual(status, 200, answer)
        status, answer = self.go("POST", "/delegatedadminaccounts/list", {})
        self.assertEqual((status, answer), (200, {"delegatedAdminAccounts": []}))
        # An ARN in the path, encoded once on the wire and again for the signature.
        arn = f"arn:aws:inspector2:us-east-1:{ACCOUNT}:owner/{ACCOUNT}/filter/0123456789abcdef"
        path = "/tags/" + urllib.parse.quote(arn, safe="")
        status, answer = self.go("GET", path)
        self.assertEqual(status, 404, answer)
        status, answer = self.go("DELETE", path + "?tagKeys=a&tagKeys=b")
        self.assertEqual(status, 404, answer)


if __name__ == "__main__":
    sys.exit(support.main())
