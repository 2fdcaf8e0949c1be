"""tenken scan on small targets of our own: exit codes, formats, filters, hostile text, full disks."""
import csv
import io
import json
import os
import pty
import subprocess
import unittest

import support
from support import DATABASE, FINDINGS, INCOMPLETE, OK, TARGET, USAGE

try:
    import jsonschema
except ImportError:
    jsonschema = None

FORMATS = ("csv", "cyclonedx-vex", "json", "sarif", "table")
CRITICAL_CVE, MEDIUM_CVE = "CVE-2024-90004", "CVE-2024-90005"
UNRATED = ["CVE-2024-90001", "CVE-2024-90002", "CVE-2024-90003"]

module = None


def setUpModule():
    global module
    module = support.ModuleDirectory()
    unittest.addModuleCleanup(module.remove)
    path = module.path
    module.database = support.build(path / "small.db", support.write_feed(path / "feed"))
    module.root = support.write_root(path / "root", support.DEMO_STATUS)
    module.sbom = support.write(
        path / "bom.json", support.cyclonedx("pkg:pypi/demo-package@1.0", "pkg:pypi/harmless@1.0")
    )
    module.undecided = support.write(
        path / "undecided.json", support.cyclonedx("pkg:pypi/demo-package@1.0", "pkg:npm/left@1.0")
    )


class ScanCase(support.TestCase):
    def scan(self, code, *words, **named):
        target = [] if {"--rootfs", "--sbom"} & set(words) else ["--rootfs", module.root]
        return self.run_tenken(code, "scan", *target, "--db", module.database, *words, **named)

    def scan_json(self, *words, code=OK, **named):
        return self.scan(code, *words, "--format", "json", **named).json()

    def ids(self, *words, **named):
        return [finding["id"] for finding in self.scan_json(*words, **named)["findings"]]


class ExitCodes(ScanCase):
    def test_findings_alone_do_not_change_the_code(self):
        self.assertIn(UNRATED[0], self.scan(OK).out)

    def test_findings_at_the_threshold_end_with_1(self):
        sbom = ("--sbom", module.sbom)
        for threshold in ("critical", "high", "medium", "low", "none", "any"):
            with self.subTest(threshold=threshold):
                self.scan(FINDINGS, *sbom, "--fail-on", threshold)

    def test_findings_below_the_threshold_end_with_0(self):
        record = support.cyclonedx("pkg:pypi/demo-package@2.0")  # the critical one is fixed there
        sbom = support.write(self.directory / "bom.json", record)
        self.scan(FINDINGS, "--sbom", sbom, "--fail-on", "medium")
        self.scan(OK, "--sbom", sbom, "--fail-on", "high")

    def test_findings_without_a_severity_fail_on_any_only(self):
        self.scan(FINDINGS, "--fail-on", "any")
        self.scan(OK, "--fail-on", "none")

    def test_undecided_ends_with_4_under_strict_only(self):
        sbom = ("--sbom", module.undecided)
        self.scan(OK, *sbom)
        self.scan(INCOMPLETE, *sbom, "--strict")
        self.scan(OK, "--strict")

    def test_findings_outrank_undecided(self):
        self.scan(FINDINGS, "--sbom", module.undecided, "--strict", "--fail-on", "high")

    def test_a_target_that_cannot_be_scanned_ends_with_3(self):
        empty = self.directory / "empty"
        empty.mkdir()
        file = support.write(self.directory / "file", "no directory")
        text = support.write(self.directory / "text.json", "no JSON")
        other = support.write(self.directory / "other.json", {"some": "JSON"})
        cases = [("--rootfs", empty), ("--rootfs", file), ("--rootfs", self.directory / "missing")]
        cases += [("--sbom", text), ("--sbom", other), ("--sbom", self.directory / "missing.json")]
        cases += [("--sbom", empty)]
        for option, target in cases:
            with self.subTest(target=target):
                answer = self.scan(TARGET, option, target, "--strict", "--fail-on", "any")
                self.assertIn(target.name, answer.err)
                self.assertEqual(answer.out, "")

    def test_a_target_that_may_not_be_read_ends_with_3(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        root = support.write_root(self.directory / "root", support.DEMO_STATUS)
        status = root / "var/lib/dpkg/status"
        status.chmod(0)
        answer = self.scan(TARGET, "--rootfs", root)
        self.assertIn("var/lib/dpkg/status", answer.err)

    def test_wrong_words_end_with_2(self):
        both = ("--sbom", module.sbom)
        cases = [
            ("--format", "xml"),
            ("--severity", "loud"),
            ("--fail-on", "loud"),
            ("--lang", "xx"),
            ("--color", "red"),
            ("--nonsense",),
            ("extra",),
            ("--max-age", "soon"),
            ("--ignore-file", self.directory / "missing.yaml"),
            ("--vex", self.directory / "missing.json"),
            both,
        ]
        for words in cases:
            with self.subTest(words=words):
                answer = self.run_tenken(
                    USAGE, "scan", "--rootfs", module.root, "--db", module.database, *words
                )
                self.assertEqual(answer.out, "")
                self.assertTrue(answer.err)
        self.run_tenken(USAGE)
        self.run_tenken(USAGE, "nonsense")

    def test_no_database_outranks_findings_and_strict(self):
        answer = self.run_tenken(
            DATABASE,
            *("scan", "--rootfs", module.root, "--db", self.directory / "missing.db"),
            *("--strict", "--fail-on", "any"),
        )
        self.expect_mending_command(answer)


class Formats(ScanCase):
    def test_json_follows_its_schema(self):
        if jsonschema is None:
            self.skipTest("no Python package jsonschema")
        schema = json.loads((support.SOURCE / "docs/scan-result.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        ignore = support.write(
            self.directory / "ignore.yaml", "- id: %s\n  reason: none here\n" % UNRATED[0]
        )
        targets = [(), ("--sbom", module.sbom), ("--sbom", module.undecided)]
        targets += [("--ignore-file", ignore), ("--severity", "high", "--sbom", module.sbom)]
        for words in targets:
            for lang in ("en", "ja"):
                result = self.scan_json(*words, "--lang", lang)
                faults = [
                    "%s: %s" % ("/".join(map(str, fault.absolute_path)), fault.message)
                    for fault in validator.iter_errors(result)
                ]
                self.assertEqual(faults, [], words)

    def test_json_says_each_text_once(self):
        result = self.scan_json("--sbom", module.sbom)
        self.assertEqual(set(result["vulnerabilities"]), {CRITICAL_CVE, MEDIUM_CVE})
        self.assertEqual([f["id"] for f in result["findings"]], [CRITICAL_CVE, MEDIUM_CVE])
        first = result["findings"][0]
        self.assertEqual(first["aliases"], ["GHSA-aaaa-bbbb-cccc"])
        self.assertEqual(first["severity"], "critical")
        self.assertEqual(first["fixed_version"], "2.0")
        self.assertIsNone(result["findings"][1]["fixed_version"])
        self.assertEqual(result["packages"], 2)

    def test_a_record_about_two_vulnerabilities_gives_two_findings(self):
        result = self.scan_json()
        self.assertEqual([f["id"] for f in result["findings"]], UNRATED)
        self.assertEqual(result["findings"][0]["advisories"], ["DSA-9001-1"])
        self.assertEqual(result["findings"][1]["advisories"], ["DSA-9001-1"])
        self.assertEqual(result["findings"][0]["package"]["name"], "libdemo1")
        self.assertEqual(result["findings"][0]["package"]["source"], "libdemo")
        self.assertEqual(result["findings"][0]["evidence"][0]["compared"], "1.2-3 < 1.2-3+deb11u1")

    def test_csv_has_a_line_for_every_finding(self):
        text = self.scan(OK, "--format", "csv").raw.decode()
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        self.assertEqual([row["id"] for row in rows], UNRATED)
        self.assertEqual({row["package"] for row in rows}, {"libdemo1"})
        self.assertEqual(rows[0]["fixed_version"], "1.2-3+deb11u1")
        self.assertEqual(text.count("\r\n"), 4)

    def test_sarif_has_what_a_reader_needs(self):
        log = self.scan(OK, "--sbom", module.undecided, "--format", "sarif").json()
        self.assertEqual(log["version"], "2.1.0")
        self.assertIn("sarif-schema-2.1.0", log["$schema"])
        (run,) = log["runs"]
        self.assertEqual(run["tool"]["driver"]["name"], "tenken")
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        self.assertEqual(sorted(rules), [CRITICAL_CVE, MEDIUM_CVE])
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]], result["ruleId"])
            self.assertTrue(result["message"]["text"])
            self.assertIn(result["level"], ("error", "warning", "note"))
            self.assertTrue(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        said = json.dumps(run["invocations"])
        self.assertIn("npm", said, "what could not be decided")

    def test_cyclonedx_vex_refers_to_its_components(self):
        bom = self.scan(OK, "--sbom", module.sbom, "--format", "cyclonedx-vex").json()
        self.assertEqual((bom["bomFormat"], bom["specVersion"]), ("CycloneDX", "1.6"))
        components = {component["bom-ref"] for component in bom["components"]}
        self.assertEqual(len(bom["vulnerabilities"]), 2)
        for one in bom["vulnerabilities"]:
            self.assertLessEqual({affected["ref"] for affected in one["affects"]}, components)
            self.assertEqual(one["analysis"]["state"], "in_triage", "matched, not analysed")

    def test_two_runs_write_the_same_bytes(self):
        for name in FORMATS:
            with self.subTest(format=name):
                first = self.scan(OK, "--sbom", module.undecided, "--format", name)
                second = self.scan(OK, "--sbom", module.undecided, "--format", name)
                self.assertEqual(first.raw, second.raw)
                self.assertTrue(first.raw)

    def test_output_goes_to_a_file_as_a_whole(self):
        for name in FORMATS:
            with self.subTest(format=name):
                file = support.write(self.directory / name, "what was there")
                answer = self.scan(OK, "--format", name, "--output", file)
                self.assertEqual(answer.out, "")
                self.assertEqual(file.read_bytes(), self.scan(OK, "--format", name).raw)
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), sorted(FORMATS))

    def test_output_to_a_pipe_or_device_leaves_it_what_it_is(self):
        pipe = self.directory / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.scan(OK, "--format", "csv", "--output", pipe)
        self.assertTrue(pipe.is_fifo())
        self.assertEqual(os.read(reader, 65536), self.scan(OK, "--format", "csv").raw)

    def test_the_table_names_packages_findings_and_what_is_undecided(self):
        answer = self.scan(OK, "--sbom", module.undecided).out
        for text in ("demo-package 1.0", CRITICAL_CVE, "critical", "2.0", "no fix", "Not decided", "npm"):
            self.assertIn(text, answer)
        self.assertNotIn("Not decided", self.scan(OK).out)

    def test_an_empty_result_is_no_all_clear_where_something_is_undecided(self):
        root = support.write_root(self.directory / "root", support.DEMO_STATUS, "12", "bookworm")
        result = self.scan_json("--rootfs", root)
        self.assertEqual(result["findings"], [])
        (unknown,) = result["unknown"]
        self.assertEqual((unknown["kind"], unknown["subject"]), ("release", "Debian:12"))
        self.assertEqual(unknown["count"], 2)
        self.assertIn("Debian:12", self.scan(OK, "--rootfs", root).out)
        self.scan(INCOMPLETE, "--rootfs", root, "--strict")

    def test_an_sbom_comes_from_standard_input(self):
        result = self.scan_json("--sbom", "-", stdin=module.sbom.read_bytes())
        self.assertEqual([f["id"] for f in result["findings"]], [CRITICAL_CVE, MEDIUM_CVE])

    def test_the_database_comes_from_the_environment(self):
        answer = self.run_tenken(
            OK, "scan", "--rootfs", module.root, TENKEN_DB=str(module.database)
        )
        self.assertIn(UNRATED[0], answer.out)


class Undecided(ScanCase):
    """What cannot be matched stands in unknown[], never in silence."""

    def unknown(self, component):
        """Of an SBOM with this one component, beside one that is decided."""
        bom = support.cyclonedx("pkg:pypi/harmless@1.0")
        bom["components"].append({"type": "library", **component})
        sbom = support.write(self.directory / "bom.json", bom)
        result = self.scan_json("--sbom", sbom)
        self.assertEqual(result["packages"], 2)
        self.assertEqual(result["findings"], [])
        self.scan(INCOMPLETE, "--sbom", sbom, "--strict")
        (one,) = result["unknown"]
        self.assertTrue(one["reason"])
        self.assertEqual(one["count"], 1)
        return one

    def test_a_version_that_cannot_be_ordered(self):
        one = self.unknown({"name": "once", "version": "zzz", "purl": "pkg:pypi/once@zzz"})
        self.assertEqual(one["kind"], "version")
        self.assertIn("once", one["subject"])

    def test_a_version_that_is_missing(self):
        for component in (
            {"name": "once", "purl": "pkg:pypi/once"},
            {"name": "once", "version": "", "purl": "pkg:pypi/once"},
            {"name": "once", "version": "UNKNOWN", "purl": "pkg:pypi/once@UNKNOWN"},
        ):
            with self.subTest(component=component):
                self.assertEqual(self.unknown(component)["kind"], "version")

    def test_a_package_without_a_purl(self):
        self.assertIn("mystery", self.unknown({"name": "mystery", "version": "1.0"})["subject"])

    def test_an_ecosystem_of_which_the_database_holds_nothing(self):
        one = self.unknown({"name": "left", "version": "1.0.0", "purl": "pkg:npm/left@1.0.0"})
        self.assertEqual((one["kind"], one["subject"]), ("ecosystem", "npm"))

    def test_an_ecosystem_that_nobody_knows(self):
        one = self.unknown({"name": "x", "version": "1", "purl": "pkg:nowhere/x@1"})
        self.assertEqual(one["kind"], "ecosystem")

    def test_a_release_of_which_the_database_holds_nothing(self):
        purl = "pkg:deb/debian/libdemo1@1.2-3?distro=debian-13"
        one = self.unknown({"name": "libdemo1", "version": "1.2-3", "purl": purl})
        self.assertEqual((one["kind"], one["subject"]), ("release", "Debian:13"))

    def test_a_distribution_package_without_a_release(self):
        purl = "pkg:deb/debian/libdemo1@1.2-3"
        one = self.unknown({"name": "libdemo1", "version": "1.2-3", "purl": purl})
        self.assertEqual(one["kind"], "release")

    def test_a_stanza_that_cannot_be_read(self):
        broken = "Package: broken\nStatus: install ok installed\nArchitecture: amd64\n\n"
        root = support.write_root(self.directory / "root", support.DEMO_STATUS + broken)
        result = self.scan_json("--rootfs", root)
        self.assertEqual(len(result["findings"]), 3)
        self.assertEqual(len(result["skips"]), 1)
        self.assertIn("broken", json.dumps(result["unknown"]))
        self.scan(INCOMPLETE, "--rootfs", root, "--strict")

    def test_this_host_is_a_target(self):
        answer = support.tenken("scan", "--db", module.database, "--format", "json")
        self.assertIn(answer.code, (OK, TARGET), answer)
        if answer.code == OK:
            self.assertEqual(answer.json()["target"]["kind"], "host")


class Language(ScanCase):
    def test_japanese_by_option_and_by_environment(self):
        english = self.scan(OK, "--lang", "en").out
        option = self.scan(OK, "--lang", "ja").out
        by_environment = self.scan(OK, LC_ALL=None, LANG="ja_JP.UTF-8").out
        self.assertEqual(option, by_environment)
        self.assertIn("データベース", option)
        self.assertIn("修正なし", option)
        self.assertNotIn("データベース", english)
        self.assertEqual(english, self.scan(OK, LC_ALL="de_DE.UTF-8").out)

    def test_names_and_values_of_fields_are_the_same_in_every_language(self):
        def shape(value):
            if isinstance(value, dict):
                return {key: shape(inner) for key, inner in value.items()}
            return [shape(inner) for inner in value] if isinstance(value, list) else None

        english = self.scan_json("--sbom", module.undecided, "--lang", "en")
        japanese = self.scan_json("--sbom", module.undecided, "--lang", "ja")
        self.assertEqual(shape(english), shape(japanese))
        self.assertNotEqual(english["unknown"], japanese["unknown"])


class Filters(ScanCase):
    def test_severity_is_a_minimum_and_unknown_is_always_shown(self):
        sbom = ("--sbom", module.sbom)
        self.assertEqual(self.ids(*sbom, "--severity", "medium"), [CRITICAL_CVE, MEDIUM_CVE])
        self.assertEqual(self.ids(*sbom, "--severity", "high"), [CRITICAL_CVE])
        self.assertEqual(self.scan_json(*sbom, "--severity", "high")["hidden"], 1)
        self.assertEqual(self.ids("--severity", "critical"), UNRATED)

    def test_fixed_only_shows_what_has_a_fix(self):
        self.assertEqual(self.ids("--fixed-only"), UNRATED[:2])
        self.assertEqual(self.scan_json("--fixed-only")["hidden"], 1)

    def test_an_ignore_rule_takes_findings_out_and_says_so(self):
        rules = support.write(
            self.directory / "ignore.yaml",
            "ignore:\n  - id: GHSA-aaaa-bbbb-cccc\n    package: demo*\n    reason: not reachable\n"
            "    expires: 2999-01-01\n",
        )
        words = ("--sbom", module.sbom, "--ignore-file", rules)
        result = self.scan_json(*words)
        self.assertEqual([f["id"] for f in result["findings"]], [MEDIUM_CVE])
        self.assertEqual([f["id"] for f in result["ignored"]], [CRITICAL_CVE])
        self.assertEqual(result["warnings"], [])
        self.scan(OK, *words, "--fail-on", "high")
        self.assertIn("not reachable", json.dumps(result["ignored"]))

    def test_an_expired_rule_does_not_apply_and_warns(self):
        rules = support.write(
            self.directory / "ignore.yaml",
            "- id: %s\n  reason: for now\n  expires: 2001-01-01\n" % CRITICAL_CVE,
        )
        words = ("--sbom", module.sbom, "--ignore-file", rules)
        result = self.scan_json(*words)
        self.assertEqual([f["id"] for f in result["findings"]], [CRITICAL_CVE, MEDIUM_CVE])
        self.assertIn("ignore.yaml", " ".join(result["warnings"]))
        self.assertIn("ignore.yaml", self.scan(OK, *words).out)
        self.assertIn("ignore.yaml", self.scan(OK, *words, "--format", "csv").err)

    def test_a_rule_that_names_nothing_warns(self):
        rules = support.write(
            self.directory / "ignore.yaml", "- id: CVE-1999-0001\n  reason: never seen\n"
        )
        result = self.scan_json("--ignore-file", rules)
        self.assertIn("CVE-1999-0001", " ".join(result["warnings"]))

    def test_broken_rules_end_with_2_and_the_line(self):
        for text in ("- id: [\n", "- id: CVE-2024-90001\n", "- id: CVE-2024-90001\n  raeson: x\n"):
            rules = support.write(self.directory / "ignore.yaml", text)
            with self.subTest(text=text):
                answer = self.scan(USAGE, "--ignore-file", rules, "--fail-on", "any")
                self.assertRegex(answer.err, r"ignore\.yaml: line \d")

    def vex(self, status, **members):
        statement = {
            "vulnerability": {"name": CRITICAL_CVE},
            "products": [{"@id": "pkg:pypi/demo-package"}],
            "status": status,
            **members,
        }
        return support.write(
            self.directory / "vex.json",
            {
                "@context": "https://openvex.dev/ns/v0.2.0",
                "@id": "https://example.org/vex-1",
                "author": "the test",
                "timestamp": "2024-01-01T00:00:00Z",
                "version": 1,
                "statements": [statement],
            },
        )

    def test_a_vex_statement_takes_a_finding_out(self):
        vex = self.vex("not_affected", justification="vulnerable_code_not_present")
        result = self.scan_json("--sbom", module.sbom, "--vex", vex)
        self.assertEqual([f["id"] for f in result["findings"]], [MEDIUM_CVE])
        self.assertEqual([f["id"] for f in result["ignored"]], [CRITICAL_CVE])

    def test_a_vex_statement_that_affirms_changes_nothing(self):
        vex = self.vex("affected", action_statement="update")
        self.assertEqual(
            self.ids("--sbom", module.sbom, "--vex", vex), [CRITICAL_CVE, MEDIUM_CVE]
        )

    def test_a_file_that_is_no_vex_ends_with_2(self):
        for content in ({"no": "vex"}, "no JSON"):
            vex = support.write(self.directory / "vex.json", content)
            answer = self.scan(USAGE, "--vex", vex)
            self.assertIn("vex.json", answer.err)

    def test_what_the_program_says_as_vex_it_takes_as_vex(self):
        bom = self.scan(OK, "--sbom", module.sbom, "--format", "cyclonedx-vex").raw
        vex = support.write(self.directory / "own.json", bom)
        self.assertEqual(
            self.ids("--sbom", module.sbom, "--vex", vex), [CRITICAL_CVE, MEDIUM_CVE]
        )

    def test_an_old_database_is_said(self):
        later = str(support.NOW + 30 * 86400)
        old = self.scan_json(SOURCE_DATE_EPOCH=later)
        self.assertIn("tenken db update", " ".join(old["warnings"]))
        self.assertEqual(self.scan_json("--max-age", "40", SOURCE_DATE_EPOCH=later)["warnings"], [])
        self.assertEqual(self.scan_json()["warnings"], [])


class Terminal(ScanCase):
    HOSTILE = "evil\x1b[2J\x1b]0;owned\x07\x9b31m\u202elive"

    def hostile_root(self):
        status = support.stanza(self.HOSTILE, "1.0\x1b[31m", "libdemo (1.0)")
        status += support.stanza("libdemo1", "1.2-3\x1b]8;;x\x07", "libdemo")
        return support.write_root(self.directory / "root", status + support.DEMO_STATUS)

    def expect_harmless(self, answer):
        # In JSON everything but a control character of ASCII may stand as it is.
        raw = ("\x1b", "\x07") if answer.out.startswith("{") else ("\x1b", "\x07", "\x9b", "\u202e")
        for text in (answer.out, answer.err):
            for one in raw:
                self.assertNotIn(one, text)

    def on_terminal(self, *words, **variables):
        """What the program writes where standard output is a terminal."""
        main, terminal = pty.openpty()
        command = [support.TENKEN, *map(str, words)]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
            env=support.environment(TERM="xterm", **variables),
        ) as process:
            os.close(terminal)
            seen = b""
            while True:
                try:
                    piece = os.read(main, 65536)
                except OSError:  # the other side is closed
                    break
                if not piece:
                    break
                seen += piece
            self.assertEqual(process.wait(60), OK, seen)
        os.close(main)
        return seen.decode(errors="replace")

    def test_colours_on_a_terminal_only(self):
        words = ("scan", "--sbom", module.sbom, "--db", module.database)
        self.assertIn("\x1b[", self.on_terminal(*words))
        self.assertNotIn("\x1b", self.on_terminal(*words, NO_COLOR="1"))
        self.assertNotIn("\x1b", self.on_terminal(*words, "--color", "never"))
        self.assertNotIn("\x1b", self.scan(OK, "--sbom", module.sbom).out)
        self.assertIn("\x1b[", self.scan(OK, "--sbom", module.sbom, "--color", "always").out)

    def test_hostile_text_never_reaches_the_terminal_raw(self):
        root = self.hostile_root()
        commands = [("scan", "--rootfs", root, "--db", module.database, "--format", name) for name in FORMATS]
        commands.append(("scan", "--rootfs", root, "--db", module.database, "--lang", "ja"))
        commands.append(("explain", "CVE-2024-90001", "--rootfs", root, "--db", module.database))
        commands.append(("sbom", "--rootfs", root))
        commands.append(("sbom", "--rootfs", root, "--format", "spdx"))
        commands.append(("query", "--ecosystem", self.HOSTILE, self.HOSTILE, self.HOSTILE, "--db", module.database))
        commands.append(("db", "show", self.HOSTILE, "--db", module.database))
        commands.append(("version", "compare", "Debian", self.HOSTILE, "1"))
        commands.append(("version", "compare", self.HOSTILE, "1", "1"))
        commands.append(("cvss", self.HOSTILE))
        commands.append(("scan", "--rootfs", self.HOSTILE, "--db", module.database))
        commands.append(("scan", "--rootfs", root, "--db", self.HOSTILE + ".db"))
        for words in commands:
            with self.subTest(words=words):
                self.expect_harmless(support.tenken(*words))

    def test_hostile_words_of_advisories_are_harmless(self):
        feed = support.write(
            self.directory / "feed" / "a.json",
            support.advisory(
                "GHSA-2222-3333-4444", "npm", "x", [{"introduced": "0"}],
                summary=self.HOSTILE, details=self.HOSTILE * 3,
                references=[{"type": "WEB", "url": "https://example.org/\x1b[2J"}],
            ),
        ).parent
        database = support.build(self.directory / "x.db", feed)
        sbom = support.write(self.directory / "bom.json", support.cyclonedx("pkg:npm/x@1.0.0"))
        for words in [
            *(("scan", "--sbom", sbom, "--format", name) for name in FORMATS),
            ("db", "show", "GHSA-2222-3333-4444"),
            ("db", "status"),
            ("query", "pkg:npm/x@1.0.0"),
            ("scan", "--sbom", sbom, "--lang", "ja"),
            ("explain", "GHSA-2222-3333-4444", "--sbom", sbom),
        ]:
            with self.subTest(words=words):
                answer = support.tenken(*words, "--db", database)
                self.assertEqual(answer.code, OK, answer)
                self.expect_harmless(answer)


class FullDisk(ScanCase):
    """What could not be written is an error of every command, not silence."""

    def commands(self):
        database, root = ("--db", module.database), ("--rootfs", module.root)
        for name in FORMATS:
            yield ("scan", *root, *database, "--format", name, "--fail-on", "any", "--strict")
        yield ("explain", UNRATED[0], *root, *database)
        yield ("query", "pkg:pypi/demo-package@1.0", *database)
        yield ("query", "--batch", *database)
        yield ("sbom", *root)
        for words in (("status",), ("status", "--json"), ("show", CRITICAL_CVE), ("verify",)):
            yield ("db", *words, *database)
        yield ("version", "compare", "Debian", "1", "2")
        yield ("version", "compare", "--batch")
        yield ("cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
        yield ("completion", "bash")
        yield ("--help",)
        yield ("--version",)

    def test_every_command_says_so(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for words in self.commands():
            with self.subTest(words=words), open("/dev/full", "wb") as full:
                answer = self.run_tenken(USAGE, *words, stdout=full, stdin=b"Debian\t1\t2\n")
                self.assertIn("standard output: cannot be written", answer.err)

    def test_an_output_file_that_cannot_be_written_is_an_error(self):
        place = self.directory / "no" / "such" / "file"
        for words in (("scan", "--db", module.database), ("sbom",)):
            answer = self.run_tenken(USAGE, *words, "--rootfs", module.root, "--output", place)
            self.assertIn(str(place), answer.err)

    def test_a_closed_pipe_ends_the_program_without_success(self):
        reader, writer = os.pipe()
        os.close(reader)
        command = [support.TENKEN, "scan", "--rootfs", module.root, "--db", module.database]
        process = subprocess.run(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=writer,
            stderr=subprocess.PIPE, env=support.environment(), check=False, timeout=60,
        )
        os.close(writer)
        self.assertNotEqual(process.returncode, OK)


if __name__ == "__main__":
    support.main()
