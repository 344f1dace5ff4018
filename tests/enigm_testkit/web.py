"""Servers on loopback, in threads: files over HTTP and TLS, a forward proxy, and a server that says what it is told."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Literal

Style = Literal["ranges", "whole", "chunked", "close"]
Script = Callable[[socket.socket, bytes], None]
"""Answers one request, given its head, on its connection."""


class FileServer(ThreadingHTTPServer):
    """The files of ``folder`` in one style of framing; counts connections, remembers the heads of requests."""

    daemon_threads = True

    def __init__(self, folder: Path, style: Style) -> None:
        super().__init__(("127.0.0.1", 0), _FileHandler)
        self.folder = folder
        self.style = style
        self.connections = 0
        self.requests: list[str] = []

    def admits(self, asked: BaseHTTPRequestHandler) -> bool:
        """Whether this request is answered at all; if not, with 401."""
        del asked
        return True

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Takes leave in TLS too, so that the end of a body is known from a cut."""
        if isinstance(request, ssl.SSLSocket):
            with suppress(OSError):
                request.unwrap()
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away, or that TLS refuses, are part of the tests."""


class _FileHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        self.server.requests.append(self.requestline)
        if not self.server.admits(self):
            self._reply(401, b"", {})
            return
        path = self.path.partition("://")[2].partition("/")[2] or self.path.lstrip("/")
        file = self.server.folder / path
        if not file.is_file():
            self._reply(404, b"<h1>not here</h1>", {})  # send_error would close the connection
            return
        data = file.read_bytes()
        first, stop = self._range(len(data))
        if first == stop and data:
            self._reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        elif stop - first == len(data):
            self._reply(200, data, {})
        else:
            self._reply(206, data[first:stop], {"Content-Range": f"bytes {first}-{stop - 1}/{len(data)}"})

    def _range(self, length: int) -> tuple[int, int]:
        asked = self.headers.get("Range")
        if asked is None or self.server.style == "whole":
            return 0, length
        first, last = asked.removeprefix("bytes=").split("-")
        return min(int(first), length), min(int(last) + 1, length)

    def _reply(self, status: int, data: bytes, fields: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in fields.items():
            self.send_header(key, value)
        if self.server.style == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            half = len(data) // 2
            pieces = [piece for piece in (data[:half], data[half:]) if piece]
            data = b"".join(b"%x;why=not\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX: y\r\n\r\n"
        elif self.server.style == "close":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Scripted(ThreadingTCPServer):
    """Reads the head of each request, and hands its connection to ``script``."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _ScriptHandler)
        self.script = script
        self.heads: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what most scripts provoke."""


class _ScriptHandler(StreamRequestHandler):
    server: Scripted

    def handle(self) -> None:
        head = b""
        while line := self.rfile.readline():
            head += line
            if line == b"\r\n":
                self.server.heads.append(head)
                self.server.script(self.connection, head)
                head = b""


def forward(connection: socket.socket, head: bytes) -> None:
    """A forward proxy as a script: CONNECT, and GET in absolute form."""
    method, target, _ = head.split(b" ", 2)
    name = target if method == b"CONNECT" else target.split(b"/")[2]
    host, port = name.decode().rsplit(":", 1)
    with socket.create_connection((host, int(port))) as onward:
        if method == b"CONNECT":
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onward.sendall(head)
        back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
        back.start()
        _pump(connection, onward)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Until either side is gone, which any side may be at any time."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def serving(server: FileServer | Scripted, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """While it runs: its base URL."""
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
