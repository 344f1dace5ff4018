"""One contract for every fetcher: a directory, and HTTP in each framing, with TLS, and through a proxy."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from enigm_testkit.web import FileServer, Scripted, Style, forward, serving
from enigm_testkit.web_pki import WebCa
from enigm_tuf.errors import MisuseError, NotFoundError, TransportError
from enigm_tuf.ports import Fetcher, Source
from enigm_tuf_client.fetch import FileFetcher, HttpFetcher, Tls

DATA = bytes(range(256)) * 5000  # 1.28 MB: more than any buffer on the way
Make = Callable[[ExitStack, Path, Path], Fetcher]


def web(style: Style, *, tls: bool = False, proxy: bool = False) -> Make:
    def make(stack: ExitStack, folder: Path, keys: Path) -> Fetcher:
        authority = WebCa(keys, "vendor") if tls else None
        url = stack.enter_context(serving(FileServer(folder, style), authority.server_context() if authority else None))
        through = stack.enter_context(serving(Scripted(forward))) if proxy else None
        return HttpFetcher(url, tls=mutual(authority) if authority else None, proxy=through)

    return make


def mutual(authority: WebCa) -> Tls:
    certificate_file, key_file = authority.issue("device")
    return Tls(ca_file=str(authority.ca_file), certificate_file=certificate_file, key_file=key_file)


FETCHERS: dict[str, Make] = {
    "a directory": lambda _stack, folder, _keys: FileFetcher(folder),
    "http with ranges": web("ranges"),
    "http without ranges": web("whole"),
    "http in chunks": web("chunked"),
    "http up to the end of the connection": web("close"),
    "mutual tls": web("ranges", tls=True),
    "tls up to the end of the connection": web("close", tls=True),
    "http through a proxy": web("ranges", proxy=True),
    "mutual tls through a proxy": web("ranges", tls=True, proxy=True),
}


@pytest.fixture(params=FETCHERS)
def fetcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fetcher]:
    folder, keys = tmp_path / "served", tmp_path / "keys"
    (folder / "a").mkdir(parents=True)
    keys.mkdir()
    (folder / "a" / "file").write_bytes(DATA)
    (folder / "a" / "empty").write_bytes(b"")
    with ExitStack() as stack:
        yield FETCHERS[request.param](stack, folder, keys)


def drained(source: Source, piece: int = 100_000) -> bytes:
    buffer, data = memoryview(bytearray(piece)), bytearray()
    while count := source.readinto(buffer):
        data += buffer[:count]
    assert source.readinto(buffer) == 0, "the end stays the end"
    return bytes(data)


def test_the_whole_file_comes_up_to_the_limit_and_not_one_byte_beyond(fetcher: Fetcher) -> None:
    assert fetcher.fetch("a/file", len(DATA)) == DATA
    with pytest.raises(TransportError, match="allowed"):
        fetcher.fetch("a/file", len(DATA) - 1)
    assert fetcher.fetch("a/empty", 0) == b""


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, len(DATA)), (7, 300_000), (len(DATA) - 1, len(DATA)), (9, 9)])
def test_exactly_the_bytes_that_were_asked_for_come(fetcher: Fetcher, start: int, stop: int) -> None:
    with fetcher.open("a/file", start, stop) as source:
        assert drained(source) == DATA[start:stop]


def test_a_file_that_is_shorter_than_asked_ends_where_it_ends(fetcher: Fetcher) -> None:
    with fetcher.open("a/file", 5, len(DATA) + 5) as source:
        assert drained(source, 999) == DATA[5:]
    for stop in (0, 5):
        with fetcher.open("a/empty", 0, stop) as source:
            assert drained(source) == b""


def test_a_file_without_the_first_byte_that_was_asked_for_is_an_error(fetcher: Fetcher) -> None:
    for path, start in (("a/file", len(DATA)), ("a/file", len(DATA) + 9), ("a/empty", 1)):
        with pytest.raises(TransportError), fetcher.open(path, start, start + 1) as source:
            drained(source)


def test_what_is_not_there_is_not_found(fetcher: Fetcher) -> None:
    with pytest.raises(NotFoundError):
        fetcher.fetch("a/other", 10)
    with pytest.raises(NotFoundError), fetcher.open("b/file", 3, 10):
        pass
    assert fetcher.fetch("a/file", len(DATA)) == DATA, "and the fetcher goes on working"


def test_two_files_can_be_open_at_once_and_one_left_in_the_middle(fetcher: Fetcher) -> None:
    buffer = memoryview(bytearray(10))
    with fetcher.open("a/file", 1, len(DATA)) as one, fetcher.open("a/file", 2, 500) as two:
        assert one.readinto(buffer[:1]) == 1
        assert buffer[:1] == DATA[1:2]
        assert drained(two) == DATA[2:500]
    assert fetcher.fetch("a/empty", 9) == b""


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../served/a/file", "a/../../keys", "a/./file", "a/..", "a\0b"])
def test_a_path_that_leads_out_is_refused_before_anything_is_asked(fetcher: Fetcher, path: str) -> None:
    with pytest.raises(MisuseError):
        fetcher.fetch(path, 10)
    with pytest.raises(MisuseError):
        fetcher.open(path, 0, 10)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4)])
def test_a_range_that_is_none_is_refused(fetcher: Fetcher, start: int, stop: int) -> None:
    with pytest.raises(MisuseError):
        fetcher.open("a/file", start, stop)


def test_a_directory_gives_nothing_by_a_link_that_leads_out_and_waits_for_no_pipe(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to(tmp_path)
    (root / "real").write_bytes(b"real")
    (root / "in").symlink_to("real")
    os.mkfifo(root / "pipe")
    (tmp_path / "link").symlink_to(root)
    fetcher = FileFetcher(tmp_path / "link")
    assert fetcher.fetch("in", 9) == b"real"
    for path in ("out", "up/secret", "pipe", "up"):
        with pytest.raises(TransportError, match=r"leads out|not a file"):
            fetcher.fetch(path, 9)


def test_a_check_uses_one_connection_even_when_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    server = FileServer(tmp_path, "ranges")
    with serving(server) as url:
        fetcher = HttpFetcher(url)
        for path in ("2.root.json", "3.root.json"):
            with pytest.raises(NotFoundError):
                fetcher.fetch(path, 100)
        fetcher.fetch("file", len(DATA))
        with fetcher.open("file", 100, 200) as source:
            drained(source)
        fetcher.fetch("file", len(DATA))
    assert (server.connections, len(server.requests)) == (1, 5)


def test_the_bytes_of_a_large_file_come_through_a_proxy_in_absolute_form(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    server = FileServer(tmp_path, "ranges")
    proxy = Scripted(forward)
    with serving(server) as url, serving(proxy) as through:
        data = HttpFetcher(url, proxy=through).fetch("file", len(DATA))
    assert hashlib.sha256(data).digest() == hashlib.sha256(DATA).digest()
    assert server.requests == [f"GET {url}/file HTTP/1.1"]
    assert proxy.heads[0].startswith(server.requests[0].encode())


def test_only_the_pinned_ca_is_trusted_for_the_name_in_the_url_and_only_our_devices_are_served(tmp_path: Path) -> None:
    ours, theirs = WebCa(tmp_path, "ours"), WebCa(tmp_path, "theirs")
    (tmp_path / "file").write_bytes(b"x")
    certificate_file, key_file = theirs.issue("device")
    strangers = {
        "another CA": Tls(ca_file=str(theirs.ca_file)),
        "the system's CAs": Tls(),
        "no client certificate": Tls(ca_file=str(ours.ca_file)),
        "a client certificate of another CA": Tls(
            ca_file=str(ours.ca_file), certificate_file=certificate_file, key_file=key_file
        ),
    }
    with serving(FileServer(tmp_path, "ranges"), ours.server_context()) as url:
        assert HttpFetcher(url, tls=mutual(ours)).fetch("file", 1) == b"x"
        for tls in strangers.values():
            with pytest.raises(TransportError):
                HttpFetcher(url, tls=tls).fetch("file", 1)
    with (
        serving(FileServer(tmp_path, "ranges"), ours.server_context("127.0.0.2")) as url,
        pytest.raises(TransportError, match=r"127\.0\.0\.1"),
    ):
        HttpFetcher(url, tls=mutual(ours)).fetch("file", 1)


def test_tls_files_that_cannot_be_used_are_refused_at_once(tmp_path: Path) -> None:
    authority = WebCa(tmp_path, "ours")
    certificate_file, key_file = authority.issue("device")
    (tmp_path / "no.pem").write_bytes(b"no")
    for files in (
        {"ca_file": str(tmp_path / "none.pem")},
        {"ca_file": str(tmp_path / "no.pem")},
        {"key_file": key_file},
        {"certificate_file": certificate_file},
        {"certificate_file": certificate_file, "key_file": str(authority.ca_file)},
    ):
        with pytest.raises(MisuseError):
            Tls(**files)
    with pytest.raises(MisuseError, match="not https"):
        HttpFetcher("http://127.0.0.1", tls=Tls(ca_file=str(authority.ca_file)))
