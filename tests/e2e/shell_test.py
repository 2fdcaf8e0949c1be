"""Help of every command and completion scripts, as shells read them."""
import re
import shutil
import subprocess
import unittest

import support
from support import OK, USAGE

COMMANDS = {
    (): ("scan", "explain", "query", "sbom", "db", "version", "cvss", "completion"),
    ("scan",): (
        "--rootfs", "--sbom", "--db", "--format", "--output", "--color", "--severity",
        "--fixed-only", "--fail-on", "--strict", "--ignore-file", "--vex", "--max-age", "--lang",
    ),
    ("explain",): ("ID", "--package", "--rootfs", "--sbom", "--db", "--lang"),
    ("query",): ("--ecosystem", "--batch", "--db", "--lang"),
    ("sbom",): ("--rootfs", "--sbom", "--format", "--output"),
    ("db",): ("build", "update", "status", "show", "diff", "verify"),
    ("db", "build"): ("--from", "--out", "--verbose"),
    ("db", "update"): ("--db", "--feed", "--ecosystem", "--mirror"),
    ("db", "status"): ("--db", "--json"),
    ("db", "show"): ("ID", "--db"),
    ("db", "diff"): ("A", "B"),
    ("db", "verify"): ("FILE", "--db"),
    ("version",): ("compare",),
    ("version", "compare"): ("--batch",),
    ("cvss",): ("VECTOR", "--batch"),
    ("completion",): ("SHELL", "bash", "zsh", "fish"),
}


class Help(support.TestCase):
    def test_every_command_tells_its_options(self):
        for command, words in COMMANDS.items():
            with self.subTest(command=command):
                answer = self.run_tenken(OK, *command, "--help")
                self.assertEqual(answer.err, "")
                for word in words:
                    self.assertRegex(answer.out, r"(?m)^\s*(-\w,)?\s*%s\b" % re.escape(word)
                                     if word.startswith("--") else r"\b%s\b" % word)

    def test_no_option_is_without_words(self):
        for command in COMMANDS:
            for line in self.run_tenken(OK, *command, "--help").out.splitlines():
                if re.match(r"\s+(-\w,)?--\w+\S*$", line):
                    self.fail("%s: no words about %s" % (command, line))

    def test_help_names_the_exit_codes(self):
        for command in ((), ("scan",)):
            text = self.run_tenken(OK, *command, "--help").out
            self.assertIn("Exit codes", text)

    def test_version(self):
        self.assertRegex(self.run_tenken(OK, "--version").out, r"^(tenken )?\d+\.\d+\.\d+\S*\n$")


class Usage(support.TestCase):
    """An unset variable, a word too many, a number that is none: told, not guessed at."""

    def refused(self, said, *words):
        with self.subTest(words=words):
            answer = self.run_tenken(USAGE, *words)
            self.assertEqual(answer.out, "")
            self.assertIn(said, answer.err)

    def test_an_empty_value_is_not_the_default(self):
        for words in (("scan", "--rootfs", ""), ("scan", "--sbom", ""), ("scan", "--server", ""),
                      ("scan", "--db", ""), ("explain", "CVE-1", "--rootfs", ""),
                      ("sbom", "--rootfs", ""), ("db", "build", "--from", ".", "--out", "")):
            self.refused("%s: an empty value is given" % words[-2], *words)

    def test_what_would_do_nothing_is_refused(self):
        self.refused("WORDS excludes --batch", "query", "--batch", "/dev/null", "pkg:npm/a@1")
        self.refused("VECTOR excludes --batch", "cvss", "--batch", "/dev/null", "AV:N")
        for words in (("--severity", "high"), ("--fixed-only",), ("--ignore-file", "/dev/null"),
                      ("--vex", "/dev/null"), ("--max-age", "1")):
            self.refused("excludes --server", "scan", "--server", "https://127.0.0.1:1", *words)

    def test_an_age_is_a_number_of_days(self):
        for age in ("nan", "inf", "-1", "1e300", "1d"):
            self.refused("a number of days from 0 to 36500", "scan", "--max-age", age)

    def test_an_unknown_command_is_named(self):
        for group in ("tenken", "tenken db", "tenken admin", "tenken admin key"):
            said = 'no command "frob"; "%s --help" lists them' % group
            self.refused(said, *group.split()[1:], "frob")
        self.refused("A subcommand is required", "admin")
        self.refused("A subcommand is required", "admin", "--frob")


class Completion(support.TestCase):
    def script(self, shell):
        answer = self.run_tenken(OK, "completion", shell)
        return support.write(self.directory / ("tenken." + shell), answer.raw)

    def shell(self, name, *words):
        program = shutil.which(name)
        if program is None:
            self.skipTest("no %s" % name)
        process = subprocess.run(
            [program, *map(str, words)], capture_output=True, text=True, check=False, timeout=60,
            env=support.environment(HOME=str(self.directory)),
        )
        self.assertEqual((process.returncode, process.stderr), (0, ""), process.stdout)
        return process.stdout

    def complete_bash(self, *words):
        """What bash offers for the last word."""
        script = self.script("bash")
        line = 'source %s; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tenken; ' % script
        line += 'printf "%s\\n" "${COMPREPLY[@]}"'
        return self.shell("bash", "--norc", "-c", line, "bash", "tenken", *words).split()

    def test_bash_completes_commands_and_options(self):
        self.assertEqual(self.complete_bash("sc"), ["scan"])
        self.assertEqual(self.complete_bash("db", "st"), ["status"])
        self.assertEqual(self.complete_bash("scan", "--fix"), ["--fixed-only"])
        self.assertEqual(self.complete_bash("scan", "--strict", "--for"), ["--format"])
        self.assertLessEqual(set(COMMANDS[("db",)]), set(self.complete_bash("db", "")))
        self.assertIn("--mirror", self.complete_bash("db", "update", "--"))

    def test_bash_offers_every_command_and_option(self):
        for command, words in COMMANDS.items():
            offered = set(self.complete_bash(*command, "--"))
            expected = {word for word in words if word.startswith("--")}
            self.assertLessEqual(expected, offered, command)

    def test_bash_offers_files_after_an_option_that_names_one(self):
        file = support.write(self.directory / "some-file.json", "")
        self.assertEqual(self.complete_bash("scan", "--sbom", str(file)[:-4]), [str(file)])

    def test_zsh_reads_its_script(self):
        self.shell("zsh", "-n", self.script("zsh"))

    def test_zsh_defines_the_completion(self):
        script = self.script("zsh")
        line = "autoload -Uz compinit; compinit -u -D; source %s; print ${_comps[tenken]}" % script
        self.assertEqual(self.shell("zsh", "-f", "-c", line).strip(), "_tenken")

    def test_fish_reads_its_script(self):
        self.shell("fish", "--no-execute", self.script("fish"))

    def test_fish_completes_commands_and_options(self):
        script = self.script("fish")

        def complete(line):
            text = self.shell("fish", "-N", "-c", "source %s; complete -C '%s'" % (script, line))
            return [row.split("\t")[0] for row in text.splitlines()]

        self.assertEqual(complete("tenken sc"), ["scan"])
        self.assertIn("--fixed-only", complete("tenken scan --fi"))
        self.assertIn("update", complete("tenken db up"))

    def test_another_shell_is_usage(self):
        self.run_tenken(USAGE, "completion", "tcsh")
        self.run_tenken(USAGE, "completion")


if __name__ == "__main__":
    support.main()
