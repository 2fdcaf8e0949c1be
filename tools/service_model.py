#!/usr/bin/env python3
"""Writes the facts of AWS's public service models that tenken serves: src/api/models/*.json.

The source is botocore of the pinned version. Only what a program needs to route, check and shape a
message is kept: names, types, bounds, patterns, enumerations, places of members, error statuses.
Texts are left out. The order is the same on every run, with one operation or shape on a line.

  tools/service_model.py                   download botocore with pip, write the files
  tools/service_model.py --botocore PATH   read PATH: a wheel or the folder that holds botocore/
  tools/service_model.py --check …         write nothing; fail where the files differ
"""
import argparse
import gzip
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

BOTOCORE = "1.44.5"
SERVICES = {"inspector2": "2020-06-08", "inspector-scan": "2023-08-08"}
OUT = pathlib.Path(__file__).resolve().parent.parent / "src" / "api" / "models"

SHAPE_FACTS = ("type", "min", "max", "pattern", "enum", "required", "union", "sensitive")


def read_model(botocore, service):
    name = f"botocore/data/{service}/{SERVICES[service]}/service-2.json.gz"
    if botocore.is_dir():
        packed = (botocore / name).read_bytes()
    else:
        with zipfile.ZipFile(io.BytesIO(botocore.read_bytes())) as wheel:
            packed = wheel.read(name)
    return json.loads(gzip.decompress(packed))


def download(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest",
                    folder, f"botocore=={BOTOCORE}"], check=True)
    return next(pathlib.Path(folder).glob("botocore-*.whl"))


def operation_facts(operation):
    facts = {"method": operation["http"]["method"], "uri": operation["http"]["requestUri"],
             "status": operation["http"]["responseCode"]}
    for side in ("input", "output"):
        if side in operation:
            facts[side] = operation[side]["shape"]
    facts["errors"] = sorted(error["shape"] for error in operation.get("errors", []))
    return facts


def member_facts(name, member):
    """The name of its shape, and where it stands if not in the body under its own name."""
    location = member.get("location", "body")
    wire_name = member.get("locationName", name)
    if location == "body" and wire_name == name:
        return member["shape"]
    return {"shape": member["shape"], "in": location, "as": wire_name}


def shape_facts(shape):
    facts = {name: shape[name] for name in SHAPE_FACTS if name in shape}
    if shape.get("document"):
        facts["type"] = "document"
    elif shape["type"] == "structure":
        facts["members"] = {name: member_facts(name, shape["members"][name])
                            for name in sorted(shape["members"])}
    for part in ("member", "key", "value"):
        if part in shape:
            facts[part] = shape[part]["shape"]
    if "error" in shape:
        facts["error"] = shape["error"]["httpStatusCode"]
    return facts


def lines(facts_by_name):
    rows = (f"{json.dumps(name)}: {json.dumps(facts_by_name[name], ensure_ascii=True)}"
            for name in sorted(facts_by_name))
    return "{\n" + ",\n".join(rows) + "\n}"


def facts_text(model, service):
    operations = {name: operation_facts(o) for name, o in model["operations"].items()}
    shapes = {name: shape_facts(s) for name, s in model["shapes"].items()}
    return (f'{{"service": "{service}", "version": "{SERVICES[service]}",'
            f' "origin": "botocore {BOTOCORE}",\n'
            f'"operations": {lines(operations)},\n"shapes": {lines(shapes)}}}\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--botocore", type=pathlib.Path, metavar="PATH")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    stale = 0
    with tempfile.TemporaryDirectory() as folder:
        botocore = arguments.botocore or download(folder)
        for service in SERVICES:
            text = facts_text(read_model(botocore, service), service)
            path = OUT / f"{service}.json"
            if not arguments.check:
                path.write_text(text)
            elif path.read_text() != text:
                print(f"{path} differs from botocore {BOTOCORE}")
                stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
