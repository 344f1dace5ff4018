"""A bundle on removable media: one uncompressed tar with the files of a repository that a device needs.

It is read like a server: nothing in it is trusted, and the same verifier says yes or no.
"""

from __future__ import annotations

import tarfile
from io import FileIO
from pathlib import Path

from enigm_tuf.errors import MisuseError, NotFoundError, TransportError
from enigm_tuf.ports import Channel
from enigm_tuf_client.address import require_inside, require_range
from enigm_tuf_client.fetch import FilePart
from enigm_tuf_client.http_body import read_whole

_MEMBERS = 10_000  # a bundle of one product has some dozens


class BundleFetcher:
    """Files of a bundle: an ``enigm_tuf.ports.Fetcher``. The headers are read once, payloads where they lie."""

    def __init__(self, file: Path) -> None:
        """MisuseError if there is no such file, TransportError if it is no bundle."""
        self._file = file
        try:
            with tarfile.open(file, mode="r:") as tar:
                self._members = self._places(tar)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise TransportError(f"{file}: not a bundle, or cut off: {error}") from error
        except OSError as error:
            raise MisuseError(f"{file}: {(error.strerror or 'cannot be read').lower()}") from error

    def channel(self) -> Channel:
        """A medium proves nothing."""
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""
        with self._part(path, 0, max_bytes + 1) as part:
            return read_whole(part, f"{self._file}: {path}", max_bytes)

    def open(self, path: str, start: int, stop: int) -> FilePart:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError."""
        require_range(path, start, stop)
        return self._part(path, start, stop)

    def _places(self, tar: tarfile.TarFile) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        for member in tar:
            require_inside(member.name)
            if not member.isreg() or member.sparse is not None or member.name in places or len(places) >= _MEMBERS:
                raise TransportError(f"{self._file}: {member.name!r:.80} is no plain file, is there twice, or too many")
            places[member.name] = (member.offset_data, member.size)
        return places

    def _part(self, path: str, start: int, stop: int) -> FilePart:
        require_inside(path)
        if path not in self._members:
            raise NotFoundError(f"{self._file}: {path}: not in the bundle")
        offset, size = self._members[path]
        name = f"{self._file}: {path}"
        if start and size <= start:
            raise TransportError(f"{name}: has no byte {start}")
        try:
            opened = FileIO(self._file)
        except OSError as error:
            raise TransportError(f"{name}: {error.strerror}") from error
        return FilePart(opened, name, offset + start, offset + min(stop, size))
