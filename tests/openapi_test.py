#!/usr/bin/env python3
"""docs/openapi.yaml describes the operations of src/api/v1/operations, all of them and no other:
methods and paths, the permission each needs, the parameters of its query string and which of them
may be repeated.

Usage: openapi_test.py SOURCE_DIR
"""
import pathlib
import re
import sys

try:
    import yaml
except ImportError:
    print("no PyYAML here; install python3-yaml")
    sys.exit(77)

METHODS = ("get", "put", "post", "delete", "patch")


def rows(source):
    """(method, path) -> (permission, {parameter: may it be repeated})."""
    found = {}
    for file in sorted(source.glob("src/api/v1/operations/*.cpp")):
        text = file.read_text()
        lists = {
            name: {p: bool(repeats) for p, repeats in re.findall(r'\{"(\w+)"(, true)?\}', body)}
            for name, body in re.findall(r"constexpr std::array (\w+)\{(.*?)\};", text, re.S)
        }
        for body in re.findall(r"V1Operation\{(\..*?)\}(?=,\s)", text, re.S):
            row = dict(re.findall(r'\.(\w+) = "?([^",]+)"?', body))
            key = row["method"], row["path"]
            assert key not in found, f"{key} stands twice"
            parameters = lists[row["parameters"]] if "parameters" in row else {}
            found[key] = row["needs"].rpartition("::")[2], parameters
    return found


def described(document):
    def resolve(one):
        while "$ref" in one:
            node = document
            for part in one["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            one = node
        return one

    found = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            parameters = {}
            names = set()
            for one in map(resolve, item.get("parameters", []) + operation.get("parameters", [])):
                if one["in"] == "query":
                    parameters[one["name"]] = resolve(one["schema"]).get("type") == "array"
                else:
                    names.add(one["name"])
            assert names == set(re.findall(r"\{(\w+)\}", path)), f"{path}: its labels"
            found[method.upper(), path] = operation["x-tenken-permission"], parameters
    return found


def main():
    source = pathlib.Path(sys.argv[1])
    code = rows(source)
    document = described(yaml.safe_load((source / "docs/openapi.yaml").read_text()))
    assert code, "no operations found in the sources"
    faults = [f"{key}: not described" for key in code.keys() - document.keys()]
    faults += [f"{key}: described, but no operation" for key in document.keys() - code.keys()]
    for key in code.keys() & document.keys():
        if code[key] != document[key]:
            faults.append(f"{key}: {code[key]} in the code, {document[key]} in the description")
    for fault in sorted(faults):
        print(fault)
    print(f"{len(code)} operations, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
