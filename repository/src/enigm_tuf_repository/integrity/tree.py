"""The tree that is looked at: a directory, or a bucket. Nothing that it gives is trusted."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from enigm_tuf.errors import NotFoundError
from enigm_tuf.ports import Channel, Source
from enigm_tuf_client.fetch import FileFetcher


class Tree(Protocol):
    """An ``enigm_tuf.ports.Fetcher`` that can also list. Paths are relative, with ``/``."""

    def channel(self) -> Channel:
        """How it is reached; nothing rests on it."""
        ...

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""
        ...

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError."""
        ...

    def names(self, folder: str) -> Iterable[str]:
        """Every file below ``folder`` (empty: of the whole tree), by its path in it; none where there is none."""
        ...


class DirectoryTree(FileFetcher):
    """A tree in a directory. A link is a name like any other: whatever it leads to is judged as what it claims."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._directory = directory

    def names(self, folder: str) -> Iterator[str]:
        waiting = [folder]
        while waiting:
            inner = waiting.pop()
            try:
                entries = os.scandir(self._directory / inner)
            except (FileNotFoundError, NotADirectoryError):
                continue
            with entries:
                for entry in entries:
                    path = f"{inner}/{entry.name}" if inner else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    else:
                        yield path.removeprefix(f"{folder}/")


def is_there(tree: Tree, path: str) -> bool:
    """Whether there is such a file, with a byte in it at least."""
    try:
        with tree.open(path, 0, 1) as source:
            return source.readinto(memoryview(bytearray(1))) == 1
    except NotFoundError:
        return False
