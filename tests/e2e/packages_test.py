#!/usr/bin/env python3
"""The packages of tools/package.sh, installed, upgraded, removed and purged in the root of a Debian
that debootstrap has made: server and agent, .deb and .rpm, without systemd. The packaged agent
enrols with a real server there and is started by its init script.

Skipped where there are no packages (build/packages), no root or no debootstrap.
"""
import aws_tools

aws_tools.enter()

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import host_trees
import server
import support
from server import ACCOUNT

BUILD = pathlib.Path(os.environ.get("TENKEN_PACKAGE_BUILD", support.SOURCE / "build"))
PACKAGES = BUILD / "packages"
TREE = host_trees.TREES / "bookworm"
NEWER = "0.9.0"
UNITS = "usr/lib/systemd/system"


def run(*words, **named):
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, timeout=300, **named
    )
    if done.returncode != 0:
        raise AssertionError(f"{words} answers {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def need_tree():
    if not any(PACKAGES.glob("*.deb")):
        raise unittest.SkipTest(f"no packages in {PACKAGES}: tools/package.sh makes them")
    if os.geteuid() != 0:
        raise unittest.SkipTest("chroot needs root")
    try:
        host_trees.tree("bookworm")
    except host_trees.Missing as error:
        raise unittest.SkipTest(str(error)) from None


class Packages(support.TestCase):
    @classmethod
    def setUpClass(cls):
        need_tree()
        cls.packages = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.packages)
        # The same programs under a later version.
        run("cpack", "--config", BUILD / "package/CPackConfig.cmake", "-B", cls.packages / "work",
            "-D", f"CPACK_PACKAGE_VERSION={NEWER}",
            "-D", f"CPACK_OUTPUT_FILE_PREFIX={cls.packages / 'newer'}")  # fmt: skip

    def setUp(self):
        super().setUp()
        self.root = self.directory / "root"
        run("cp", "-a", "--reflink=auto", TREE, self.root)
        self.before = self.files()

    def files(self):
        """All that is there but what package managers and the system keep for themselves."""
        ours = ("var/lib/dpkg", "var/lib/rpm", "var/log", "proc", "run", "tmp", "etc/passwd", "etc/group",
                "etc/shadow", "etc/gshadow", "etc/subuid", "etc/subgid", "etc/.pwd.lock", "var/cache")  # fmt: skip
        out = set()
        for folder, folders, files in os.walk(self.root):
            for name in folders + files:
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if not path.startswith(ours):
                    out.add(path)
        return out

    def package(self, pattern, newer=False):
        folder = self.packages / "newer" if newer else PACKAGES
        (found,) = folder.glob(pattern)
        shutil.copy(found, self.root / "tmp")
        return f"/tmp/{found.name}"

    def inside(self, script):
        """In the root, with processes of its own, which end with the script."""
        inner = f"mount -t proc proc {self.root}/proc && exec chroot {self.root} sh -ec '{script}'"
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", inner]
        if subprocess.run(words[:-3] + ["true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no namespaces can be made here")
        return run(*words, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})

    def has(self, path):
        return (self.root / path).exists()

    def test_the_server_as_a_deb(self):
        old, new = self.package("tenken_*.deb"), self.package("tenken_*.deb", newer=True)
        self.inside(f"dpkg -i {old}; tenken --version; id tenken; mandoc -h >/dev/null 2>&1 || true")
        for path in (f"{UNITS}/tenken.service", "etc/tenken/serve.conf",
                     "usr/share/bash-completion/completions/tenken", "usr/share/man/man1/tenken.1.gz"):  # fmt: skip
            self.assertTrue(self.has(path), path)
        self.assertIn("/usr/bin/tenken serve", (self.root / UNITS / "tenken.service").read_text())
        # What the administrator wrote stays.
        with open(self.root / "etc/tenken/serve.conf", "a") as conf:
            conf.write("region=eu-west-1\n")
        said = self.inside(f"dpkg -i {new}; dpkg -l tenken")
        self.assertIn(NEWER, said)
        self.assertIn("eu-west-1", (self.root / "etc/tenken/serve.conf").read_text())
        self.inside("""su -s /bin/sh tenken -c "timeout 20 tenken serve --config /etc/tenken/serve.conf --listen 127.0.0.1:0 --no-update" >/tmp/said & sleep 5; grep listening /tmp/said""")
        self.assertTrue(self.has("var/lib/tenken/server/secret.key"))
        self.inside("dpkg -r tenken")
        self.assertTrue(self.has("var/lib/tenken/server/secret.key"))
        self.assertTrue(self.has("etc/tenken/serve.conf"))
        self.inside("dpkg -P tenken; ! id tenken 2>/dev/null")
        self.assertEqual(self.files() - self.before, set())

    def test_the_agent_as_a_deb_without_systemd(self):
        running = server.Server(self.directory / "advisories.db")
        self.addCleanup(running.close)
        shutil.copy(running.ca_file, self.root / "tmp/ca.pem")
        token = running.admin("token", "create", "--account", ACCOUNT).strip()
        old, new = self.package("tenken-agent_*.deb"), self.package("tenken-agent_*.deb", newer=True)
        said = self.inside(f"""dpkg -i {old}
            tenken-agent --version
            test -x /etc/init.d/tenken-agent
            ls /etc/rc3.d | grep tenken-agent
            tenken-agent enrol --server {running.url} --ca /tmp/ca.pem --token {token}
            /etc/init.d/tenken-agent start
            for _ in $(seq 100); do tenken-agent status | grep "contact .*Z" && break; sleep 0.1; done
            /etc/init.d/tenken-agent status
            dpkg -i {new}
            /etc/init.d/tenken-agent status
            /etc/init.d/tenken-agent stop
            ! /etc/init.d/tenken-agent status""")
        self.assertIn("enrolled as", said)
        self.assertEqual(said.count("tenken-agent runs"), 2, said)
        self.assertRegex(said, r"contact +2")
        self.inside("dpkg -r tenken-agent")
        self.assertFalse(self.has("etc/init.d/tenken-agent"))
        self.assertTrue(self.has("var/lib/tenken-agent/agent.pem"))
        self.inside("dpkg -P tenken-agent")
        self.assertEqual(self.files() - self.before, set())

    def test_both_as_rpm(self):
        if not shutil.which("rpm"):
            self.skipTest("rpm is needed")
        rpm = ("rpm", "--root", self.root, "--nodeps")  # the root's packages are dpkg's
        for name, program in (("tenken", "tenken"), ("tenken-agent", "tenken-agent")):
            pattern = f"{name}-[0-9]*.rpm"
            self.package(pattern), self.package(pattern, newer=True)
            (old,), (new,) = PACKAGES.glob(pattern), (self.packages / "newer").glob(pattern)
            run(*rpm, "-i", old)
            self.inside(f"{program} --version")
            state = self.root / "var/lib/tenken-agent"
            state.mkdir(parents=True, exist_ok=True)
            (state / "agent.pem").touch()
            self.assertTrue(self.has(f"{UNITS}/{name}.service"))
            run(*rpm, "-U", new)
            self.assertIn(NEWER, run("rpm", "--root", self.root, "-q", name))
            self.assertTrue((state / "agent.pem").exists())
            run(*rpm, "-e", name)
            self.assertEqual(state.exists(), name == "tenken")  # another package's stays
            self.assertFalse(self.has(f"usr/bin/{program}"))
        left = self.files() - self.before
        self.assertEqual({path for path in left if "tenken" in path} - {"var/lib/tenken"}, set())

    def test_what_the_packages_ask_for(self):
        for pattern, asks in (("tenken-agent_*.deb", ""), ("tenken_*.deb", "libssl3")):
            (package,) = PACKAGES.glob(pattern)
            self.assertIn(asks, run("dpkg-deb", "-f", package, "Depends"))
            if not asks:
                self.assertEqual(run("dpkg-deb", "-f", package, "Depends").strip(), "")


if __name__ == "__main__":
    support.main()
