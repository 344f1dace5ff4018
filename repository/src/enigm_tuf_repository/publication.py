"""Where a tree is published: the seam. A local directory is the default; object storage is behind the same four verbs.

Devices may read at any moment: a name is there with all its bytes or not at all.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from enigm_tuf.ports import Channel, Source

Sent: TypeAlias = Callable[[int], None]
"""Called with the number of bytes that have gone out since the last call, from any thread."""

LOST_RACE = "run `enigm-repo release verify` again, on top of what is published now"


@dataclass(frozen=True, slots=True)
class Held:
    """What a store held under a name, and the tag by which it knows that it still does."""

    data: bytes
    tag: Mapping[str, str]


class PublicationStore(Protocol):
    """An ``enigm_tuf.ports.Fetcher`` that can be published to. Paths are relative to the tree.

    Errors are StateErrors and TransportErrors; after one, every old file is whole. Several threads may call.
    """

    def session(self) -> AbstractContextManager[None]:
        """Around every publication; ConflictError where another publisher is seen, RefusedError STORE-CONDITIONAL."""
        ...

    def create(self, path: str, source: Path, sha256: str, sent: Sent) -> None:
        """A file that never changes, whose bytes hash to ``sha256``. Once more is fine; ConflictError for others."""
        ...

    def replace(self, path: str, data: bytes, before: Held | None) -> None:
        """Compare and swap: only if ``before`` is still there (None: nothing), or ``data`` already; ConflictError."""
        ...

    def read(self, path: str) -> Held | None:
        """A small file, whole; None where there is none."""
        ...

    def channel(self) -> Channel:
        """How this store is reached; nothing rests on it."""
        ...

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""
        ...

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError."""
        ...


def unseen(count: int) -> None:
    """A ``Sent`` for when nobody looks."""
    del count
