#!/usr/bin/env python3
"""The service models in the project are what tools/service_model.py makes of botocore today.

botocore is taken from $TENKEN_BOTOCORE (a wheel, or the folder that holds botocore/), else from
the environment of the end-to-end tests, whose clients speak the same model. Skipped (77) where that
cannot be installed.
"""
import os
import pathlib
import re
import subprocess
import sys

TOOL = pathlib.Path(sys.argv[1]).resolve()
SOURCE = TOOL.parents[1]
sys.path.insert(0, str(SOURCE / "tests/e2e"))
import aws_tools  # noqa: E402


def pinned(file, pattern):
    return re.search(pattern, file.read_text(), re.MULTILINE)[1]


def at_hand():
    named = os.environ.get("TENKEN_BOTOCORE")
    if named:
        return pathlib.Path(named)
    model, clients = (pinned(TOOL, r'^BOTOCORE = "(.*)"'),
                      pinned(aws_tools.PINS[0], r"^botocore==(.*)$"))
    if model != clients:
        sys.exit(f"the model is of botocore {model}, the tests' clients are of {clients}")
    aws_tools.enter()
    return next(aws_tools.HOME.glob("lib/python3.*/site-packages"))


sys.exit(subprocess.run([sys.executable, TOOL, "--check", "--botocore", at_hand()]).returncode)
