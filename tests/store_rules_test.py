#!/usr/bin/env python3
"""The store's tables and statements keep the rules under which Citus distributes them by
resource_id: store_rules_test.py SOURCE_DIRECTORY.

A table with a column resource_id grows with the fleet: its primary key and every unique index begin
with that column, no foreign key, trigger, sequence or identity stands on it, and ON CONFLICT names
a key that begins with it. `tenken admin distribute` names exactly these tables as distributed, and
the tables that they are joined with as reference tables. Tables of SQLite alone are free.
"""
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
STORE = SOURCE / "src/store"
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def schema():
    """Table → its text; and the unique indices as (table, columns)."""
    text = (STORE / "schema.cpp").read_text()
    text = re.sub(r'string_view \w+_on_sqlite = R"sql\(.*?\)sql"', "", text, flags=re.S)
    tables = dict(re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", text, re.S))
    unique = re.findall(r"CREATE UNIQUE INDEX \w+ ON (\w+) \((.*?)\)", text)
    return text, tables, unique


RAW = re.compile(r'R"sql\((.*?)\)sql"', re.S)
VERB = re.compile(r"\s*(INSERT|UPDATE|DELETE|SELECT|WITH)\b")


def texts():
    """The literals of the store's sources but the schema: those that stand side by side are one."""
    for path in sorted(STORE.glob("*.cpp")):
        if path.name.endswith("_test.cpp") or path.name == "schema.cpp":
            continue
        text = path.read_text()
        for raw in RAW.findall(text):
            yield path.name, raw
        text = re.sub(r"//[^\n]*", "", RAW.sub("", text))
        for run in re.findall(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', text):
            yield path.name, "".join(LITERAL.findall(run))


def statements():
    """Those that are SQL from their beginning."""
    return [(file, text) for file, text in texts() if VERB.match(text)]


TEXT, TABLES, UNIQUE = schema()
BIG = {name for name, body in TABLES.items() if re.search(r"^\s*resource_id\b", body, re.M)}


def named(function):
    """The tables of a function of serve/backup.cpp."""
    text = (SOURCE / "src/serve/backup.cpp").read_text()
    body = re.search(function + r"\(\) \{(.*?)return tables", text, re.S)[1]
    return set(re.findall(r'"(\w+)"', body))


class Rules(unittest.TestCase):
    def test_there_are_big_tables(self):
        self.assertLessEqual(
            {"resource", "resource_tag", "resource_package", "finding", "finding_event"}, BIG
        )

    def test_their_keys_begin_with_the_resource(self):
        for name in BIG:
            with self.subTest(name):
                body = TABLES[name]
                key = re.search(r"PRIMARY KEY \((\w+)", body)
                first = key[1] if key else re.search(
                    r"^\s*(\w+)[^,\n]* (?:PRIMARY KEY|\{id\})", body, re.M
                )[1]
                self.assertEqual(first, "resource_id")
                self.assertNotRegex(body, r"\bUNIQUE\b")
        for table, columns in UNIQUE:
            if table in BIG:
                self.assertTrue(columns.startswith("resource_id"), (table, columns))

    def test_nothing_on_any_table_needs_one_node(self):
        for word in ("REFERENCES", "TRIGGER", "SEQUENCE", "SERIAL", "AUTOINCREMENT", "IDENTITY"):
            self.assertNotRegex(TEXT, r"\b%s\b" % word)

    def test_conflicts_are_on_keys_that_begin_with_the_resource(self):
        found = 0
        for file, sql in statements():
            into = re.search(r"INSERT INTO (\w+)", sql)
            conflict = re.search(r"ON CONFLICT \((\w+)", sql)
            if into and conflict and into[1] in BIG:
                found += 1
                self.assertEqual(conflict[1], "resource_id", (file, sql))
        self.assertGreater(found, 0)

    def test_the_distribution_key_is_never_changed(self):
        for file, sql in statements():
            for assigned in re.findall(r"\bSET (.*?)(?: WHERE | FROM |$)", sql):
                self.assertNotRegex(assigned, r"(^|, )resource_id =", (file, sql))

    def test_the_statements_that_write_findings_are_looked_at(self):
        writing = [sql for _, sql in statements() if "INSERT INTO finding (" in sql]
        self.assertEqual(len(writing), 1)

    def test_big_tables_are_joined_by_the_resource(self):
        tied = r"resource_id\s*=\s*[\w.?]*(\.resource_id|\?1)|USING \(resource_id"
        found = 0
        for file, sql in statements():
            tables = set(re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE) \(?\s*(\w+)", sql))
            if len(tables & BIG) > 1:
                found += 1
                self.assertRegex(sql, tied, file)
        self.assertGreater(found, 5)

    def test_what_a_big_table_is_compared_with_is_on_every_node(self):
        everywhere = BIG | named("reference_tables")
        found = 0
        for file, text in texts():
            if not re.search(r"= (%s)\." % "|".join(BIG), text):
                continue
            for table in re.findall(r"\(SELECT [^()]*? FROM (\w+)", text):
                found += 1
                self.assertIn(table, everywhere, (file, text))
        self.assertGreater(found, 3)

    def test_distribute_names_these_tables(self):
        self.assertEqual(named("distributed_tables"), BIG)
        self.assertLessEqual(named("reference_tables"), set(TABLES) - BIG)


if __name__ == "__main__":
    unittest.main()
