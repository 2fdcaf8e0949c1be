"""What tests of the own API share: a small advisory database, SBOMs that it concerns, and answers
checked against docs/openapi.yaml."""
import json
import pathlib
import re

import jsonschema_rs
import yaml

import support


def advisory(vulnerability, package, fixed, ecosystem="PyPI"):
    return {
        "id": vulnerability,
        "modified": "2024-01-01T00:00:00Z",
        "summary": f"{package} has a fault",
        "severity": [
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
        ],
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": package},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
                ],
            }
        ],
    }


def build_database(directory, advisories):
    """A database file of these advisories."""
    directory = pathlib.Path(directory)
    feeds = directory / "feeds"
    feeds.mkdir(exist_ok=True)
    for one in advisories:
        (feeds / f"{one['id']}.json").write_text(json.dumps(one))
    file = directory / "advisories.db"
    answer = support.tenken("db", "build", "--from", feeds, "--out", file)
    assert answer.code == 0, str(answer)
    return file


def sbom(**packages):
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "components": [
            {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name}@{version}",
            }
            for name, version in packages.items()
        ],
    }


class Description:
    """docs/openapi.yaml, as what answers have to satisfy."""

    def __init__(self):
        self.file = support.SOURCE / "docs/openapi.yaml"
        self.document = yaml.safe_load(self.file.read_text())
        self.called = set()

    def operations(self):
        return {
            (method.upper(), path)
            for path, item in self.document["paths"].items()
            for method in item
            if method != "parameters"
        }

    def _operation(self, method, target):
        path = target.partition("?")[0]
        for known, item in self.document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known))
            if method.lower() in item and re.fullmatch(pattern, path):
                self.called.add((method, known))
                return item[method.lower()]
        raise AssertionError(f"{method} {path} is not described")

    def check(self, method, target, response):
        """The response's document, valid for its status and content type."""
        responses = self._operation(method, target)["responses"]
        one = responses.get(str(response.status), responses["default"])
        if "$ref" in one:
            one = self.document["components"]["responses"][one["$ref"].rpartition("/")[2]]
        kind = response.headers["Content-Type"]
        assert kind in one["content"], f"{method} {target}: {kind}"
        schema = {**one["content"][kind]["schema"], "components": self.document["components"]}
        document = response.json()
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        faults = [f"{list(e.instance_path)}: {e.message}" for e in validator.iter_errors(document)]
        assert not faults, f"{method} {target}: {faults[:5]}\n{json.dumps(document)[:2000]}"
        return document
