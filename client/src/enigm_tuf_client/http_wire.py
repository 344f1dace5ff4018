"""One connection, bounded in bytes and in time."""

from __future__ import annotations

import _socket
from time import monotonic

from enigm_tuf.errors import TransportError
from enigm_tuf_client.http_head import MAX_LINE

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Protocol

    from enigm_tuf_client.http_connect import Connected

    class Pace(Protocol):
        """How long a response may take."""

        def left(self) -> float:
            """Seconds until the next judgement; TransportError when the time is over."""
            ...

        def spent(self, seconds: float) -> None:
            """So long was waited for something to come; TransportError when that is too slow."""
            ...


_SCRATCH = 16384


class Bounds:
    """What a server may cost.

    ``idle``: seconds in which at least one byte must come. ``whole``: seconds for connecting and the head of any
    response, and for all of a file that is fetched whole. ``rate``: least bytes a second of a longer body, averaged
    over ``window`` seconds of waiting. ``longest``: seconds of waiting for all of a longer body. ``head``: bytes of
    headers.
    """

    __slots__ = ("head", "idle", "longest", "rate", "whole", "window")

    def __init__(
        self,
        *,
        idle: float = 30.0,
        whole: float = 60.0,
        rate: int = 1000,
        window: float = 30.0,
        longest: float = 86_400.0,
        head: int = 16384,
    ) -> None:
        self.idle = idle
        self.whole = whole
        self.rate = rate
        self.window = window
        self.longest = longest
        self.head = head


class Deadline:
    """So many seconds for all of it, from now on."""

    __slots__ = ("_end", "_name", "_seconds")

    def __init__(self, seconds: float, name: str) -> None:
        self._seconds = seconds
        self._end = monotonic() + seconds
        self._name = name

    def left(self) -> float:
        left = self._end - monotonic()
        if left <= 0:
            raise TransportError(f"{self._name}: not done after {self._seconds:g} s")
        return left

    def spent(self, seconds: float) -> None:
        """Only the end counts."""


class Floor:
    """So many bytes of the file a second at least, and never longer than ``longest``.

    Only waiting counts, so that a slow disk is not taken for a slow server; and only what ``came`` of the file itself,
    so that a server cannot fill the time with what frames it.
    """

    __slots__ = ("_got", "_left", "_longest", "_name", "_rate", "_waited", "_window")

    def __init__(self, bounds: Bounds, name: str) -> None:
        self._rate = bounds.rate
        self._window = bounds.window
        self._longest = self._left = bounds.longest
        self._name = name
        self._waited = 0.0
        self._got = 0

    def left(self) -> float:
        return min(self._window - self._waited, self._left)

    def came(self, count: int) -> None:
        """``count`` bytes of the file were given to the caller."""
        self._got += count

    def spent(self, seconds: float) -> None:
        self._left -= seconds
        if self._left <= 0:
            raise TransportError(f"{self._name}: not done after {self._longest:g} s of waiting")
        self._waited += seconds
        if self._waited >= self._window:
            if self._got < self._rate * self._waited:
                raise TransportError(
                    f"{self._name}: too slow: {self._got:,} bytes in {self._waited:.1f} s,"
                    f" at least {self._rate:,} bytes a second are wanted"
                )
            self._waited, self._got = 0.0, 0


class DeadConnectionError(TransportError):
    """The connection was gone before the first byte of an answer: a kept one may be replaced, once."""


class Wire:
    """A connection that is open. ``name`` is what errors call it; ``pace`` is changed between requests and bodies."""

    __slots__ = ("_bounds", "_pending", "_socket", "name", "pace")

    def __init__(self, connected: Connected, bounds: Bounds, pace: Pace, name: str) -> None:
        self._socket = connected
        self._bounds = bounds
        self._pending = bytearray()
        self.pace = pace
        self.name = name

    def close(self) -> None:
        self._socket.close()

    def release(self) -> Connected:
        """The socket, to put TLS on it; TransportError if the other side has spoken already."""
        if self._pending:
            raise TransportError(f"{self.name}: bytes before TLS")
        return self._socket

    def is_quiet(self) -> bool:
        """Whether it is still open and nothing came unasked, so that the next bytes answer the next request."""
        if self._pending:
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except OSError as error:
            return isinstance(error, BlockingIOError) or type(error).__name__ == "SSLWantReadError"
        return False

    def send(self, data: bytes) -> None:
        self._socket.settimeout(min(self._bounds.idle, self.pace.left()))
        try:
            self._socket.sendall(data)
            # the answer may come in two packets, and its sender may wait for our acknowledgement between them
            self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_QUICKACK, 1)
        except TimeoutError as error:
            raise TransportError(f"{self.name}: the request was not taken in time") from error
        except OSError as error:
            raise DeadConnectionError(f"{self.name}: {error.strerror or error}") from error

    def read(self, buffer: memoryview) -> int:
        """Some bytes into ``buffer``, which is not empty; 0 at the end of the connection."""
        if not self._pending:
            return self._receive(buffer)
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        del self._pending[:count]
        return count

    def line(self) -> bytes:
        """Up to the next CRLF, which is taken and not returned."""
        return self._until(b"\r\n", MAX_LINE)

    def head(self, limit: int) -> bytes:
        """Up to the next empty line, which is taken and not returned; at most ``limit`` bytes."""
        if not self._pending and not self._more():
            raise DeadConnectionError(f"{self.name}: closed without an answer")
        return self._until(b"\r\n\r\n", limit)

    def _until(self, mark: bytes, limit: int) -> bytes:
        seen = 0
        while (end := self._pending.find(mark, seen, limit)) < 0:
            if len(self._pending) >= limit:
                raise TransportError(f"{self.name}: more than {limit:,} bytes of header")
            seen = max(0, len(self._pending) - len(mark) + 1)
            if not self._more():
                raise TransportError(f"{self.name}: cut off in a header")
        data = bytes(self._pending[:end])
        del self._pending[: end + len(mark)]
        return data

    def _more(self) -> int:
        scratch = bytearray(_SCRATCH)
        count = self._receive(memoryview(scratch))
        self._pending += scratch[:count]
        return count

    def _receive(self, buffer: memoryview) -> int:
        """One read that gives up when ``idle`` or the pace says so."""
        quiet = self._bounds.idle
        while quiet > 0:
            before = monotonic()
            self._socket.settimeout(min(quiet, self.pace.left()))
            try:
                count = self._socket.recv_into(buffer)
            except TimeoutError:
                count = -1
            except OSError as error:
                raise _lost(error, self.name) from error
            took = monotonic() - before
            self.pace.spent(took)
            if count >= 0:
                return count
            quiet -= took
        raise TransportError(f"{self.name}: nothing came for {self._bounds.idle:g} s")


def _lost(error: OSError, name: str) -> TransportError:
    kind = DeadConnectionError if isinstance(error, ConnectionResetError | BrokenPipeError) else TransportError
    return kind(f"{name}: {error.strerror or error}")
