"""Bytes at an offset: a file, a part of one, or bytes in memory. Reads are exact, and nothing is kept open."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.errors import MalformedError

PIECE = 1 << 20  # bytes read at once


@dataclass(frozen=True, slots=True)
class Source:
    """``length`` bytes from ``start`` of a file or of bytes in memory. ``name`` stands in errors."""

    name: str
    origin: Path | bytes | memoryview
    start: int
    length: int

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; MalformedError where they reach beyond the end."""
        self._require_inside(offset, length)
        if not isinstance(self.origin, Path):
            return bytes(self.origin[self.start + offset : self.start + offset + length])
        with self.origin.open("rb") as file:
            data = os.pread(file.fileno(), length, self.start + offset)
        if len(data) != length:
            raise MalformedError(self.name, f"byte {offset:,}", "the file became shorter while it was read")
        return data

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The same bytes in order, at most ``PIECE`` at a time."""
        length = self.length - offset if length is None else length
        self._require_inside(offset, length)
        if not isinstance(self.origin, Path):
            for place in range(offset, offset + length, PIECE):
                yield self.read(place, min(PIECE, offset + length - place))
            return
        with self.origin.open("rb") as file:
            file.seek(self.start + offset)
            left = length
            while left:
                piece = file.read(min(PIECE, left))
                if not piece:
                    raise MalformedError(self.name, "", "the file became shorter while it was read")
                left -= len(piece)
                yield piece

    def part(self, offset: int, length: int, name: str) -> "Source":
        """These bytes as a source of their own."""
        self._require_inside(offset, length)
        return Source(f"{self.name}: {name}", self.origin, self.start + offset, length)

    def whole(self, maximum: int) -> bytes:
        """All bytes; MalformedError where there are more than ``maximum``."""
        if self.length > maximum:
            raise MalformedError(self.name, "", f"at most {maximum:,} bytes, has {self.length:,}")
        return self.read(0, self.length)

    def _require_inside(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.length:
            raise MalformedError(self.name, f"byte {offset:,}", f"{length:,} bytes reach beyond its {self.length:,}")


def file_source(path: Path, name: str = "") -> Source:
    """A whole file."""
    return Source(name or path.name, path, 0, path.stat().st_size)


def bytes_source(data: bytes, name: str) -> Source:
    """Bytes in memory."""
    return Source(name, data, 0, len(data))
