"""The fetchers: HTTP, and a local directory. Nothing that they return is trusted."""

from __future__ import annotations

import os
import stat
from io import FileIO

from enigm_tuf.errors import NotFoundError, TransportError
from enigm_tuf.ports import Channel
from enigm_tuf_client.address import require_inside, require_range
from enigm_tuf_client.http import Bounds, HttpFetcher, Tls
from enigm_tuf_client.http_body import read_whole

__all__ = ["Bounds", "FileFetcher", "HttpFetcher", "Tls"]


class FileFetcher:
    """Files below a local directory: a staged tree, removable media. Nothing outside, not even by a link."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.fspath(root)

    def channel(self) -> Channel:
        """A directory proves nothing."""
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""
        with self._part(path, 0, max_bytes + 1) as part:
            return read_whole(part, f"{self._root}/{path}", max_bytes)

    def open(self, path: str, start: int, stop: int) -> FilePart:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError.

        TransportError as well if the file has no byte ``start`` (but an empty file gives nothing from 0 on).
        """
        require_range(path, start, stop)
        return self._part(path, start, stop)

    def _part(self, path: str, start: int, stop: int) -> FilePart:
        require_inside(path)
        name = f"{self._root}/{path}"
        try:
            root, file = os.path.realpath(self._root), os.path.realpath(name)
            if os.path.commonpath((root, file)) != root:
                raise TransportError(f"{name}: leads out of the directory")
            opened = FileIO(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))  # a FIFO must not block
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"{name}: no such file") from error
        except OSError as error:
            raise TransportError(f"{name}: {error.strerror}") from error
        return FilePart(opened, name, start, stop)


class FilePart:
    """A part of an open file: a context manager, and the ``enigm_tuf.ports.Source`` in it."""

    def __init__(self, file: FileIO, name: str, start: int, stop: int) -> None:
        """Closes ``file`` and raises TransportError if it is no regular file or has no byte ``start``."""
        self._file = file
        self._name = name
        self._left = stop - start
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or (start and status.st_size <= start):
            file.close()
            raise TransportError(f"{name}: not a file, or has no byte {start}")
        file.seek(start)

    def __enter__(self) -> FilePart:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def readinto(self, buffer: memoryview, /) -> int:
        """Some of the bytes that were asked for; 0 at the end; TransportError."""
        try:
            count = self._file.readinto(buffer[: self._left]) or 0
        except OSError as error:
            raise TransportError(f"{self._name}: {error.strerror}") from error
        self._left -= count
        return count
