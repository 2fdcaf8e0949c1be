#!/usr/bin/env python3
"""Fails when a source file includes a folder that src/layers.txt does not allow it."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve() / "src"
allowed = {}
for line in (root / "layers.txt").read_text().splitlines():
    line = line.split("#")[0].strip()
    if not line:
        continue
    folder, _, names = line.partition(":")
    below = names.split()
    for name in below:
        if name not in allowed:
            sys.exit(f"layers.txt: {folder} names {name}, which does not stand above it")
    allowed[folder] = {folder, *below}

bad = 0
for path in sorted(root.rglob("*")):
    if path.suffix not in {".h", ".cpp"}:
        continue
    folder = path.relative_to(root).parts[0]
    if folder not in allowed:
        print(f"{path}: folder {folder} is not in layers.txt")
        bad += 1
        continue
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = re.match(r'\s*#include\s+"([a-z0-9_]+)/', line)
        of_tests = path.name.endswith(("_test.cpp", "_fixture.h"))
        test_support = of_tests and match and match[1] == "support"
        if match and match[1] not in allowed[folder] and not test_support:
            print(f"{path.relative_to(root.parent)}:{number}: {folder} may not include {match[1]}")
            bad += 1
        if re.match(r'\s*#include\s+"[^/"]+"', line):
            print(f"{path.relative_to(root.parent)}:{number}: include as \"folder/file.h\"")
            bad += 1
sys.exit(1 if bad else 0)
