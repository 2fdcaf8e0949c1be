#!/usr/bin/env python3
"""The service models in the project are what tools/service_model.py makes of botocore today.

botocore is taken from $TENKEN_BOTOCORE (a wheel, or the folder that holds botocore/), else from
this Python. Skipped (77) where there is none of the pinned version.
"""
import importlib.util
import os
import pathlib
import re
import subprocess
import sys


def pinned_version(tool):
    return re.search(r'^BOTOCORE = "(.*)"', pathlib.Path(tool).read_text(), re.MULTILINE)[1]


def at_hand(version):
    named = os.environ.get("TENKEN_BOTOCORE")
    if named:
        return pathlib.Path(named)
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        return None
    package = pathlib.Path(spec.origin).parent
    if f'__version__ = \'{version}\'' not in (package / "__init__.py").read_text():
        return None
    return package.parent


def main():
    tool = sys.argv[1]
    version = pinned_version(tool)
    botocore = at_hand(version)
    if botocore is None:
        print(f"no botocore {version}; set TENKEN_BOTOCORE or install it")
        return 77
    return subprocess.run([sys.executable, tool, "--check", "--botocore", botocore]).returncode


if __name__ == "__main__":
    sys.exit(main())
