"""The body of an HTTP/1.1 response as it arrives (RFC 9112 sections 6 and 7)."""

from __future__ import annotations

from io import BytesIO

from enigm_tuf.errors import TransportError
from enigm_tuf_client.http_head import MAX_FIELDS, Head, chunk_size
from enigm_tuf_client.http_wire import Floor, Wire

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from collections.abc import Callable

    from enigm_tuf.ports import Source
    from enigm_tuf_client.http_wire import Bounds

_SPILL = 16384  # bytes of an unwanted body that are read to keep its connection


class Body:
    """Takes a body apart, by its length, by its chunks, or up to the end of the connection."""

    __slots__ = ("_chunked", "_left", "_wire", "done")

    def __init__(self, wire: Wire, head: Head) -> None:
        self._wire = wire
        self._chunked = head.chunked
        self._left = 0 if head.chunked else head.length  # None: up to the end of the connection
        self.done = head.length == 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Straight from the socket into ``buffer``; 0 at the end, TransportError when the end comes too early."""
        if self._chunked and not self._left and not self.done:
            self._next_chunk()
        if self.done:
            return 0
        count = self._wire.read(buffer if self._left is None else buffer[: self._left])
        if self._left is None:
            self.done = count == 0
        elif count == 0:
            raise TransportError(f"{self._wire.name}: cut off, {self._left:,} bytes are missing")
        else:
            self._advance(self._left - count)
        return count

    def _advance(self, left: int) -> None:
        self._left = left
        if left == 0 and not self._chunked:
            self.done = True
        elif left == 0 and self._wire.line():
            raise TransportError(f"{self._wire.name}: a chunk longer than it says")

    def _next_chunk(self) -> None:
        self._left = chunk_size(self._wire.line(), self._wire.name)
        if self._left == 0:
            self._skip_trailers()
            self.done = True

    def _skip_trailers(self) -> None:
        for _ in range(MAX_FIELDS):
            if not self._wire.line():
                return
        raise TransportError(f"{self._wire.name}: more than {MAX_FIELDS} trailers")


def read_whole(source: Source, name: str, max_bytes: int) -> bytes:
    """Up to the end; TransportError if that comes after more than ``max_bytes``. Takes one byte more at the most."""
    scratch = memoryview(bytearray(min(max_bytes + 1, 65536)))
    data = bytearray()
    while len(data) <= max_bytes and (count := source.readinto(scratch[: max_bytes + 1 - len(data)])):
        data += scratch[:count]
    if len(data) > max_bytes:
        raise TransportError(f"{name}: longer than the {max_bytes:,} bytes that are allowed")
    return bytes(data)


def _read_exactly(source: Source, name: str, length: int) -> bytes:
    """``length`` bytes, received where they will stay: a role of 30 MB is not copied."""
    box = BytesIO(bytes(length))
    with box.getbuffer() as place:
        done = 0
        while done < length:
            count = source.readinto(place[done:])
            if not count:
                raise TransportError(f"{name}: ends {length - done:,} bytes too early")
            done += count
    return box.getvalue()


class Answer:
    """One response: a context manager, and the ``enigm_tuf.ports.Source`` in it.

    On leaving, the connection goes to ``keep`` if the body was read to its end, and is closed if not.
    """

    __slots__ = ("_body", "_floor", "_keep", "_left", "_owed", "_wire", "head")

    def __init__(self, wire: Wire, head: Head, keep: Callable[[Wire], None]) -> None:
        self.head = head
        self._wire = wire
        self._body = Body(wire, head)
        self._keep = keep
        self._floor: Floor | None = None
        self._left = 0  # bytes that may still be given to the caller
        self._owed = 0  # how many of them must come

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self._left = 0
        if self._body.done and self.head.keeps:
            self._keep(self._wire)
        else:
            self._wire.close()

    def readinto(self, buffer: memoryview, /) -> int:
        """Some of the bytes that were asked for; 0 at the end; TransportError."""
        if not self._left:
            return 0
        count = self._body.readinto(buffer[: self._left])
        if not count and self._owed > 0:
            raise TransportError(f"{self._wire.name}: ends {self._owed:,} bytes too early")
        self._left -= count
        self._owed -= count
        if self._floor:
            self._floor.came(count)
        return count

    def whole(self, max_bytes: int) -> bytes:
        """All of the body; TransportError if it is longer than ``max_bytes``."""
        name = self._wire.name
        if self.head.length is not None and self.head.length > max_bytes:
            raise TransportError(f"{name}: {self.head.length:,} bytes, {max_bytes:,} are allowed")
        if self.head.length is not None:
            self._left = self.head.length
            return _read_exactly(self, name, self.head.length)
        self._left = max_bytes + 1
        return read_whole(self, name, max_bytes)

    def span(self, start: int, stop: int, bounds: Bounds) -> None:
        """Get ready to give the bytes ``start`` to ``stop``, at a speed not below the floor; TransportError."""
        name = self._wire.name
        self._wire.pace = self._floor = Floor(bounds, name)
        if self.head.status == 206:
            first, end = self.head.content_range(name)
            if first != start or end > max(stop, start + 1):
                raise TransportError(f"{name}: bytes {first} to {end} came, {start} to {stop} were asked for")
            self._left = self._owed = min(end, stop) - start
        elif self.head.status == 200:
            self._skip(start)
            self._left, self._owed = stop - start, min(start, 1)  # as from a server that knows ranges
        elif self.head.status != 416 or start:  # an empty file has no byte 0 either (RFC 9110 section 15.5.17)
            raise TransportError(f"{name}: status {self.head.status}")

    def spill(self) -> None:
        """Read a short body that nobody wants, so that the connection can be kept."""
        if self.head.keeps and (self.head.length or 0) <= _SPILL:
            try:
                read_whole(self._body, self._wire.name, _SPILL)
            except TransportError:
                return  # then it is closed

    def _skip(self, count: int) -> None:
        """The server does not know ranges: pass over what is here already."""
        self._left = self._owed = count
        scratch = memoryview(bytearray(min(count, 1 << 20)))
        while self.readinto(scratch):
            pass  # until nothing is left to skip; a file that ends before that raises
