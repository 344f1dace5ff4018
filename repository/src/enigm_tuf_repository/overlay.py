"""The tree as it would be after publication: the staged files laid over the published ones."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.errors import NotFoundError
from enigm_tuf.ports import Channel, Source
from enigm_tuf_client.fetch import FileFetcher


@dataclass(frozen=True, slots=True)
class OverlayFetcher:
    """Implements ``enigm_tuf.ports.Fetcher`` on trees; the first one that has a file wins."""

    trees: tuple[Path, ...]

    def channel(self) -> Channel:
        """A directory proves nothing."""
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file, at most ``max_bytes`` long."""
        return FileFetcher(self._tree(path)).fetch(path, max_bytes)

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """Bytes ``start`` to ``stop`` of the file, never more."""
        return FileFetcher(self._tree(path)).open(path, start, stop)

    def size(self, path: str) -> int:
        """Bytes; NotFoundError."""
        return (self._tree(path) / path).stat().st_size

    def _tree(self, path: str) -> Path:
        for tree in self.trees:
            if (tree / path).is_file():
                return tree
        raise NotFoundError(f"{path}: neither staged nor published")
