"""What goes out: URLs, paths and proxies that are refused, and a request that is what was asked for."""

import pytest

from enigm_testkit.web import Scripted, serving
from enigm_tuf.errors import MisuseError
from enigm_tuf_client.fetch import HttpFetcher


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host", "host/path", "http:/host", "http://", "http:///path", "http://user@host", "http://u:p@host/x",
        "http://host:0", "http://host:65536", "http://host:", "http://host:+1", "http://host:٣", "http://ho st",
        "http://host/a b", "http://host/a?b", "http://host/a#b", "http://host/a\r\nX: y", "http://höst", "http://h\\x",
        "http://[::1", "http://[::1]x", "http://[fe80::1%25eth0]", "http://::1", "http://a..b", f"http://{'a' * 64}",
    ],
)  # fmt: skip
def test_a_url_that_is_not_plainly_one_is_refused(url: str) -> None:
    with pytest.raises(MisuseError):
        HttpFetcher(url)
    with pytest.raises(MisuseError):
        HttpFetcher("http://host", proxy=url)


@pytest.mark.parametrize("path", ["a b", "a\r\nX: y", "a\tb", "a?b", "a#b", "å", "a\\b", "a\x7fb"])
def test_a_path_that_would_change_the_request_is_refused(path: str) -> None:
    with pytest.raises(MisuseError):
        HttpFetcher("http://127.0.0.1:1").fetch(path, 9)


@pytest.mark.parametrize("proxy", ["https://host:1", "http://host:1/path"])
def test_a_proxy_that_is_not_a_plain_one_is_refused(proxy: str) -> None:
    with pytest.raises(MisuseError, match="not a proxy"):
        HttpFetcher("http://host", proxy=proxy)


def test_the_request_is_what_was_asked_for_percent_encoding_and_base_path_as_they_are() -> None:
    server = Scripted(lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"))
    with serving(server) as url:
        HttpFetcher(f"{url}/base/%7e/").fetch("1.a%2Fb//c.json", 9)
    host = url.removeprefix("http://").encode()
    assert server.heads == [
        b"GET /base/%7e/1.a%2Fb//c.json HTTP/1.1\r\nHost: " + host + b"\r\n"
        b"User-Agent: enigm-tuf-client\r\nAccept-Encoding: identity\r\n\r\n"
    ]
