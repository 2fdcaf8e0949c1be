#!/usr/bin/env python3
"""Nothing acknowledged is lost and nothing is doubled, whenever the server is killed.

Many clients put inventories of which the right findings are known, while the server is killed by
SIGKILL at random moments and the advisory database is exchanged now and then. After each restart
every job must end, every acknowledged inventory be there, and the findings be exactly the right
ones, each once. The same with two nodes on one PostgreSQL, and with a PostgreSQL that goes away.

    crash_test.py [--rounds N] [--seed N] [--gone SECONDS] [TEST…]     defaults: 10, by time, 5
"""
import aws_tools

aws_tools.enter()

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

import postgres_server
import server
import support

PACKAGES = 30
ADVISORIES_EACH = 3
RESOURCES = 60
CLIENTS = 4
ACTIVE, CLOSED = 1, 3

rounds = 10
seed = int(time.time())
gone_seconds = 5


class Advisories:
    """A generation: package number → vulnerability → the first version that has it no longer."""

    def __init__(self, chance, number, directory):
        self.fixed = {
            package: {
                f"CVE-2024-{10000 + package * 10 + n}": chance.randrange(1, 10)
                for n in range(ADVISORIES_EACH)
                if chance.random() < 0.8
            }
            for package in range(PACKAGES)
        }
        feed = directory / f"feed{number}"
        for package, vulnerabilities in self.fixed.items():
            for name, version in vulnerabilities.items():
                record = support.advisory(
                    f"DSA-{name[4:]}-1", "Debian:11", f"demo{package}",
                    [{"introduced": "0"}, {"fixed": f"{version}.0-1"}], upstream=[name],
                )  # fmt: skip
                support.write(feed / (record["id"] + ".json"), record)
        self.file = support.build(directory / f"generation{number}.db", feed)

    def findings(self, inventory):
        return {
            name
            for package, version in inventory.items()
            for name, fixed in self.fixed[package].items()
            if version < fixed
        }


def retryable(answer):
    """What the AWS clients try again by themselves; 500 is the model's word for it."""
    return answer.status in (429, 503) or (
        answer.status == 500 and answer.headers.get("Retry-After") is not None
    )


def sbom(inventory):
    purls = [
        f"pkg:deb/debian/demo{package}@{version}.0-1?arch=amd64&distro=debian-11"
        for package, version in inventory.items()
    ]
    return support.cyclonedx(*purls)


class Resource:
    """What a client knows of its resource: the inventories that may be the stored one."""

    def __init__(self, name):
        self.name = name
        self.acknowledged = None
        self.possible = []


class Client(threading.Thread):
    """Puts random inventories on resources of its own until told to stop; every failure of the
    connection is expected, every other answer than 200 or a retryable one is noted."""

    def __init__(self, nodes, resources, number):
        super().__init__(daemon=True)
        self.nodes = nodes
        self.resources = resources
        self.chance = random.Random(number)
        self.stopping = threading.Event()
        self.wrong = []
        self.acknowledged = 0

    def run(self):
        connections = {}
        try:
            self.put_until_told(connections)
        finally:
            for connection in connections.values():
                connection.close()

    def put_until_told(self, connections):
        while not self.stopping.is_set():
            node = self.chance.choice(self.nodes)
            resource = self.chance.choice(self.resources)
            inventory = {
                package: self.chance.randrange(1, 10)
                for package in self.chance.sample(range(PACKAGES), self.chance.randrange(1, 20))
            }
            resource.possible.append(inventory)
            try:
                connection = connections.get(node) or connections.setdefault(node, node.connect(10))
                answer = node.put_inventory(
                    resource.name, sbom(inventory), connection=connection
                )
            except (OSError, http.client.HTTPException):
                if node in connections:
                    connections.pop(node).close()
                time.sleep(0.02)
                continue
            if answer.status == 200:
                resource.acknowledged = inventory
                resource.possible = [inventory]
                self.acknowledged += 1
            elif not retryable(answer):
                self.wrong.append(str(answer))


class Load:
    def __init__(self, nodes, resources, chance):
        self.clients = [
            Client(nodes, resources[n::CLIENTS], chance.random()) for n in range(CLIENTS)
        ]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.stopping.set()
        for client in self.clients:
            client.join()

    def wrong(self):
        return [text for client in self.clients for text in client.wrong]

    def acknowledged(self):
        return sum(client.acknowledged for client in self.clients)


class Sqlite:
    def __init__(self, directory):
        self.directory = directory
        self.uri = None

    def rows(self, statement):
        file = self.directory / "tenken.sqlite"
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def close(self):
        pass


class Postgres:
    def __init__(self, _):
        self.server = postgres_server.PostgresServer()
        self.uri = self.server.uri

    def rows(self, statement):
        text = subprocess.run(
            ["psql", "--no-psqlrc", "-At", "-F", "\t", "-c", statement, self.uri],
            check=True, capture_output=True, timeout=60,
        ).stdout.decode()  # fmt: skip
        number = lambda word: int(word) if word.lstrip("-").isdigit() else word
        return [tuple(map(number, line.split("\t"))) for line in text.splitlines()]

    def close(self):
        self.server.close()


class CrashTest(support.TestCase):
    def setUp(self):
        super().setUp()
        print(f"seed {seed}", file=sys.stderr)
        self.chance = random.Random(seed)
        self.generations = [Advisories(self.chance, n, self.directory) for n in range(2)]
        self.database = self.directory / "advisories.db"
        self.use_generation(0)
        self.resources = [Resource(f"host-{n}") for n in range(RESOURCES)]
        self.acknowledged = 0

    def use_generation(self, number):
        """Beside it first, then renamed over it, as an operator would."""
        self.generation = self.generations[number]
        shutil.copy(self.generation.file, self.database.with_suffix(".new"))
        os.rename(self.database.with_suffix(".new"), self.database)

    def exchange_generation(self):
        self.use_generation(1 - self.generations.index(self.generation))

    def open_store(self, kind):
        store = kind(self.directory / "node0")
        self.addCleanup(store.close)
        return store

    def start_node(self, store, number=0):
        """All nodes of a store have the same master key."""
        directory = self.directory / f"node{number}"
        directory.mkdir(exist_ok=True)
        arguments = []
        if number > 0:
            shutil.copy(self.directory / "node0" / "secret.key", directory)
        node = server.Server(self.database, directory, store.uri, arguments)
        self.addCleanup(node.kill)
        return node

    # What must hold.

    def wait_until_done(self, store, node, seconds=180):
        """No job is left, and the generation in use is the one at hand. Where a killed node had the
        newer one, it is waited for two minutes (pipeline/node_generations.h).
        """
        def done():
            return not store.rows("SELECT kind, subject FROM job")

        try:
            server.wait_for(done, seconds, "the end of all jobs")
        except AssertionError as error:
            jobs = store.rows(
                "SELECT kind, subject, attempts, last_error, lease_owner, lease_until, run_after "
                "FROM job"
            )
            self.fail(f"{error}; at {time.time():.0f}: {jobs[:5]}\n{node.log()}")

    def wait_until_settled(self, store, node):
        """A generation that was just exchanged is noticed within a second or two."""
        time.sleep(1.5)
        self.wait_until_done(store, node)

    def stored_inventories(self, store):
        stored = collections.defaultdict(dict)
        for name, package, version in store.rows(
            "SELECT r.external_id, v.name, v.version FROM resource r "
            "JOIN resource_package p ON p.resource_id = r.resource_id "
            "JOIN package_version v ON v.package_version_id = p.package_version_id"
        ):
            package, version = int(package[len("demo") :]), int(version.split(".")[0])
            self.assertNotIn(package, stored[name], f"{name} has two versions of one package")
            stored[name][package] = version
        return stored

    def check_inventories(self, store):
        stored = self.stored_inventories(store)
        for resource in self.resources:
            inventory = stored.get(resource.name)
            if resource.acknowledged is None and inventory is None:
                continue
            if inventory not in resource.possible:
                self.fail(
                    f"{resource.name}: {inventory} is none of {resource.possible}; "
                    f"the servers said:\n{self.said_of(resource)}"
                )
        return stored

    def said_of(self, resource):
        """The lines of the servers' logs about a resource."""
        return "\n".join(
            line
            for log in self.directory.glob("node*/serve-*.log")
            for line in log.read_text(errors="replace").splitlines()
            if resource.name + "/" in line or '"level":"error"' in line
        )

    def check_findings(self, store, stored):
        rows = store.rows(
            "SELECT r.external_id, f.vulnerability_id, f.episode, f.status FROM finding f "
            "JOIN resource r ON r.resource_id = f.resource_id"
        )
        opened = collections.Counter((row[0], row[1]) for row in rows if row[3] != CLOSED)
        self.assertEqual([key for key, count in opened.items() if count > 1], [], "doubled")
        # All within seconds: what closed and came back is the same episode.
        episodes = collections.Counter((row[0], row[1]) for row in rows)
        self.assertEqual([key for key, count in episodes.items() if count > 1], [], "doubled")
        right = {
            (name, vulnerability)
            for name, inventory in stored.items()
            for vulnerability in self.generation.findings(inventory)
        }
        self.assertEqual(set(opened) - right, set(), "findings that should be closed")
        self.assertEqual(right - set(opened), set(), "findings that are missing")

    def check_history(self, store):
        """Each finding's states come in turn, and the last is what it is. How it was opened stands
        in the finding itself."""
        history = collections.defaultdict(list)
        for *key, transition, happened, status, cause in store.rows(
            "SELECT resource_id, vulnerability_id, episode, 0, episode, 1, "
            "CASE WHEN opened_by = '' THEN cause ELSE opened_by END FROM finding UNION ALL "
            "SELECT resource_id, vulnerability_id, episode, transition, happened_at, status, cause "
            "FROM finding_event ORDER BY 1, 2, 3, 4"
        ):
            history[tuple(key)].append((status, transition, happened, cause))
        for key, events in history.items():
            states = [one[0] for one in events]
            self.assertEqual(states[0], ACTIVE, (key, events))
            for before, after in zip(states, states[1:]):
                self.assertNotEqual(before, after, (key, events))
        now = {
            tuple(key): status
            for *key, status in store.rows(
                "SELECT resource_id, vulnerability_id, episode, status FROM finding"
            )
        }
        self.assertEqual({key: events[-1][0] for key, events in history.items()}, now)

    def check_all(self, store, node):
        self.wait_until_settled(store, node)
        self.check_findings(store, self.check_inventories(store))
        self.check_history(store)

    # Rounds.

    def disturb(self, victim, nodes):
        """Some load, perhaps an exchange of generations, then the end of the victim."""
        with Load(nodes, self.resources, self.chance) as load:
            time.sleep(self.chance.uniform(0, 0.7))
            if self.chance.random() < 0.5:
                self.exchange_generation()
            time.sleep(self.chance.uniform(0, 1.5))
            victim.kill()
        self.assertEqual(load.wrong(), [])
        self.acknowledged += load.acknowledged()

    def kill_and_restart(self, kind):
        store = self.open_store(kind)
        node = self.start_node(store)
        node.key()
        for number in range(rounds):
            with self.subTest(round=number, seed=seed):
                self.disturb(node, [node])
                node.start()
                self.check_all(store, node)
        node.stop()
        self.assertGreater(self.acknowledged, rounds)
        print(f"{rounds} kills, {self.acknowledged} inventories acknowledged", file=sys.stderr)

    def test_a_killed_server_on_sqlite_loses_and_doubles_nothing(self):
        self.kill_and_restart(Sqlite)

    def test_a_killed_server_on_postgresql_loses_and_doubles_nothing(self):
        self.kill_and_restart(Postgres)

    def test_of_two_nodes_the_other_ends_the_work_of_a_killed_one(self):
        store = self.open_store(Postgres)
        nodes = [self.start_node(store, number) for number in range(2)]
        nodes[1].keys = nodes[0].keys
        nodes[0].key()
        for number in range(max(1, rounds // 2)):
            victim = self.chance.randrange(2)
            with self.subTest(round=number, seed=seed):
                self.disturb(nodes[victim], nodes)
                self.check_all(store, nodes[1 - victim])
            nodes[victim].start()
        for node in nodes:
            node.stop()
        print(f"{self.acknowledged} inventories acknowledged", file=sys.stderr)

    def test_while_postgresql_is_away_requests_are_refused_and_all_heals_by_itself(self):
        store = self.open_store(Postgres)
        node = self.start_node(store)
        node.key()
        with Load([node], self.resources, self.chance) as load:
            time.sleep(1)
            self.exchange_generation()
            store.server.stop()
            time.sleep(0.5)
            for _ in range(3):
                answer = node.put_inventory("host-x", sbom({1: 1}))
                self.assertTrue(retryable(answer), answer)
                self.assertNotIn(b"postgres", answer.body.lower())
            self.assertEqual(node.send("GET", "/healthz").status, 200)
            time.sleep(gone_seconds)
            store.server.start()
            server.wait_for(
                lambda: node.put_inventory("host-x", sbom({1: 1})).status == 200, 10, "healing"
            )
            time.sleep(1)
        self.assertEqual(load.wrong(), [])
        extra = Resource("host-x")
        extra.acknowledged, extra.possible = {1: 1}, [{1: 1}]
        self.resources.append(extra)
        self.check_all(store, node)
        node.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--gone", type=float, default=gone_seconds)
    known, rest = parser.parse_known_args()
    rounds, seed, gone_seconds = known.rounds, known.seed, known.gone
    sys.argv[1:] = rest
    support.main()
