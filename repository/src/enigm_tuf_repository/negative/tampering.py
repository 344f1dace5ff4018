"""A server that changes a file on its way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from enigm_tuf.ports import Channel, Fetcher, Source


@dataclass(frozen=True, slots=True)
class OneBit:
    """Implements ``enigm_tuf.ports.Fetcher``: the lowest bit of byte ``at`` of ``path`` is the other one."""

    behind: Fetcher
    path: str
    at: int

    def channel(self) -> Channel:
        return self.behind.channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        return self.behind.fetch(path, max_bytes)

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        opened = self.behind.open(path, start, stop)
        return _flipping(opened, self.at - start) if path == self.path else opened


@dataclass(slots=True)
class _Flipped:
    behind: Source
    left: int

    def readinto(self, buffer: memoryview, /) -> int:
        count = self.behind.readinto(buffer)
        if 0 <= self.left < count:
            buffer[self.left] ^= 1
        self.left -= count
        return count


@contextmanager
def _flipping(opened: AbstractContextManager[Source], at: int) -> Iterator[Source]:
    with opened as source:
        yield _Flipped(source, at)


@dataclass(frozen=True, slots=True)
class CutOff:
    """Implements ``enigm_tuf.ports.Fetcher``: ``path`` ends after ``length`` bytes."""

    behind: Fetcher
    path: str
    length: int

    def channel(self) -> Channel:
        return self.behind.channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        return self.behind.fetch(path, max_bytes)

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        return self.behind.open(path, start, min(stop, self.length) if path == self.path else stop)
