#!/usr/bin/env python3
"""Validates the JSON that the program writes against docs/scan-result.schema.json.

Usage: check_scan_result_schema.py PROGRAM SCHEMA. PROGRAM prints a result when called with "json".
Exit 77, which the test runner counts as skipped, without the Python package jsonschema.
"""
import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: no Python package jsonschema")
    sys.exit(77)

program, schema_path = sys.argv[1:]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
result = json.loads(subprocess.run([program, "json"], check=True, capture_output=True).stdout)
faults = sorted(jsonschema.Draft202012Validator(schema).iter_errors(result), key=str)
for fault in faults:
    print("/".join(map(str, fault.absolute_path)), fault.message)
if not result["findings"]:
    sys.exit("the result has no findings, so it proves nothing")
sys.exit(1 if faults else 0)
