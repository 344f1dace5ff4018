"""Getting connected: names, addresses, a proxy, TLS.

``ssl`` is imported only where it is used, and ``_socket`` stands for ``socket``: they cost 17 and 6 ms (ADR 11).
"""

from __future__ import annotations

import _socket
from _thread import allocate_lock, start_new_thread

from enigm_tuf.errors import MisuseError, TransportError
from enigm_tuf_client.http_head import Head
from enigm_tuf_client.http_wire import Deadline, Wire

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    import ssl
    from typing import Any, TypeAlias

    from enigm_tuf_client.address import Address
    from enigm_tuf_client.http_wire import Bounds

    Connected: TypeAlias = _socket.socket | ssl.SSLSocket
    Found: TypeAlias = list[tuple[int, int, int, str, Any]]


class Tls:
    """TLS 1.2 or newer, host name checked. With ``ca_file`` that CA alone is trusted, without it the system's.

    ``certificate_file`` and ``key_file`` (PEM, the key without a password) are what the device shows (mutual TLS).
    """

    __slots__ = ("_context", "_told")

    def __init__(
        self, *, ca_file: str | None = None, certificate_file: str | None = None, key_file: str | None = None
    ) -> None:
        """MisuseError for files that cannot be used."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies the chain and the host name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            if ca_file is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(ca_file)
            if certificate_file is not None:
                context.load_cert_chain(certificate_file, key_file, password=b"")  # never asks at a terminal
            elif key_file is not None:
                raise MisuseError("a client key without its certificate")
        except OSError as error:
            raise MisuseError(f"TLS files {ca_file}, {certificate_file}, {key_file}: {error}") from error
        self._context = context
        trusted = "the system's CAs" if ca_file is None else "a pinned CA"
        self._told = f"TLS, {trusted}{'' if certificate_file is None else ', with a client certificate'}"

    def describe(self) -> str:
        """One line for the gate report."""
        return self._told

    def wrap(self, plain: Connected, host: str, seconds: float) -> ssl.SSLSocket:
        """The handshake, in at most ``seconds``; OSError. A connection that is cut without notice is an error too."""
        from socket import socket

        owned = socket(fileno=plain.detach())
        try:
            owned.settimeout(seconds)
            name = host.encode()  # as bytes: text would import the idna codec
            return self._context.wrap_socket(owned, server_hostname=name, suppress_ragged_eofs=False)
        except BaseException:
            owned.close()
            raise


class Route:
    """How to reach one server: directly or through a proxy, with TLS or without."""

    __slots__ = ("_bounds", "_proxy", "_server", "_tls")

    def __init__(self, server: Address, proxy: Address | None, tls: Tls | None, bounds: Bounds) -> None:
        self._server = server
        self._proxy = proxy
        self._tls = tls
        self._bounds = bounds

    def connect(self, pace: Deadline, name: str) -> Wire:
        """A connection that is ready for requests; TransportError."""
        first = self._proxy or self._server
        wire = Wire(_connect(first, pace, self._bounds), self._bounds, pace, name)
        try:
            if self._tls is None:
                return wire
            if self._proxy is not None:
                _tunnel(wire, self._server, self._bounds)
            secured = self._tls.wrap(wire.release(), self._server.host, pace.left())
        except OSError as error:
            raise TransportError(f"{name}: TLS with {self._server.authority}: {error.strerror or error}") from error
        finally:
            if self._tls is not None:
                wire.close()  # nothing to close once its socket was handed to TLS
        return Wire(secured, self._bounds, pace, name)


def _tunnel(wire: Wire, server: Address, bounds: Bounds) -> None:
    """CONNECT (RFC 9110 section 9.3.6)."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    target = f"{host}:{server.port}"
    wire.send(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    status = Head(wire.head(bounds.head), wire.name).status
    if status != 200:
        raise TransportError(f"{wire.name}: the proxy answered CONNECT with status {status}")


def _connect(address: Address, pace: Deadline, bounds: Bounds) -> _socket.socket:
    """To the first of its addresses that answers; a dead one never takes the time of those after it."""
    found = _resolve(address, min(bounds.idle, pace.left()))
    problem = "no address"
    for index, (family, kind, protocol, _, target) in enumerate(found):
        connection = _socket.socket(family, kind, protocol)
        try:
            connection.settimeout(min(bounds.idle, pace.left() / (len(found) - index)))
            connection.connect(target)
        except OSError as error:
            connection.close()
            problem = error.strerror or str(error)
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise TransportError(f"{address.authority}: {problem}")


def _resolve(address: Address, seconds: float) -> Found:
    """The addresses of a host. In a thread, because the system's resolver knows no time limit."""
    found: Found = []
    problem: list[OSError] = []
    done = allocate_lock()
    done.acquire()

    def ask() -> None:
        try:
            host = address.host.encode()  # as bytes: text would import the idna codec
            found.extend(_socket.getaddrinfo(host, address.port, 0, _socket.SOCK_STREAM))
        except OSError as error:
            problem.append(error)
        finally:
            done.release()

    start_new_thread(ask, ())
    if not done.acquire(timeout=seconds):
        raise TransportError(f"{address.host}: no address found in {seconds:.1f} s")
    if problem:
        raise TransportError(f"{address.host}: {problem[0].strerror}") from problem[0]
    return found
