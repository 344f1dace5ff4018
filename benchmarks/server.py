"""A small HTTP server for measuring: keep-alive, ranges, sendfile, counts, and a cut on demand.

Run as ``python server.py FOLDER``: prints its port. ``GET /-/counts`` answers with the requests and body bytes by
path since the last ``GET /-/reset?cut=N``; with N above 0, the next body longer than N ends after N bytes, once.
"""

import contextlib
import json
import os
import re
import socketserver
import sys
import threading
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Counts:
    """What was asked and sent, by path; and where to cut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset(0)

    def reset(self, cut: int) -> None:
        self.requests: dict[str, int] = {}
        self.bytes: dict[str, int] = {}
        self._cut = cut

    def add(self, path: str, requests: int, size: int) -> None:
        with self._lock:
            self.requests[path] = self.requests.get(path, 0) + requests
            self.bytes[path] = self.bytes.get(path, 0) + size

    def take_cut(self, size: int) -> int | None:
        """Where to cut a body of this size; None for not at all."""
        with self._lock:
            if not 0 < self._cut < size:
                return None
            cut, self._cut = self._cut, 0
            return cut


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    root: ClassVar[Path]
    counts: ClassVar[Counts] = Counts()
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client left in the middle
            self._requests()

    def _requests(self) -> None:
        while line := self.rfile.readline().split():
            headers = dict(iter(self._header, None))
            url = urlsplit(line[1].decode())
            if url.path.startswith("/-/"):
                self._control(url.path, parse_qs(url.query))
            elif not self._answer(line[0], unquote(url.path), headers.get("range", "")):
                return
            if headers.get("connection", "").lower() == "close":
                return

    def _header(self) -> tuple[str, str] | None:
        name, colon, value = self.rfile.readline().decode("latin-1").partition(":")
        return (name.lower(), value.strip()) if colon else None

    def _head(self, status: str, length: int, more: str = "") -> None:
        self.connection.sendall(
            f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\nAccept-Ranges: bytes\r\n{more}\r\n".encode(),
        )

    def _control(self, path: str, query: dict[str, list[str]]) -> None:
        body = json.dumps({"requests": self.counts.requests, "bytes": self.counts.bytes}).encode()
        if path == "/-/reset":
            self.counts.reset(int(query["cut"][0]))
        self._head("200 OK", len(body))
        self.connection.sendall(body)

    def _answer(self, method: bytes, path: str, wanted: str) -> bool:
        """Send the file, or the part of it; False if the connection was cut."""
        self.counts.add(path, 1, 0)
        file = self.root / path.lstrip("/")
        if not file.is_file():
            self._head("404 Not Found", 0)
            return True
        size = file.stat().st_size
        start, end, status, more = 0, size, "200 OK", f'ETag: "{file.stat().st_mtime_ns:x}-{size:x}"\r\n'
        if match := _RANGE.fullmatch(wanted):
            start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
            if start >= end:
                self._head("416 Range Not Satisfiable", 0, f"Content-Range: bytes */{size}\r\n")
                return True
            status, more = "206 Partial Content", f"{more}Content-Range: bytes {start}-{end - 1}/{size}\r\n"
        self._head(status, end - start, more)
        if method == b"HEAD":
            return True
        cut = self.counts.take_cut(end - start)
        self._send(path, file, start, start + cut if cut else end)
        return cut is None

    def _send(self, path: str, file: Path, start: int, end: int) -> None:
        with file.open("rb") as opened:
            while start < end:
                sent = os.sendfile(self.connection.fileno(), opened.fileno(), start, min(end - start, 1 << 24))
                self.counts.add(path, 0, sent)
                start += sent


class Server(socketserver.ThreadingTCPServer):
    """One thread for each connection."""

    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    Handler.root = Path(sys.argv[1])
    with Server(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
