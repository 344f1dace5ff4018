"""What a server can do to a device: nothing but a TransportError, in bounded time and with bounded bytes."""

import socket
import subprocess
import sys
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_testkit.hostile_web import CHUNKED, OK, PART, SHORT, fetched, opened, says
from enigm_testkit.web import Scripted, serving
from enigm_tuf.errors import EnigmTufError, NotFoundError, TransportError
from enigm_tuf_client.fetch import HttpFetcher


@pytest.mark.parametrize(
    ("answer", "body"),
    {
        "a length": (OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        "more than the length": (OK + b"Content-Length: 3\r\n\r\nabcdef", b"abc"),
        "chunks": (CHUNKED + b"2\r\nab\r\n1 ;x=y\r\nc\r\n000\r\nA: b\r\n\r\n", b"abc"),
        "upper case and spaces": (OK + b"content-LENGTH: \t 3 \r\nX:\r\nContent-Encoding: Identity\r\n\r\nabc", b"abc"),
        "the end of the connection": (b"HTTP/1.0 200\r\n\r\nabc", b"abc"),
        "an interim answer": (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
            b"a",
        ),
        "as many header fields as are allowed": (OK + b"X: y\r\n" * 99 + b"Content-Length: 0\r\n\r\n", b""),
    }.values(),
)
def test_an_honest_answer_is_read(answer: bytes, body: bytes) -> None:
    assert fetched(says(answer)) == body


BAD = {
    "nothing": b"",
    "no HTTP": b"220 smtp ready\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a negative status": b"HTTP/1.1 -20 OK\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a part that nobody asked for": PART + b"Content-Range: bytes 0-2/3\r\nContent-Length: 3\r\n\r\nabc",
    "an error": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    "nothing but interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    "gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "length and chunks": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two lengths in one": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "a negative length": OK + b"Content-Length: -3\r\n\r\nabc",
    "a length with a sign": OK + b"Content-Length: +3\r\n\r\nabc",
    "a length with an underscore": OK + b"Content-Length: 1_0\r\n\r\nabcdefghij",
    "a length in other digits": OK + "Content-Length: ٣\r\n\r\nabc".encode(),
    "a length of a thousand digits": OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\nabc",
    "a longer body than allowed, as told": OK + b"Content-Length: 1001\r\n\r\n" + b"a" * 1001,
    "a longer body than allowed, in chunks": CHUNKED + b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n",
    "a longer body than allowed, untold": OK + b"\r\n" + b"a" * 1001,
    "a body cut in the middle": OK + b"Content-Length: 4\r\n\r\nabc",
    "chunks cut in the middle": CHUNKED + b"4\r\nabc",
    "chunks without an end": CHUNKED + b"3\r\nabc\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "a chunk of 0x3": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    "a chunk beyond all integers": CHUNKED + b"f" * 500 + b"\r\nabc",
    "a chunk extension without end": CHUNKED + b"3;" + b"x" * 20_000 + b"\r\nabc\r\n0\r\n\r\n",
    "trailers without end": CHUNKED + b"0\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "a transfer coding on top": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "another transfer coding": OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": OK + b"X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc",
    "a space before the colon": OK + b"Content-Length : 3\r\n\r\nabc",
    "a header without a colon": OK + b"Content-Length 3\r\n\r\nabc",
    "a header without a name": OK + b": 3\r\n\r\nabc",
    "a control character": OK + b"X: a\0b\r\nContent-Length: 3\r\n\r\nabc",
    "a bare line feed": OK + b"X: a\nContent-Length: 3\r\n\r\nabc",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "101 headers": OK + b"X: y\r\n" * 100 + b"Content-Length: 0\r\n\r\n",
    "1000 headers": OK + b"X: y\r\n" * 1000 + b"Content-Length: 0\r\n\r\n",
    "a long line": OK + b"X: " + b"y" * 8200 + b"\r\nContent-Length: 0\r\n\r\n",
    "a long head": OK + (b"X: " + b"y" * 5000 + b"\r\n") * 4 + b"Content-Length: 0\r\n\r\n",
    "a head without end": OK + b"X: y",
}


@pytest.mark.parametrize("name", BAD)
def test_a_dishonest_answer_is_a_transport_error(name: str) -> None:
    with pytest.raises(TransportError) as refused:
        fetched(says(BAD[name]))
    assert not isinstance(refused.value, NotFoundError)


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Range: bytes 4-7/8\r\n",  # starts elsewhere
        b"Content-Range: bytes 3-8/9\r\n",  # longer than asked
        b"Content-Range: bytes 3-2/8\r\n",
        b"Content-Range: bytes 3-6/6\r\n",  # ends beyond the file
        b"Content-Range: bytes -3-6/8\r\n",
        b"Content-Range: bytes */8\r\n",
        b"Content-Range: lines 3-6/8\r\n",
        b"Content-Range: bytes 3-6/8\r\nContent-Range: bytes 3-6/8\r\n",
        b"Content-Range: bytes 3-5/8\r\n",  # other than Content-Length
        b"Content-Type: multipart/byteranges; boundary=x\r\n",
    ],
)
def test_a_part_that_is_not_the_one_that_was_asked_for_is_refused(fields: bytes) -> None:
    good = PART + b"Content-Range: bytes 3-6/8\r\nContent-Length: 4\r\n\r\ndefg"
    assert opened(says(good), 3, 8) == b"defg"
    with pytest.raises(TransportError):
        opened(says(PART + fields + b"Content-Length: 4\r\n\r\ndefg"), 3, 8)


@pytest.mark.parametrize("framing", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_a_part_gives_what_its_range_says_never_more_and_never_less(framing: bytes) -> None:
    head = PART + b"Content-Range: bytes 3-6/8\r\n" + framing + b"\r\n"

    def framed(data: bytes) -> bytes:
        return head + (b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data) if framing else data)

    assert opened(says(framed(b"defgh")), 3, 8) == b"defg"
    with pytest.raises(TransportError, match="too early"):
        opened(says(framed(b"def")), 3, 8)


def test_a_whole_file_instead_of_a_part_is_cut_to_size() -> None:
    whole = OK + b"Content-Length: 8\r\n\r\nabcdefgh"
    assert opened(says(whole), 3, 5) == b"de"
    assert opened(says(whole), 0, 9) == b"abcdefgh"


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("body", [b"Content-Length: 3\r\n\r\nabc", b"Content-Length: 9\r\n\r\ncut", b"\r\nabc"])
def test_what_the_server_says_is_not_there_is_not_found_whatever_its_body(status: int, body: bytes) -> None:
    with pytest.raises(NotFoundError):
        fetched(says(b"HTTP/1.1 %d No\r\n%s" % (status, body)))


def test_a_name_that_does_not_exist_and_a_port_that_is_closed_are_transport_errors() -> None:
    for url in ("http://no.such.name.invalid", "http://127.0.0.1:1", "http://[::1]:1"):
        with pytest.raises(TransportError):
            HttpFetcher(url, bounds=SHORT).fetch("file", 9)


def test_a_kept_connection_that_died_is_replaced_once() -> None:
    numbers = count()

    def answer(connection: socket.socket, _: bytes) -> None:
        if next(numbers) == 1:  # the second request, on the kept connection: hang up instead of answering
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.sendall(OK + b"Content-Length: 1\r\n\r\nx")

    server = Scripted(answer)
    with serving(server) as url:
        fetcher = HttpFetcher(url, bounds=SHORT)
        assert [fetcher.fetch(name, 1) for name in ("a", "b")] == [b"x", b"x"]
    assert [head.split()[1] for head in server.heads] == [b"/a", b"/b", b"/b"]


def test_bytes_that_come_unasked_on_a_kept_connection_answer_nothing() -> None:
    def answer(connection: socket.socket, head: bytes) -> None:
        name = head.split()[1][1:]
        connection.sendall(OK + b"Content-Length: 1\r\n\r\n" + name + OK + b"Content-Length: 1\r\n\r\n!")

    with serving(Scripted(answer)) as url:
        fetcher = HttpFetcher(url, bounds=SHORT)
        assert [fetcher.fetch(name, 1) for name in ("a", "b", "c")] == [b"a", b"b", b"c"]


def test_a_proxy_that_refuses_or_speaks_before_tls_is_a_transport_error() -> None:
    for answer in (b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.1 404 No\r\n\r\n", OK + b"\r\nHTTP/1.1 200 OK\r\n\r\n", b"?"):
        proxy = Scripted(says(answer))
        with serving(proxy) as through, pytest.raises(TransportError) as refused:
            HttpFetcher("https://updates.example", proxy=through, bounds=SHORT).fetch("file", 9)
        assert not isinstance(refused.value, NotFoundError)
        assert proxy.heads == [b"CONNECT updates.example:443 HTTP/1.1\r\nHost: updates.example:443\r\n\r\n"]


LINES = st.sampled_from(
    [OK, PART, b"HTTP/1.1 404 N\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"Content-Length: 3\r\n", b"Content-Length: ", b"\r\n",
     b"Transfer-Encoding: chunked\r\n", b"Content-Range: bytes 1-3/9\r\n", b"\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES | st.binary(max_size=20), max_size=12))
def test_whatever_bytes_a_server_sends_nothing_is_raised_but_our_own_errors(pieces: list[bytes]) -> None:
    answer = b"".join(pieces)
    with suppress(EnigmTufError):
        assert len(fetched(says(answer), 50)) <= 50
    with suppress(EnigmTufError):
        assert len(opened(says(answer), 1, 4)) <= 3


def test_the_client_imports_next_to_nothing() -> None:
    code = (
        "import sys, enigm_tuf.errors; before = set(sys.modules); import enigm_tuf_client.http\n"
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('enigm_tuf_client')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert set(printed) <= {"_socket", "__future__"}
