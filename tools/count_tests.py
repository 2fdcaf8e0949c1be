#!/usr/bin/env python3
"""Prints "N passed, N failed[, N skipped]" from a JUnit file of ctest; exits 1 where any failed."""
import sys
import xml.etree.ElementTree as ElementTree

cases = ElementTree.parse(sys.argv[1]).getroot().findall("testcase")
failed = [case for case in cases if case.find("failure") is not None]
skipped = [case for case in cases if case.find("skipped") is not None]
passed = len(cases) - len(failed) - len(skipped)
tail = f", {len(skipped)} skipped" if skipped else ""
print(f"{passed} passed, {len(failed)} failed{tail}")
sys.exit(1 if failed or not cases else 0)
