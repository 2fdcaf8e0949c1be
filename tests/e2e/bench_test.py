#!/usr/bin/env python3
"""The benchmarks of the server run: each of their programs, on little. What they measure is no test's
business."""
import os
import pathlib
import re
import subprocess
import sys

import support

BUILD = pathlib.Path(support.TENKEN).resolve().parent


class Benchmarks(support.TestCase):
    def test_the_servers_benchmarks_come_to_their_ends(self):
        done = subprocess.run(
            [sys.executable, support.SOURCE / "bench/server.py", BUILD, "--small"],
            capture_output=True, text=True, timeout=500, check=False,
            env={**os.environ, "TMPDIR": str(self.directory)},
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for figure in (
            r"PUT inventory of 500 packages +500/s +[\d,]+/s", r"memory, freshly started",
            r"20 agents: enrolled", r" 0 lost", r"new advisory on 50 hosts: matching",
            r"findings; ms a page of", r"findings on 100 resources; ms", r"\nauthenticate +\d",
        ):  # fmt: skip
            self.assertRegex(done.stdout, figure)
        self.assertEqual(list(self.directory.iterdir()), [], "what they made they remove")


if __name__ == "__main__":
    support.main()
