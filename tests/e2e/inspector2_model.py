"""What botocore knows of inspector2, for the end-to-end tests: its operations, an answer checked
against the model more strictly than any client does, and a small valid input of any operation.
"""
import gzip
import json
import pathlib
import re

import aws_tools

# Operations of later work: they validate the request and answer 400, naming themselves.
PLACEHOLDER = re.compile("Cis|CodeSecurity|CodeSnippet|Connector|OnDemandScan")


def cli_models(service):
    """The service model of the AWS CLI, which carries a botocore of its own."""
    folders = aws_tools.HOME.glob("lib/python3.*/site-packages/awscli/botocore/data")
    file = next(next(folders).glob(f"{service}/*/service-2.json*"))
    opened = gzip.open(file) if file.suffix == ".gz" else open(file, "rb")
    with opened:
        return json.load(opened)


def words(name):
    """ListCisScans → list-cis-scans, as the AWS CLI calls an operation."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1-\2", name)
    return re.sub("([a-z0-9])([A-Z])", r"\1-\2", name).lower()


def method(name):
    return words(name).replace("-", "_")


# Values that a pattern of the model wants, by the member's name; else by its type alone.
UUID = "11111111-2222-3333-4444-555555555555"
ARN = "arn:aws:inspector2:us-east-1:111122223333"
OWNED = f"{ARN}:owner/111122223333"
KNOWN = {
    "accountId": "111122223333",
    "accountIds": ["111122223333"],
    "findingArns": [f"{ARN}:finding/{'0' * 32}"],
    "scanArn": f"{OWNED}/cis-scan/{UUID}",
    "scanConfigurationArn": f"{OWNED}/cis-configuration/{UUID}",
    "integrationArn": f"{ARN}:codesecurity-integration/{UUID}",
    "projectId": f"project-{UUID}",
    "scanJobId": UUID,
    "sessionToken": UUID,
    "scanId": UUID,
    "clientToken": UUID,
    "timeOfDay": "10:00",
    "timezone": "UTC",
    "cisRuleDetails": "eA==",
    "targetResourceId": "i-0123456789abcdef0",
    "targetResourceTags": {"env": ["prod"]},
    "instanceUrl": "https://gitlab.example/",
    "accessToken": "glpat-00000000000000000000",
    "name": "one",
    "awsConfigConnectorArn": f"arn:aws:config:us-east-1:111122223333:connector/a/b/{UUID}",
    "connectorArn": f"{ARN}:connector/{UUID}",
}
KNOWN_IMAGE = f"arn:aws:ecr:us-east-1:111122223333:repository/web/sha256:{'0' * 64}"
CODE_CONFIGURATION = f"{OWNED}/codesecurity-configuration/{UUID}"


def small_input(model, name):
    """The required members only, as small as they may be."""
    shape = model["operations"][name].get("input")
    known = dict(KNOWN)
    if "CodeSecurity" in name:
        known["scanConfigurationArn"] = CODE_CONFIGURATION
    return small_value(model, shape["shape"], known) if shape else {}


def small_value(model, name, known):
    shape = model["shapes"][name]
    kind = shape["type"]
    if kind == "structure":
        members = shape["members"]
        wanted = list(members)[:1] if shape.get("union") else shape.get("required", [])
        return {
            one: known[one] if one in known else small_value(model, members[one]["shape"], known)
            for one in wanted
        }
    if kind == "list":
        return [small_value(model, shape["member"]["shape"], known)] * shape.get("min", 1)
    if kind == "map":
        return {"key": small_value(model, shape["value"]["shape"], known)}
    if kind == "string":
        return shape["enum"][0] if "enum" in shape else "x" * max(1, shape.get("min", 1))
    return {"integer": shape.get("min", 1), "long": shape.get("min", 1), "boolean": True,
            "double": 1.0, "float": 1.0, "timestamp": 1700000000, "blob": "eA=="}[kind]


PYTHON_TYPES = {
    "string": str, "boolean": bool, "integer": int, "long": int, "double": (int, float),
    "float": (int, float), "timestamp": (int, float), "blob": str, "list": list,
    "structure": dict, "map": dict,
}  # fmt: skip


def faults(shape, value, path=""):
    """Where a JSON value is not what the (botocore) shape says: wrong types, members that it does
    not have, required ones missing, values that an enumeration lacks, nulls, unions of two."""
    kind = shape.type_name
    if not isinstance(value, PYTHON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{path}: {value!r} is no {kind}"]
    found = []
    if kind == "structure":
        found += [f"{path}.{name}: not in the model" for name in value if name not in shape.members]
        found += [f"{path}.{name}: required" for name in shape.required_members if name not in value]
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            found.append(f"{path}: a union of {len(value)}")
        for name, member in shape.members.items():
            if name in value:
                found += faults(member, value[name], f"{path}.{name}")
    elif kind == "list":
        for n, one in enumerate(value):
            found += faults(shape.member, one, f"{path}[{n}]")
    elif kind == "map":
        for name, one in value.items():
            found += faults(shape.value, one, f"{path}[{name!r}]")
    elif kind == "string" and shape.enum and value not in shape.enum:
        found.append(f"{path}: {value!r} is not in the enumeration")
    return found


def watch(client, found):
    """Adds to the list what is wrong with any answer the boto3 client gets from now on."""

    def look(operation_model, response_dict, **_):
        if response_dict["status_code"] >= 300:
            return
        if operation_model.output_shape is None:
            return
        body = json.loads(response_dict["body"] or b"{}")
        for fault in faults(operation_model.output_shape, body):
            found.append(operation_model.name + fault)

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-parse.{service}.*", look)
    return client
