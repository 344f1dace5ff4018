"""Scripts of hostile servers, and a fetcher with short bounds that asks them."""

import socket
import threading

from enigm_testkit.web import Script, Scripted, serving
from enigm_tuf_client.fetch import Bounds, HttpFetcher

SHORT = Bounds(idle=0.3, whole=0.3, rate=100_000, window=0.3)
PATIENT = 5.0  # seconds: far above every bound here, far below a hang
OK = b"HTTP/1.1 200 OK\r\n"
PART = b"HTTP/1.1 206 Partial Content\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def says(data: bytes) -> Script:
    """Send ``data`` and hang up."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def drips(first: bytes, drop: bytes, seconds: float = 0.01) -> Script:
    """Send ``first``, then ``drop`` again and again, with a pause, until the client hangs up."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        pause = threading.Event()
        while not pause.wait(seconds):
            connection.sendall(drop)

    return answer


def fetched(script: Script, limit: int = 1000) -> bytes:
    with serving(Scripted(script)) as url:
        return HttpFetcher(url, bounds=SHORT).fetch("file", limit)


def opened(script: Script, start: int, stop: int) -> bytes:
    buffer, data = memoryview(bytearray(1000)), bytearray()
    with serving(Scripted(script)) as url, HttpFetcher(url, bounds=SHORT).open("file", start, stop) as source:
        while got := source.readinto(buffer):
            data += buffer[:got]
    return bytes(data)
