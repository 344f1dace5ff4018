"""A proxy before a store: counts requests, and cuts the line, or kills somebody, at the one that a test names."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Fate(Enum):
    """What becomes of a request."""

    PASS = "it goes through"
    LOST = "it never arrives"
    UNANSWERED = "it is done, and nobody is told"


class Proxy(ThreadingHTTPServer):
    """``fate`` is asked with the number of each request, from 0, and its method and path."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(endpoint).netloc
        self.requests: list[str] = []
        self.fate: Callable[[int, str], Fate] = always
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        return self.server_port

    def cut_at(self, number: int, fate: Fate) -> None:
        """From now on: requests before ``number`` pass, that one has this fate, and after it the line is dead."""
        self.requests = []
        self.fate = lambda asked, _: Fate.PASS if asked < number else fate if asked == number else Fate.LOST

    def mend(self) -> None:
        self.requests = []
        self.fate = always

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that were killed are part of the tests."""


def always(number: int, request: str) -> Fate:
    """Everything passes."""
    del number, request
    return Fate.PASS


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out apart
    server: Proxy

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            number, asked = len(self.server.requests), f"{self.command} {self.path}"
            self.server.requests.append(asked)
        fate = self.server.fate(number, asked)
        if fate is not Fate.LOST:
            answer, data = self._ask(body)
            if fate is Fate.PASS:
                self._answer(answer, data)
                return
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _forward  # noqa: N815 - the base class names them so

    def _ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        """The fields go on as they are: they are signed."""
        line = http.client.HTTPConnection(self.server.upstream)
        line.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"connection", "expect"}:
                line.putheader(name, value)
        line.endheaders(body)
        answer = line.getresponse()
        data = answer.read()
        line.close()
        return answer, data

    def _answer(self, answer: http.client.HTTPResponse, data: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def proxied(endpoint: str) -> Iterator[Proxy]:
    """A running proxy before ``endpoint``."""
    proxy = Proxy(endpoint)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
