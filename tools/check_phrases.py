#!/usr/bin/env python3
"""Every English text that the sources say to people has a Japanese one.

Reads all text literals of src/ but those of tests. One that reads as English words, or that stands
where an error, a skip or an answer is made, must be a row of base/command_phrases.cpp,
base/reason_phrases.cpp or base/messages.cpp, unless it is listed here as no text for people. What
both texts of a row have in common is checked by base/phrases_test.cpp and base/messages_test.cpp,
what users see by tests/e2e/language_test.py.

Usage: check_phrases.py [SOURCE_DIR]
"""
import pathlib
import re
import sys

TABLES = ("base/command_phrases.cpp", "base/reason_phrases.cpp", "base/messages.cpp")

# What no command of the terminal says: the server and what it stands on answer in JSON.
SERVER = (
    "access/", "agent/", "api/", "aws/", "crypto/", "host/", "http/", "serve/", "sql/", "store/",
    "findings/criteria.cpp", "inventory/document.cpp", "inventory/members.h", "pipeline/evaluate.cpp", "pipeline/ingest.cpp",
    "pipeline/node_generations.cpp",
)

# Files of which no word is said.
SILENT = {
    "app/agent_main.cpp": "the agent speaks English alone: a second language is half its size",
    "app/completion.cpp": "scripts for shells; the descriptions in them are the command line's",
    "inventory/temp_root.h": "for tests",
    "report/finding_csv.cpp": "a machine's format",
    "report/formats/csv.cpp": "a machine's format",
    "version/reference_comparers.cpp": "for tests",
}

# Literals that are no texts for people, or are put together with others to one that is.
NOT_SAID = {
    # Words of formats and of other programs, names, SQL.
    "tenken: {}\\n", "tenken db update", "Tool: tenken", "<!doctype html", "bytes {}-",
    "%s:%d: check failed: %s\\n", "SELECT hnum, blob FROM Packages ORDER BY hnum",
    "tenken resource id", "key is known for",
    "stated as: {}", "found in: {}", "entries that could not be read: {}",
    "not yet assigned", "No subscription required",
    "invalid", "limit", "not_found", "denied", "conflict", "unavailable", "internal",
    "not_affected", "fixed", "under_investigation", "fix_deferred", "will_not_fix", "end_of_life",
    "not_running", "other", "error", "warning", "note", "host", "root", "sbom", "device",
    "platform", "application", "alpha", "beta", "milestone", "*final-", "edge",
    "Tumbleweed", "redhat", "opensuse", "/var/lib/tenken", "references", "affected[{}]",
    "SPDXRef-Package-{}", "{}#package-{}", "package-{}",
    # Lines for shells and programs.
    "export AWS_ACCESS_KEY_ID={}\\nexport AWS_SECRET_ACCESS_KEY={}\\n", "listening {}\\n",
    "curl -fsSkLO {}/agent/install && echo '{}  install' | sha256sum -c && sudo sh install{}{}",
    "retired by {}",  # in the history of findings
    # Titles and licences of feeds.
    "Alpine security database", "none stated by Alpine Linux",
    "Debian security advisories (DSA, DLA, DTSA)", "Debian's web site licence (MIT)",
    "Debian security tracker", "free to use with attribution to FIRST.org",
    "public domain (NIST); neither endorsed nor certified by the NVD",
    "OSV: Open Source Vulnerabilities, all ecosystems",
    "as each publisher's: CC-BY-4.0, CC0-1.0, MIT, Apache-2.0, Unlicense and others",
    # Names of distributions.
    "Linux Enterprise Server for SAP Applications", "Linux Enterprise Server for SAP Applications ",
    "alpine linux", "amazon linux", "debian gnu/linux", "oracle linux", "red hat",
    "red hat enterprise linux", "red hat enterprise linux server", "rocky linux",
    "suse linux enterprise server",
    # Parts of texts whose whole has a row.
    "corrupt ",  # "corrupt {}"
    "line {}{}{}",  # "line {}"
    "line {}: {}",  # "line {}"
    "standard output: cannot be written",  # both halves
    "SQLite: {}", "SQLite: out of memory",  # what follows
    "version \\\"",  # "version \"{}\""
    "rpmdb.sqlite, Packages.db, Packages (var/lib/rpm, usr/lib/sysimage/rpm, usr/share/rpm)",
    "?\\tthe line is not ecosystem, version, version between tabs",  # without "?\t"
    "introduced ", "last affected",  # "introduced {}, last affected {}"
    "{}, fixed {}", "{}, limit {}", "{}, last affected {}",  # the same
}

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|(?<!\w)'(?:[^'\\\n]|\\.)+'""", re.S
)
# A call or member that takes what is said to people.
SPEAKER = re.compile(
    r"(?:\b(?:invalid|limit_exceeded|not_found|unavailable|fault|bad|fail|skip|not_read|said|tell"
    r"|complain|within)\(|\breason = |\bfault = |\breturn )(?:fmt::format\()?\s*$"
)
SENTENCE = re.compile(r"(?:^|[\s(',;:])[a-z]{2,}(?:[\s.,;:)']|$)")


def literals(text):
    """(line, the code before it, the text) of every literal; adjacent ones are one."""
    joined = []
    for match in TOKEN.finditer(text):
        if not match.group(0).startswith('"'):
            continue
        start, end, body = match.start(), match.end(), match.group(0)[1:-1]
        if joined and not text[joined[-1][1] : start].strip():
            start, body = joined[-1][0], joined.pop()[2] + body
        joined.append((start, end, body))
    for start, _, body in joined:
        before = re.sub(r"\s+", " ", text[max(0, start - 80) : start])
        yield text.count("\n", 0, start) + 1, before, body


def is_said(before, body):
    if before.rstrip().endswith("#include"):
        return False
    words = re.sub(r"\{[^}]*\}|\\.", " ", body)
    if " " in body.strip() and SENTENCE.search(words):
        return True
    return bool(SPEAKER.search(before) and re.search("[a-z]{3}", words))


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "src"
    rows = set()
    for table in TABLES:
        rows.update(body for _, _, body in literals((source / table).read_text()))
    faults = []
    for path in sorted([*source.rglob("*.cpp"), *source.rglob("*.h")]):
        name = path.relative_to(source).as_posix()
        if name.endswith(("_test.cpp", "_fixture.h")) or name in TABLES or name in SILENT:
            continue
        if name.startswith(SERVER):
            continue
        for line, before, body in literals(path.read_text()):
            if is_said(before, body) and body not in rows and body not in NOT_SAID:
                faults.append('src/%s:%d: no Japanese for "%s"' % (name, line, body))
    print("\n".join(faults) or "every text has both languages")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
