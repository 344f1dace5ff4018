"""A server that takes its time is left in time, and a device that takes its own is not blamed for it."""

import socket
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from enigm_testkit.hostile_web import CHUNKED, OK, PATIENT, SHORT, drips, fetched, opened, says
from enigm_testkit.web import Script, Scripted, serving
from enigm_tuf.errors import TransportError
from enigm_tuf_client.fetch import Bounds, HttpFetcher

SLOW: dict[str, Script] = {
    "silence": drips(b"", b"", PATIENT),
    "a head byte by byte": drips(OK + b"X: ", b"y"),
    "header after header": drips(OK, b"X: y\r\n"),
    "interim answers without end": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
    "silence after the head": drips(OK + b"Content-Length: 999\r\n\r\n", b"", PATIENT),
    "a body byte by byte": drips(OK + b"Content-Length: 999\r\n\r\n", b"y"),
    "chunk by chunk": drips(CHUNKED, b"1\r\na\r\n"),
    "chunks that are all extension": drips(CHUNKED, b"1;" + b"x" * 8000 + b"\r\na\r\n"),
    "a chunk's size digit by digit": drips(CHUNKED, b"0"),
    "trailer by trailer": drips(CHUNKED + b"0\r\n", b"X: y\r\n", 0.02),
    "a missing file's body byte by byte": drips(b"HTTP/1.1 404 No\r\nContent-Length: 999\r\n\r\n", b"y"),
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("ask", [fetched, lambda script: opened(script, 0, 900)], ids=["fetch", "open"])
def test_a_server_that_drips_is_left_in_time(name: str, ask: Callable[[Script], bytes]) -> None:
    before = monotonic()
    with pytest.raises(TransportError):
        ask(SLOW[name])
    assert monotonic() - before < PATIENT


def test_a_slow_body_is_refused_for_its_speed_and_the_same_body_is_taken_at_a_lower_floor() -> None:
    script = drips(OK + b"Content-Length: 500\r\n\r\n", b"y" * 10)
    with pytest.raises(TransportError, match="too slow"):
        opened(script, 0, 500)
    with serving(Scripted(script)) as url:
        bounds = Bounds(idle=PATIENT, whole=PATIENT, rate=100, window=0.1)
        with HttpFetcher(url, bounds=bounds).open("file", 0, 500) as source:
            buffer = memoryview(bytearray(500))
            assert sum(iter(lambda: source.readinto(buffer), 0)) == 500


def test_a_body_above_the_floor_ends_with_the_time_for_all_of_it() -> None:
    script = drips(OK + b"Content-Length: 99999\r\n\r\n", b"y" * 10)
    bounds = Bounds(rate=1, window=0.2, longest=0.3)
    buffer = memoryview(bytearray(500))
    with (
        serving(Scripted(script)) as url,
        HttpFetcher(url, bounds=bounds).open("file", 0, 99_999) as source,
        pytest.raises(TransportError, match=r"not done after 0.3 s of waiting"),
    ):
        sum(iter(lambda: source.readinto(buffer), 0))


def test_a_caller_that_is_slow_itself_is_not_taken_for_a_slow_server() -> None:
    with (
        serving(Scripted(says(OK + b"Content-Length: 8\r\n\r\nabcdefgh"))) as url,
        HttpFetcher(url, bounds=Bounds(idle=0.1, rate=100_000, window=0.1)).open("file", 0, 8) as source,
    ):
        buffer = memoryview(bytearray(1))
        for _ in range(8):
            threading.Event().wait(0.05)  # writing to flash
            assert source.readinto(buffer) == 1


def test_a_server_that_takes_no_connection_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for queued in waiting:
            queued.setblocking(False)
            queued.connect_ex(("127.0.0.1", port))
        before = monotonic()
        with pytest.raises(TransportError):
            HttpFetcher(f"http://127.0.0.1:{port}", bounds=SHORT).fetch("file", 9)
        for queued in waiting:
            queued.close()
    assert monotonic() - before < PATIENT


def test_a_resolver_that_never_answers_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr("_socket.getaddrinfo", lambda *_: release.wait(PATIENT) and [])
    before = monotonic()
    with pytest.raises(TransportError, match="no address"):
        HttpFetcher("http://updates.example", bounds=SHORT).fetch("file", 9)
    release.set()
    assert monotonic() - before < PATIENT
