"""moto's server as an S3 for the end-to-end tests: another program, spoken to over HTTP."""
import signal
import socket
import subprocess

import boto3

import aws_tools
import server


class S3Server:
    """Takes any credentials. Ends with close()."""

    access_key, secret = "AKIDOFTHESERVER", "secret-of-the-server"

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [aws_tools.PYTHON, aws_tools.HOME / "bin/moto_server", "-H", "127.0.0.1", "-p",
             str(port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: server.LIBC.prctl(server.PR_SET_PDEATHSIG, signal.SIGKILL),
        )  # fmt: skip
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name=server.REGION,
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret,
        )  # fmt: skip
        server.wait_for(self._answers, 30, "the S3 server")

    def _answers(self):
        try:
            self.client.list_buckets()
            return True
        except Exception:  # not yet
            return False

    def keys(self, bucket):
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def get(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def close(self):
        self.process.kill()
        self.process.wait()
