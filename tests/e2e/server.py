"""A running `tenken serve` for the end-to-end tests, and the clients that talk to it. A program that
uses this begins with aws_tools.enter(); SQLite or PostgreSQL, killed and started again as it likes.

    with Server(database=file) as server:
        server.put_inventory("web-1", sbom, env="prod")
        server.client().list_findings()
        server.aws("inspector2", "list-findings").json()
"""
import ctypes
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials

import aws_tools
import support

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

REGION = "us-east-1"
ACCOUNT = "111122223333"
CYCLONEDX = "application/vnd.cyclonedx+json"


def wait_for(predicate, seconds=30, what="the condition"):
    """The first true value of predicate(), which is asked again and again."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        time.sleep(0.1)


class Key:
    """An access key, as `tenken admin key create` printed it."""

    def __init__(self, text):
        lines = re.fullmatch(
            r"export AWS_ACCESS_KEY_ID=([A-Za-z0-9+/]+)\n"
            r"export AWS_SECRET_ACCESS_KEY=([A-Za-z0-9+/]+)\n",
            text,
        )
        assert lines, f"two export lines expected, not {text!r}"
        self.id, self.secret = lines.groups()


class Response:
    def __init__(self, answer):
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.headers.get("x-amzn-ErrorType")

    def __str__(self):
        return f"{self.status} {self.error}\n{self.body[:2000].decode(errors='replace')}"


class Server:
    """Starts at once. directory, port and keys outlive kill() and stop(), so that start() goes on
    where it was. database_uri: a PostgreSQL server's, else SQLite in the directory.
    fetching: it keeps its advisories current by itself. within: the words that it is started with,
    as of nsenter, to listen on an address there."""

    def __init__(
        self, database=None, directory=None, database_uri=None, arguments=(), variables=None,
        fetching=False, address="127.0.0.1", within=(),
    ):
        self.own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="tenken-serve-"))
        self.log_file = self.directory / f"serve-{id(self)}.log"
        self.store = ["--data", str(self.directory)]
        if database_uri:
            self.store += ["--database", database_uri]
        self.arguments = list(arguments)
        self.network = [] if fetching else ["--no-update"]
        self.variables = dict(variables or {})  # of its environment
        self.use_database(database or self.directory / "none.db")
        self.address = address
        self.within = list(within)
        self.listen = f"{address}:0"
        self.url = None
        self.process = None
        self.keys = {}
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # The process.

    def use_database(self, file):
        """The advisory database of the next start."""
        self.database = pathlib.Path(file)

    def start(self, seconds=60):
        words = [
            *self.within, support.TENKEN, "serve", *self.store, "--listen", self.listen,
            "--db", str(self.database), *self.network, *self.arguments,
        ]  # fmt: skip
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=support.environment(SOURCE_DATE_EPOCH=None, **self.variables),
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )  # fmt: skip
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline().decode() if ready else ""
        found = re.fullmatch(rf"listening (https?://{re.escape(self.address)}:(\d+))\n", line)
        if not found:
            self.kill()
            raise AssertionError(f"no listening line within {seconds} s: {line!r}\n{self.log()}")
        self.url = found[1]
        self.port = int(found[2])
        self.listen = f"{self.address}:{self.port}"
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As the kernel would for want of memory: no word to the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self, seconds=20):
        """In an orderly way; fails where the server had died, or said more than its one line."""
        if self.process is None:
            return
        died = self.process.poll()
        self.process.terminate()
        try:
            rest, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end {seconds} s after SIGTERM\n{self.log()}") from None
        code, self.process = self.process.returncode, None
        assert died is None and code == 0, f"the server ended with {code}\n{self.log()}"
        assert rest == b"", f"more than one line on stdout: {rest!r}"

    def close(self):
        try:
            self.stop()
        finally:
            self.kill()
            if self.own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        return self.log_file.read_text(errors="replace")[-8000:]

    # Keys and clients.

    def admin(self, *words):
        answer = support.tenken("admin", *words, *self.store, SOURCE_DATE_EPOCH=None)
        assert answer.code == 0, str(answer)
        return answer.out

    def new_key(self, account=ACCOUNT, user="admin", role="admin"):
        words = ("--account", account, "--user", user, "--role", role)
        return Key(self.admin("key", "create", *words))

    def key(self, account=ACCOUNT, role="admin"):
        """One key per account and role, made when first asked for."""
        if (account, role) not in self.keys:
            self.keys[account, role] = self.new_key(account, user=role, role=role)
        return self.keys[account, role]

    @property
    def ca_file(self):
        return str(self.directory / "tls" / "ca.pem")

    def aws_environment(self, key=None, region=REGION):
        """All that a stock client needs, and nothing of the user's own."""
        key = key or self.key()
        return support.environment(
            SOURCE_DATE_EPOCH=None,
            AWS_ACCESS_KEY_ID=key.id,
            AWS_SECRET_ACCESS_KEY=key.secret,
            AWS_REGION=region,
            AWS_DEFAULT_REGION=region,
            AWS_CA_BUNDLE=self.ca_file,
            AWS_ENDPOINT_URL=self.url,
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_EC2_METADATA_DISABLED="true",
            AWS_MAX_ATTEMPTS="1",
            AWS_PAGER="",
            AWS_SESSION_TOKEN=None,
            AWS_PROFILE=None,
        )

    def aws(self, *words, key=None, region=REGION):
        """Runs the AWS CLI; its Answer."""
        words = [str(aws_tools.AWS), *map(str, words)]
        process = subprocess.run(
            words, env=self.aws_environment(key, region), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        return support.Answer(process, words)

    def node(self, script, *words, key=None):
        """Runs a script of tests/e2e/node; its Answer."""
        node = aws_tools.node_folder() / "bin/node"
        words = [str(node), str(aws_tools.HERE / "node" / script), *map(str, words)]
        env = self.aws_environment(key)
        env.update(NODE_PATH=str(aws_tools.NODE_MODULES), NODE_EXTRA_CA_CERTS=self.ca_file)
        process = subprocess.run(
            words, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
        return support.Answer(process, words)

    def client(self, service="inspector2", key=None, region=REGION, **config):
        """A boto3 client that repeats nothing, so that no error is hidden."""
        key = key or self.key()
        config.setdefault("retries", {"total_max_attempts": 1})
        return boto3.session.Session().client(
            service, region_name=region, endpoint_url=self.url, verify=self.ca_file,
            aws_access_key_id=key.id, aws_secret_access_key=key.secret,
            config=botocore.config.Config(**config),
        )  # fmt: skip

    # Requests of our own.

    def connect(self, seconds=60):
        if self.url.startswith("http:"):
            return http.client.HTTPConnection(self.address, self.port, timeout=seconds)
        context = ssl.create_default_context(cafile=self.ca_file)
        return http.client.HTTPSConnection(
            self.address, self.port, timeout=seconds, context=context
        )

    def signed_headers(self, method, path, body=b"", headers=None, key=None, scope="inspector2"):
        key = key or self.key()
        request = botocore.awsrequest.AWSRequest(
            method=method, url=self.url + path, data=body, headers=headers or {}
        )
        credentials = botocore.credentials.Credentials(key.id, key.secret)
        botocore.auth.SigV4Auth(credentials, scope, REGION).add_auth(request)
        return dict(request.headers)

    def send(self, method, path, body=b"", headers=None, connection=None):
        """As it stands, unsigned. A connection that is given is left open."""
        used = connection or self.connect()
        try:
            used.request(method, path, body=body or None, headers=headers or {})
            return Response(used.getresponse())
        finally:
            if connection is None:
                used.close()

    def request(self, method, path, body=b"", headers=None, key=None, connection=None, **signing):
        """Signed as the AWS clients sign."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if body:
            headers = {"Content-Type": "application/json", **(headers or {})}
        signed = self.signed_headers(method, path, body, headers, key, **signing)
        return self.send(method, path, body, signed, connection)

    def put_inventory(self, resource, sbom, key=None, connection=None, **tags):
        """The Response to an SBOM (bytes, or a document) as the resource's inventory."""
        if not isinstance(sbom, bytes):
            sbom = json.dumps(sbom).encode()
        query = urllib.parse.urlencode([("tag", f"{name}={value}") for name, value in tags.items()])
        path = f"/v1/resources/{urllib.parse.quote(resource, safe='')}/inventory"
        return self.request(
            "PUT", path + ("?" + query if query else ""), sbom, {"Content-Type": CYCLONEDX},
            key, connection,
        )  # fmt: skip

    def findings(self, **criteria):
        """Every finding that the criteria choose, over one connection: faster than any client."""
        connection = self.connect()
        found, token = [], None
        try:
            while True:
                body = {"filterCriteria": criteria, "maxResults": 100}
                body.update({"nextToken": token} if token else {})
                answer = self.request("POST", "/findings/list", body, connection=connection)
                assert answer.status == 200, str(answer)
                page = answer.json()
                found += page["findings"]
                token = page.get("nextToken")
                if not token:
                    return found
        finally:
            connection.close()
