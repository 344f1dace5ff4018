"""HTTP/1.1 for a device: GET on one server, bounded in bytes and time (ADR 11). Nothing that it returns is trusted."""

from __future__ import annotations

from enigm_tuf.errors import MisuseError, NotFoundError, TransportError
from enigm_tuf_client.address import Address, require_range, require_sendable
from enigm_tuf_client.http_body import Answer
from enigm_tuf_client.http_connect import Route, Tls
from enigm_tuf_client.http_head import Head
from enigm_tuf_client.http_wire import Bounds, DeadConnectionError, Deadline, Wire

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from collections.abc import Mapping

    from enigm_tuf.ports import Channel, RequestSigner

__all__ = ["Bounds", "HttpFetcher", "Tls"]

_INTERIM = 8  # 1xx answers before the real one
_BOUNDS = Bounds()


class HttpFetcher:
    """Files below ``base_url``: an ``enigm_tuf.ports.Fetcher``.

    No redirects, no content decoding, no environment variables. Connections are kept and used again.
    ``tls`` is for https only, and defaults to the system's CAs; ``proxy`` is ``http://host:port``; ``signer`` tells
    the service who asks.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tls: Tls | None = None,
        proxy: str | None = None,
        signer: RequestSigner | None = None,
        bounds: Bounds = _BOUNDS,
    ) -> None:
        """MisuseError for a URL that is not plainly one."""
        self._kept: list[Wire] = []
        server = Address(base_url)
        if tls is not None and not server.secure:
            raise MisuseError(f"{base_url}: TLS is asked for, but the URL is not https")
        through = None if proxy is None else _proxy_address(proxy)
        secured = (tls or Tls()) if server.secure else None
        self._base = server.origin + server.path
        self._path = server.path
        self._target = self._base if through and not server.secure else server.path
        self._authority = server.authority
        self._signer = signer
        self._tls = secured
        self._route = Route(server, through, secured, bounds)
        self._bounds = bounds

    def close(self) -> None:
        """Close the connections that were kept; the fetcher can still be used."""
        while self._kept:
            self._kept.pop().close()

    __del__ = close

    def channel(self) -> Channel:
        """TLS if there is any, and who signs the requests."""
        from enigm_tuf.ports import Channel

        return Channel(self._tls.describe() if self._tls else "", self._signer.describe() if self._signer else "")

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""
        with self._ask(path, {}) as answer:
            _require_found(answer, f"{self._base}/{path}")
            if answer.head.status != 200:
                raise TransportError(f"{self._base}/{path}: status {answer.head.status}")
            return answer.whole(max_bytes)

    def open(self, path: str, start: int, stop: int) -> Answer:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError.

        TransportError as well if the file has no byte ``start`` (but an empty file gives nothing from 0 on).
        """
        require_range(path, start, stop)
        answer = self._ask(path, {"range": f"bytes={start}-{max(stop - 1, start)}"})
        try:
            _require_found(answer, f"{self._base}/{path}")
            answer.span(start, stop, self._bounds)
        except BaseException:
            answer.__exit__()
            raise
        return answer

    def _ask(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send one request, on a kept connection if one is alive, and read the head of the answer."""
        require_sendable(path)
        name = f"{self._base}/{path}"
        pace = Deadline(self._bounds.whole, name)
        request = self._request(path, fields)
        if wire := self._alive(pace, name):
            try:
                return Answer(wire, self._exchange(wire, request), self._keep)
            except DeadConnectionError:
                pass  # the server closed it while we asked: once more, on a new one
        wire = self._route.connect(pace, name)
        return Answer(wire, self._exchange(wire, request), self._keep)

    def _request(self, path: str, fields: Mapping[str, str]) -> bytes:
        if self._signer is not None:
            fields = {**fields, **self._signer.fields(self._authority, f"{self._path}/{path}", fields)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return (
            f"GET {self._target}/{path} HTTP/1.1\r\nHost: {self._authority}\r\n"
            f"User-Agent: enigm-tuf-client\r\nAccept-Encoding: identity\r\n{lines}\r\n"
        ).encode()

    def _keep(self, wire: Wire) -> None:
        self._kept.append(wire)

    def _alive(self, pace: Deadline, name: str) -> Wire | None:
        while self._kept:
            wire = self._kept.pop()
            wire.pace, wire.name = pace, name
            if wire.is_quiet():
                return wire
            wire.close()
        return None

    def _exchange(self, wire: Wire, request: bytes) -> Head:
        try:
            wire.send(request)
            return _final_head(wire, self._bounds.head)
        except BaseException:
            wire.close()
            raise


def _final_head(wire: Wire, limit: int) -> Head:
    """The first one that is not interim (RFC 9110 section 15.2)."""
    for _ in range(_INTERIM):
        head = Head(wire.head(limit), wire.name)
        if head.status >= 200:
            return head
    raise TransportError(f"{wire.name}: nothing but interim answers")


def _require_found(answer: Answer, name: str) -> None:
    if answer.head.status in {403, 404}:  # object stores answer 403 for what is not there
        answer.spill()
        raise NotFoundError(f"{name}: status {answer.head.status}")


def _proxy_address(url: str) -> Address:
    address = Address(url)
    if address.secure or address.path:
        raise MisuseError(f"{url}: not a proxy, which is http://host:port")
    return address
