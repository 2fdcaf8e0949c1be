#!/usr/bin/env python3
"""A mirror of upstream feeds for tests, which misbehaves on demand.

Serves "/<upstream host>/<upstream path>" from the shared test data by its feeds/mirror-map.tsv, and
from an overlay directory of the same shape, which comes first. It also is a plain HTTP proxy: a
request for "http://<host>/<path>" is answered by the same rule. Conditional requests, ranges and
gzip work as upstream's do.

  mirror_server.py --data DIR [--overlay DIR] [--certificate FILE]

prints its port on one line, serves on 127.0.0.1 and ends with its standard input.

  /control?path=P&mode=M&times=N[&…]  the next N answers for P ("*": any path; N 0: for ever) are
      a number    this status, with Retry-After where retry_after= is given (seconds or a date)
      short       Content-Length of the whole, but only the first at= bytes (default: half of it)
      slow        one byte every delay= seconds
      silent      nothing at all for delay= seconds
      reset       at= bytes, then the connection is reset
      redirect    to=URL
      redirect_loop
      huge        no Content-Length, zeros up to size= bytes
      partial     a part that nobody asked for, as 206
      page        200 with a page of HTML
  /log                                requests since the last look: "status sent path range gzip" a line
  /reset                              forgets all controls
"""
import argparse
import email.utils
import gzip
import hashlib
import http.server
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
import zipfile

PLACEHOLDER = re.compile(r"<([\w-]+)>")
MODIFIED = 1787443200  # 2026-08-23T00:00:00Z, after the newest record of the data


def read_archive(path):
    """All regular files of a tar.zst by name without a leading "./"."""
    with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive:
            return {
                member.name.removeprefix("./"): archive.extractfile(member).read()
                for member in archive
                if member.isfile()
            }


class Documents:
    """The bytes behind "<host>/<path>[?<query>]", decoded; None where there are none."""

    def __init__(self, data, overlay):
        self.feeds = pathlib.Path(data) / "feeds"
        self.overlay = pathlib.Path(overlay) if overlay else None
        self.archives = {}
        self.lock = threading.Lock()
        self.rows = []
        for line in (self.feeds / "mirror-map.tsv").read_text().splitlines():
            if line.startswith("#") or not line.startswith("http"):
                continue
            url, file, member = line.split("\t")[:3]
            key = urllib.parse.unquote(url.split("://", 1)[1])
            # "<ID>" stands for one name; the member says the same name where it needs it.
            parts = PLACEHOLDER.split(key)
            parts[::2] = map(re.escape, parts[::2])
            parts[1::2] = ["(?P<%s>[^/?&]+)" % name.replace("-", "_") for name in parts[1::2]]
            self.rows.append((key, re.compile("".join(parts)), file, member))

    def members(self, file):
        with self.lock:
            if file not in self.archives:
                self.archives[file] = read_archive(self.feeds / file)
            return self.archives[file]

    def from_row(self, match, file, member):
        member = PLACEHOLDER.sub(lambda m: match[m[1].replace("-", "_")], member)
        path = self.feeds / file
        if member == "(file)":
            return path.read_bytes() if path.is_file() else None
        if file.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                return archive.read(member) if member in archive.namelist() else None
        if file.endswith(".tar.zst"):
            return self.members(file).get(member)
        return None

    def get(self, key):
        if self.overlay:
            path = self.overlay / key
            if ".." not in key.split("/") and path.is_file():
                return path.read_bytes()
        for _, pattern, file, member in self.rows:
            match = pattern.fullmatch(key)
            if match:
                return self.from_row(match, file, member)
        return self.listing(key) if key.endswith("/") else None

    def listing(self, key):
        """A page of links, as directories on a web server have."""
        names = set()
        for url, *_ in self.rows:
            if url.startswith(key):
                head, slash, _ = url[len(key) :].partition("/")
                names.add(head + slash)
        if not names:
            return None
        return "".join('<a href="%s">%s</a>\n' % (n, n) for n in sorted(names)).encode()


class Controls:
    def __init__(self):
        self.lock = threading.Lock()
        self.rows = []
        self.log = []

    def add(self, fields):
        with self.lock:
            self.rows.append(dict(fields, times=int(fields.get("times", "1"))))

    def take(self, path):
        with self.lock:
            for row in self.rows:
                if row["path"] not in ("*", path):
                    continue
                if row["times"] == 1:
                    self.rows.remove(row)
                elif row["times"] > 1:
                    row["times"] -= 1
                return row
        return {}

    def note(self, line):
        with self.lock:
            self.log.append(line)

    def take_log(self):
        with self.lock:
            lines, self.log = self.log, []
            return lines

    def reset(self):
        with self.lock:
            self.rows, self.log = [], []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mirror"
    documents = None
    controls = None

    def log_message(self, *args):
        pass

    def log_done(self, status, sent):
        coding = "gzip" if "gzip" in self.headers.get("Accept-Encoding", "") else "-"
        wanted = self.headers.get("Range", "-").replace(" ", "")
        self.controls.note("%s %d %s %s %s" % (status, sent, self.key, wanted, coding))

    def do_GET(self):
        target = self.path
        if target.startswith("http://"):  # asked as a proxy
            target = "/" + target[len("http://") :]
        url = urllib.parse.urlsplit(target)
        if url.path in ("/control", "/log", "/reset"):
            return self.serve_control(url)
        self.key = urllib.parse.unquote(url.path.lstrip("/"))
        if url.query:
            self.key += "?" + urllib.parse.unquote(url.query)
        control = self.controls.take(self.key)
        mode = control.get("mode", "")
        if mode.isdigit():
            return self.serve_status(int(mode), control)
        if hasattr(self, "serve_" + mode):
            return getattr(self, "serve_" + mode)(control)
        return self.serve_document(mode, control)

    def serve_control(self, url):
        fields = dict(urllib.parse.parse_qsl(url.query))
        text = ""
        if url.path == "/control":
            self.controls.add(fields)
        elif url.path == "/log":
            text = "".join(line + "\n" for line in self.controls.take_log())
        else:
            self.controls.reset()
        self.send_whole(200, text.encode(), {})

    def send_whole(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve_status(self, status, control):
        headers = {"Retry-After": control["retry_after"]} if "retry_after" in control else {}
        if status == 304:
            self.send_response(304)
            self.end_headers()
        else:
            self.send_whole(status, b"<html>status %d</html>" % status, headers)
        self.log_done(status, 0)

    def serve_redirect(self, control):
        self.send_whole(302, b"", {"Location": control["to"]})
        self.log_done(302, 0)

    def serve_redirect_loop(self, control):
        self.send_whole(302, b"", {"Location": self.path})
        self.log_done(302, 0)

    def serve_silent(self, control):
        self.log_done("silent", 0)
        time.sleep(float(control.get("delay", "10")))
        self.close_connection = True

    def serve_page(self, control):
        self.send_whole(200, b"<!DOCTYPE html>\n<html>please log in</html>\n", {})
        self.log_done(200, 0)

    def serve_huge(self, control):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        sent = 0
        try:
            while sent < int(control.get("size", "1000000000")):
                sent += self.wfile.write(b"0" * 65536)
        except OSError:
            pass
        self.log_done("huge", sent)

    def serve_document(self, mode, control):
        if self.key == "epss.empiricalsecurity.com/epss_scores-current.csv.gz" and not mode:
            return self.serve_redirect({"to": "epss_scores-2026-08-22.csv.gz"})
        body = self.documents.get(self.key)
        if body is None:
            return self.serve_status(404, {})
        path = self.key.split("?")[0]
        coded = "gzip" in self.headers.get("Accept-Encoding", "") and not re.search(
            r"\.(zip|gz|zst|bz2|xz)$", path
        )
        tag = hashlib.sha256(body).hexdigest()[:16] + ("-gzip" if coded else "")
        headers = {
            "ETag": '"%s"' % tag,
            "Last-Modified": email.utils.formatdate(MODIFIED, usegmt=True),
            "Vary": "Accept-Encoding",
        }
        if self.is_current(headers):
            self.send_response(304)
            self.send_header("ETag", headers["ETag"])
            self.end_headers()
            return self.log_done(304, 0)
        status = 200
        if coded:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        else:
            headers["Accept-Ranges"] = "bytes"
            status, body = self.apply_range(body, headers)
        if mode == "partial":
            status = 206
            headers["Content-Range"] = "bytes 0-%d/%d" % (len(body) - 1, len(body))
        self.send_body(mode, control, status, body, headers)

    def is_current(self, headers):
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return headers["ETag"] in [tag.strip() for tag in tags.split(",")]
        since = self.headers.get("If-Modified-Since")
        return since is not None and since == headers["Last-Modified"]

    def apply_range(self, body, headers):
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not match or condition not in (None, headers["ETag"], headers["Last-Modified"]):
            return 200, body
        first = int(match[1])
        last = min(int(match[2] or len(body) - 1), len(body) - 1)
        if first > last:
            headers["Content-Range"] = "bytes */%d" % len(body)
            return 416, b""
        headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, len(body))
        return 206, body[first : last + 1]

    def send_body(self, mode, control, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = body
        if mode in ("short", "reset"):
            sent = body[: int(control.get("at", len(body) // 2))]
            self.close_connection = True
        try:
            if mode == "slow":
                self.close_connection = True
                for at in range(len(body)):
                    self.wfile.write(body[at : at + 1])
                    time.sleep(float(control.get("delay", "0.2")))
            else:
                self.wfile.write(sent)
        except OSError:
            pass
        self.log_done(mode or status, len(sent))
        if mode == "reset":
            self.wfile.flush()
            time.sleep(0.05)  # so that the bytes arrive before the reset throws them away
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass  # clients that go away in the middle are what the tests are about


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--overlay")
    parser.add_argument("--certificate", help="PEM with key: serve HTTPS")
    arguments = parser.parse_args()
    Handler.documents = Documents(arguments.data, arguments.overlay)
    Handler.controls = Controls()
    server = Server(("127.0.0.1", 0), Handler)
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
