#!/usr/bin/env python3
"""The install script that the server hands out: what starts the agent on hosts with systemd, with
SysV init, with cron only, with nothing; and what is left after it has been taken away again.

The hosts are directories (--rootfs); that the init script works is shown by packages_test.py.
"""
import aws_tools

aws_tools.enter()

import fcntl
import hashlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import unittest

import server
import support
from server import ACCOUNT

AGENT = os.environ.get("TENKEN_AGENT", "tenken-agent")
# Starts and stops what the unit says.
SYSTEMCTL = """#!/bin/sh
pid=$(cat /run/agent.pid 2>/dev/null)
runs() { [ -n "$pid" ] && grep -q . "/proc/$pid/cmdline" 2>/dev/null; }
stop() {
  ! runs || kill "$pid"
  while runs; do sleep 0.1; done
}
start() {
  setsid $(sed -n s/^ExecStart=//p /etc/systemd/system/tenken-agent.service) >/dev/null 2>&1 &
  echo $! >/run/agent.pid
}
case $1 in
  is-active) runs ;;
  stop) stop ;;
  start) runs || start ;;
  restart) stop && start ;;
  disable) ! [ -e /etc/init.d/tenken-agent ] || update-rc.d tenken-agent disable ;;
esac
"""


class Install(support.TestCase):
    def setUp(self):
        super().setUp()
        self.releases = self.directory / "releases"
        self.releases.mkdir()
        shutil.copy(AGENT, self.releases / f"tenken-agent-{os.uname().machine}")
        self.server = server.Server(
            self.directory / "advisories.db", arguments=("--agent-releases", str(self.releases))
        )
        self.addCleanup(self.server.close)
        self.root = self.directory / "host"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/os-release").write_text("ID=debian\nVERSION_ID=12\n")
        (self.root / "etc/machine-id").write_text("7" * 32 + "\n")
        connection = self.server.connect()
        connection.request("GET", "/agent/install")
        self.script = self.directory / "install.sh"
        self.script.write_bytes(connection.getresponse().read())
        connection.close()

    def installer(self, *words, stdin="", **named):
        named.setdefault("env", support.environment())
        return subprocess.run(
            ["sh", self.script, "--rootfs", self.root, *words], input=stdin, capture_output=True,
            text=True, check=False, **named,
        )  # fmt: skip

    def install(self, *words):
        token = self.server.admin("token", "create", "--account", ACCOUNT).strip()
        authority = hashlib.sha256(pathlib.Path(self.server.ca_file).read_bytes()).hexdigest()
        return self.installer(
            "--server", self.server.url, "--ca-sha256", authority, *words, stdin=token + "\n"
        )

    def files(self):
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if not path.is_dir()}

    def check(self, *expected):
        """It is installed, with these files, and taken away again without a trace."""
        before = self.files()
        done = self.install()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("enrolled as", done.stdout)
        state = "var/lib/tenken-agent/"
        put = {path for path in self.files() - before if not path.startswith(state)}
        self.assertEqual(put, {"usr/local/bin/tenken-agent", *expected})
        # What starts the agent finds it and its state.
        self.assertEqual(self.install().returncode, 0)  # again: the same files
        self.assertEqual({p for p in self.files() - before if not p.startswith(state)}, put)
        return before

    def check_removal(self, before):
        done = self.installer("--uninstall")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.files(), before)
        self.assertFalse((self.root / "var/lib/tenken-agent").exists())

    def test_with_systemd(self):
        (self.root / "lib/systemd/system").mkdir(parents=True)
        (self.root / "etc/init.d").mkdir()  # is there too, and not the first
        (self.root / "etc/cron.d").mkdir()
        unit = "etc/systemd/system/tenken-agent.service"
        before = self.check(unit, "etc/systemd/system/multi-user.target.wants/tenken-agent.service")
        self.assertIn("ExecStart=/usr/local/bin/tenken-agent run", (self.root / unit).read_text())
        self.check_removal(before)

    def test_with_sysv_init(self):
        (self.root / "etc/init.d").mkdir()
        (self.root / "usr/sbin").mkdir(parents=True)
        registrar = self.root / "usr/sbin/update-rc.d"
        registrar.write_text("#!/bin/sh\n")
        registrar.chmod(0o755)
        before = self.check("etc/init.d/tenken-agent")
        script = self.root / "etc/init.d/tenken-agent"
        self.assertTrue(os.access(script, os.X_OK))
        wrong = subprocess.run(["sh", script, "dance"], capture_output=True, text=True, check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("usage:", wrong.stderr)
        self.check_removal(before)

    def test_with_cron_only(self):
        (self.root / "etc/init.d").mkdir()  # nothing enters scripts into runlevels
        (self.root / "etc/cron.d").mkdir()
        before = self.check("etc/cron.d/tenken-agent")
        line = (self.root / "etc/cron.d/tenken-agent").read_text().splitlines()[-1]
        self.assertRegex(line, r"^\S+ \* \* \* \* root .*/usr/local/bin/tenken-agent run --once ")
        self.check_removal(before)

    def test_with_the_cron_of_busybox(self):
        table = self.root / "etc/crontabs/root"
        table.parent.mkdir()
        table.write_text("0 3 * * * other\n")
        before = self.check()
        self.assertEqual(table.read_text().count("tenken-agent run --once"), 1)
        self.check_removal(before)
        self.assertEqual(table.read_text(), "0 3 * * * other\n")

    def test_one_kind_of_init_takes_the_place_of_another(self):
        for directory in ("etc/init.d", "etc/cron.d"):
            (self.root / directory).mkdir()
        starters = {
            "systemd": "etc/systemd/system/tenken-agent.service",
            "sysv": "etc/init.d/tenken-agent",
            "cron": "etc/cron.d/tenken-agent",
        }
        for kind in ("cron", "sysv", "systemd", "sysv", "cron", "systemd", "cron"):
            done = self.installer("--add-service", "--init", kind)
            self.assertEqual(done.returncode, 0, done.stderr)
            there = {one for one, path in starters.items() if (self.root / path).exists()}
            self.assertEqual(there, {kind})

    def test_where_the_new_init_fails_the_old_one_stays(self):
        (self.root / "etc/cron.d").mkdir()
        self.assertEqual(self.installer("--add-service", "--init", "cron").returncode, 0)
        (self.root / "etc/systemd").touch()  # no directory
        done = self.installer("--add-service", "--init", "systemd")
        self.assertNotEqual(done.returncode, 0, done)
        self.assertTrue((self.root / "etc/cron.d/tenken-agent").exists())

    def test_paths_that_no_init_could_start_are_refused(self):
        (self.root / "etc/cron.d").mkdir()
        before = self.files()
        for option, path in (("--state", "/srv/the state"), ("--state", "state"),
                             ("--bin", "/opt/100%/bin"), ("--bin", "")):  # fmt: skip
            for done in (self.install(option, path), self.installer("--add-service", option, path),
                         self.installer("--print", "unit", option, path)):  # fmt: skip
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(f"install: {path}: --bin and --state take", done.stderr)
        self.assertEqual(self.files(), before)

    def test_where_nothing_starts_programs_it_says_so_before_it_changes_anything(self):
        before = self.files()
        done = self.install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("neither systemd, SysV init nor cron", done.stderr)
        self.assertIn("--init none", done.stderr)
        self.assertEqual(self.files(), before)
        done = self.install("--init", "none")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("start it with", done.stderr)
        self.check_removal(before)

    def test_an_installation_that_fails_leaves_nothing(self):
        (self.root / "etc/cron.d").mkdir()
        before = self.files()
        authority = hashlib.sha256(pathlib.Path(self.server.ca_file).read_bytes()).hexdigest()
        words = ("--server", self.server.url, "--ca-sha256", authority)
        done = self.installer(*words, stdin="A" * 43 + "\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not be enrolled", done.stderr)
        self.assertEqual(self.files(), before)
        for directory in ("usr", "var"):  # nor one that is empty
            self.assertFalse((self.root / directory).exists())
        # What was there before stays.
        self.assertEqual(self.install().returncode, 0)
        installed = self.files()
        self.assertEqual(self.installer(*words, stdin="A" * 43 + "\n").returncode, 1)
        self.assertEqual(self.files(), installed)
        self.check_removal(before)

    def test_what_enrolled_and_was_cut_off_then_is_not_taken_back(self):
        state = self.root / "var/lib/tenken-agent"
        (self.releases / f"tenken-agent-{os.uname().machine}").write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exit\necho >{state}/agent.conf\nexit 1\n'
        )
        self.assertEqual(self.install("--init", "none").returncode, 1)
        self.assertTrue((state / "agent.conf").exists())
        self.assertTrue((self.root / "usr/local/bin/tenken-agent").exists())

    def test_what_an_agent_left_that_never_enrolled_is_taken_away(self):
        (self.root / "etc/cron.d").mkdir()
        state = self.root / "var/lib/tenken-agent"
        for names in (["lock"], ["identity", "lock"], []):
            state.mkdir(parents=True)
            for name in names:
                (state / name).touch()
            done = self.installer("--uninstall")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertFalse(state.exists())
        # Another's directory stays, and so does all else.
        state.mkdir()
        (state / "letters").touch()
        program = self.root / "usr/local/bin/tenken-agent"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch()
        done = self.installer("--uninstall")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no agent's state stands there", done.stderr)
        self.assertTrue((state / "letters").exists())
        self.assertTrue(program.exists())

    def test_a_directory_that_only_looks_like_a_state_is_refused(self):
        def refused(path):
            before = self.files()
            done = self.installer("--uninstall", "--init", "none", "--state", path)
            self.assertEqual(done.returncode, 1, path)
            self.assertIn("no agent's state stands there", done.stderr)
            self.assertEqual(self.files(), before)

        other = self.root / "srv/other"
        (other / "log").mkdir(parents=True)
        (other / "lock").touch()
        refused("/srv/other")  # a directory in the place of a file
        (other / "log").rmdir()
        (other / "letters").write_text("dear")
        refused("/srv/other")
        (other / "letters").rename(other / "lock")
        refused("/srv/other")  # not empty
        (other / "lock").unlink()
        (other / "identity").write_text("g" * 32)
        refused("/srv/other")
        (other / "agent.conf").touch()
        (other / "agent.pem").symlink_to("agent.conf")
        refused("/srv/other")
        # What is the host's own, whatever lies in it.
        (self.root / "var").mkdir()
        (self.root / "var/identity").write_text("a" * 32 + "\n")
        for path in ("/var", "/var/", "//var/.", "/", "/srv/.."):
            refused(path)
        self.assertTrue((self.root / "var/identity").exists())

    def test_the_line_of_a_new_token_installs(self):
        """As it is printed, by bash, curl and sha256sum of this machine; sudo is a name here."""
        (self.root / "etc/cron.d").mkdir()
        folder = self.directory / "shell"
        folder.mkdir()
        (folder / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (folder / "sudo").chmod(0o755)
        for url in (self.server.url, self.server.url.replace("127.0.0.1", "localhost") + "/"):
            made = support.tenken(
                "admin", "token", "create", "--account", ACCOUNT, "--server", url, *self.server.store,
                SOURCE_DATE_EPOCH=None,
            )  # fmt: skip
            line = made.err.splitlines()[-1]

            def shell(line):
                return subprocess.run(
                    ["bash", "-c", f"{line} --rootfs {self.root}"], input=made.out, text=True,
                    capture_output=True, check=False, cwd=folder,
                    env=support.environment(PATH=f"{folder}:{os.environ['PATH']}"),
                )  # fmt: skip

            done = shell(line)
            self.assertEqual(done.returncode, 0, (line, done))
            self.assertIn("enrolled as", done.stdout)
            conf = (self.root / "var/lib/tenken-agent/agent.conf").read_text()
            self.assertIn(f"server={url.rstrip('/')}\n", conf)
            # Another script is not run.
            changed = line.replace("sha256sum -c", "(echo >>install; sha256sum -c)")
            self.assertNotEqual(shell(changed).returncode, 0)
        # As the manual has it, where the machine trusts the authority; the token by the option.
        made = self.server.admin("token", "create", "--account", ACCOUNT).strip()
        done = subprocess.run(
            ["bash", "-c", f"curl -fsSLO {self.server.url}/agent/install && sudo bash install "
             f"--token {made} --rootfs {self.root}"], capture_output=True, text=True, check=False,
            cwd=folder, env=support.environment(
                PATH=f"{folder}:{os.environ['PATH']}", CURL_CA_BUNDLE=self.server.ca_file),
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("enrolled as", done.stdout)

    # Again, where an agent is at work.

    def test_the_end_of_an_agent_at_work_is_waited_for(self):
        self.assertEqual(self.install("--init", "none").returncode, 0)
        token = self.server.admin("token", "create", "--account", ACCOUNT).strip()
        words = ["sh", self.script, "--rootfs", self.root, "--server", self.server.url, "--ca",
                 self.server.ca_file, "--init", "none", "--token", token]  # fmt: skip
        with open(self.root / "var/lib/tenken-agent/lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            running = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=support.environment(),
            )  # fmt: skip
            self.addCleanup(running.wait)
            self.addCleanup(running.kill)
            self.assertIn("another tenken-agent is at work", running.stderr.readline())
        said, complaint = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0, complaint)
        self.assertIn("enrolled as", said)
        self.assertNotIn("another tenken-agent uses it", complaint)

    def test_an_agent_that_was_started_by_hand_is_ended_with_its_files(self):
        if os.geteuid() != 0:
            self.skipTest("an installation that is not below --rootfs takes root")
        state, programs = self.directory / "state", self.directory / "bin"
        programs.mkdir()
        shutil.copy(AGENT, programs / "tenken-agent")
        token = self.server.admin("token", "create", "--account", ACCOUNT).strip()
        environment = support.environment(SOURCE_DATE_EPOCH=None)
        place = ["--state", state, "--rootfs", self.root]
        subprocess.run(
            [AGENT, "enrol", "--server", self.server.url, "--ca", self.server.ca_file,
             "--token", token, *place],
            check=True, capture_output=True, env=environment,
        )  # fmt: skip
        running = subprocess.Popen(
            [programs / "tenken-agent", "run", *place],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        status = state / "status"
        server.wait_for(
            lambda: status.exists() and "contact=2" in status.read_text(), what="the first contact"
        )
        done = subprocess.run(
            ["sh", self.script, "--uninstall", "--init", "none", "--bin", programs, "--state", state],
            capture_output=True, text=True, check=False, env=environment, timeout=60,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(running.wait(10), 0)
        self.assertFalse(state.exists())

    def test_who_locks_a_file_of_the_same_number_elsewhere_is_left_alone(self):
        if os.geteuid() != 0:
            self.skipTest("mounting takes root")
        script = f"""
            set -e
            mkdir here there
            mount -t tmpfs here here && mount -t tmpfs there there
            for place in here there; do mkdir $place/state && : >$place/state/lock; done
            [ "$(stat -c %i here/state/lock)" = "$(stat -c %i there/state/lock)" ]
            flock there/state/lock sleep 60 & stranger=$!
            until grep -q " $stranger " /proc/locks; do sleep 0.1; done
            sh {self.script} --uninstall --init none --bin "$PWD/bin" --state "$PWD/here/state"
            kill -0 $stranger && kill $stranger
            # Also who locks the state itself, and is no agent.
            mkdir here/own && : >here/own/lock
            flock here/own/lock sleep 60 & stranger=$!
            until grep -q " $stranger " /proc/locks; do sleep 0.1; done
            ! sh {self.script} --uninstall --init none --bin "$PWD/bin" --state "$PWD/here/own" || exit 1
            kill -0 $stranger && kill $stranger
            [ -e here/own/lock ]
            # Whoever took the lock for him has ended.
            mkdir here/left && : >here/left/lock
            bash -c 'exec 9>>here/left/lock && flock 9 && : >here/locked && exec sleep 60' & stranger=$!
            until [ -e here/locked ]; do sleep 0.1; done
            ! sh {self.script} --uninstall --init none --bin "$PWD/bin" --state "$PWD/here/left" || exit 1
            kill -0 $stranger && kill $stranger
            [ -e here/left/lock ]
        """
        done = subprocess.run(
            ["unshare", "--mount", "bash", "-c", script],
            cwd=self.directory, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("holds", done.stderr)
        self.assertIn("is no tenken-agent: end it first", done.stderr)

    def reinstall(self, init, prepare, then=None, check="true"):
        """On this machine, whose /etc and /run are copies: installed, again over the agent that
        runs (`then`: by another init), and with a token that is none. Each time it works, with this
        certificate or that."""
        if os.geteuid() != 0 or not shutil.which("unshare"):
            self.skipTest("namespaces take root")
        tokens = [self.server.admin("token", "create", "--account", ACCOUNT).strip() for _ in range(2)]
        authority = hashlib.sha256(pathlib.Path(self.server.ca_file).read_bytes()).hexdigest()
        place, state = self.directory / "etc", self.directory / "state"
        place.mkdir()
        story = self.directory / "story"
        story.write_text(f"""set -eu
            mount -t tmpfs tmpfs {place}
            cp -a /etc/. {place}
            mount --bind {place} /etc
            mount -t tmpfs tmpfs /run
            {prepare}
            install() {{
              rm -f {state}/status
              printf '%s\\n' "$1" | sh {self.script} --server {self.server.url} --init $2 \\
                --ca-sha256 {authority} --bin {self.directory}/bin --state {state}
            }}
            works() {{
              until grep -q '^contact=.*Z' {state}/status; do sleep 0.1; done 2>/dev/null
              echo "works $(cksum <{state}/agent.pem)"
            }}
            install {tokens[0]} {init}
            works
            install {tokens[1]} {then or init}
            works
            ! install {"A" * 43} {then or init}
            works
            {check}
            """)
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no namespaces can be made here")
        done = subprocess.run(
            [*words, "sh", story], capture_output=True, text=True, check=False, timeout=180,
            env=support.environment(
                SOURCE_DATE_EPOCH=None, PATH=f"{self.directory}:/usr/sbin:/usr/bin:/sbin:/bin"),
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done)
        first, second, third = [
            line.split()[1] for line in done.stdout.splitlines() if line.startswith("works ")
        ]
        self.assertNotEqual(first, second)
        self.assertEqual(second, third)
        self.assertIn("could not be enrolled: the agent goes on as before", done.stderr)

    def test_again_with_systemd(self):
        program = self.directory / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.reinstall("systemd", "mkdir -p /run/systemd/system")

    def test_the_init_script_that_follows_a_unit_is_in_the_runlevels(self):
        if not shutil.which("update-rc.d", path="/usr/sbin:/sbin"):
            self.skipTest("update-rc.d is needed")
        program = self.directory / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.reinstall(
            "systemd", "mkdir -p /run/systemd/system", then="sysv",
            check="ls /etc/rc[2-5].d/S*tenken-agent && ! ls /etc/systemd/system/tenken-agent.service",
        )  # fmt: skip

    def test_again_with_sysv_init(self):
        if not shutil.which("update-rc.d", path="/usr/sbin:/sbin"):
            self.skipTest("update-rc.d is needed")
        self.reinstall("sysv", "")

    # Machines that make it hard.

    def test_the_program_is_tried_where_it_will_lie(self):
        # As where /tmp is mounted noexec.
        place = self.root / "usr/local/bin"
        (self.releases / f"tenken-agent-{os.uname().machine}").write_text(
            f'#!/bin/sh\ncase $0 in {place}/*) ;; *) exit 126 ;; esac\n'
            f'[ "$1" = --version ] || echo >{self.root}/var/lib/tenken-agent/agent.conf\n'
        )
        done = self.install("--init", "none")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([file.name for file in place.iterdir()], ["tenken-agent"])
        (self.releases / f"tenken-agent-{os.uname().machine}").write_text("#!/bin/sh\nexit 1\n")
        done = self.install("--init", "none")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"does not run on this host, in {place}", done.stderr)
        self.assertEqual([file.name for file in place.iterdir()], ["tenken-agent"])

    def test_roots_table_is_whole_on_a_full_disk(self):
        table = self.root / "etc/crontabs/root"
        table.parent.mkdir()
        line = "*/4 * * * * exec /usr/local/bin/tenken-agent run --once --state /x\n"
        text = "0 3 * * * other\n" * 1000 + line
        table.write_text(text)
        table.chmod(0o600)

        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        for words in (["--remove-service"], ["--add-service", "--init", "cron"]):
            done = self.installer(*words, preexec_fn=small_disk, restore_signals=False)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("could not be written; it is as it was", done.stderr)
            self.assertEqual(table.read_text(), text)
            self.assertEqual([file.name for file in table.parent.iterdir()], ["root"])
        # A table without other lines is empty afterwards; one without the agent's is not touched.
        table.write_text(line)
        self.assertEqual(self.installer("--remove-service").returncode, 0)
        self.assertEqual(table.read_text(), "")
        self.assertEqual(table.stat().st_mode & 0o777, 0o600)
        before = table.stat()
        self.assertEqual(self.installer("--remove-service").returncode, 0)
        self.assertEqual(table.stat(), before)

    def test_a_wget_that_says_nothing_is_explained(self):
        folder = self.directory / "programs"
        folder.mkdir()
        for name in ("sh", "rm", "mktemp", "uname", "printf", "cat"):
            (folder / name).symlink_to(shutil.which(name))
        (folder / "wget").write_text("#!/bin/sh\nexit 4\n")
        (folder / "wget").chmod(0o755)
        words = ["--server", self.server.url, "--init", "none", "--token", "x"]
        for trust, missing in (
            (["--ca-sha256", "0" * 64], "/agent/ca.pem could not be fetched"),
            (["--ca", self.server.ca_file], f"has no program for {os.uname().machine}"),
        ):
            done = self.installer(*words, *trust, env=support.environment(PATH=str(folder)))
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(missing, done.stderr)

    def test_it_says_what_it_takes(self):
        done = self.installer("--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--release-key KEY", done.stdout)

    def test_what_cannot_be_is_told(self):
        for words, why in (
            (["--init", "upstart"], "systemd, sysv, cron or none is needed"),
            (["--print", "poem"], "unit, init or cron is needed"),
            (["--dance"], "no such option"),
        ):
            done = self.installer("--add-service", *words)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(why, done.stderr)

    def test_what_cron_runs_reports_once_and_ends(self):
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").write_text(support.DEMO_STATUS)
        self.assertEqual(self.install("--init", "none").returncode, 0)
        words = [AGENT, "run", "--once", "--state", self.root / "var/lib/tenken-agent", "--rootfs", self.root]

        def once():
            return subprocess.run(
                words, capture_output=True, text=True, check=False, timeout=30,
                env=support.environment(SOURCE_DATE_EPOCH=None),
            )  # fmt: skip

        done = once()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("report 1: 2 packages", done.stderr)
        agents = self.server.admin("agent", "list", "--account", ACCOUNT)
        self.assertEqual(len(agents.splitlines()), 1)
        self.assertNotIn("never", agents)
        # Nothing has changed; what waits is done.
        self.assertNotIn("report", once().stderr)
        self.server.admin("agent", "collect", agents.split("\t")[0], "--account", ACCOUNT)
        self.assertIn("report 2", once().stderr)
        self.server.kill()
        done = once()
        self.assertEqual(done.returncode, support.SERVER)
        self.assertIn("connecting", done.stderr)


if __name__ == "__main__":
    support.main()
