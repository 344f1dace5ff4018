"""Where a tree is published. The seam, and the directory that is the default.

Devices may read at any moment: a name is there with all its bytes or not at all.
"""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import ConflictError, StateError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.locking import exclusive

_PIECE = 2**20


class PublicationStore(Protocol):
    """Paths are relative to the tree. All errors are StateErrors; after one, every old file is whole."""

    def session(self) -> AbstractContextManager[None]:
        """Held by one publisher at a time, where the store can tell; ConflictError."""
        ...

    def create(self, path: str, source: Path) -> None:
        """A file that never changes. The same bytes again are fine; ConflictError where others are there."""
        ...

    def replace(self, path: str, data: bytes, expected: str | None) -> None:
        """Compare and swap: only if the SHA-256 of what is there is ``expected`` (None: nothing); ConflictError."""
        ...

    def read(self, path: str) -> bytes | None:
        """The whole file; None where there is none."""
        ...


class DirectoryStore:
    """A directory on a local disk. Half-written files live in ``.incoming`` and are cleared by the next session."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._incoming = directory / ".incoming"

    @contextmanager
    def session(self) -> Iterator[None]:
        with _converted(self._directory):
            self._incoming.mkdir(parents=True, exist_ok=True)
        with exclusive(self._incoming, "publisher"):
            self._clear()
            yield

    def create(self, path: str, source: Path) -> None:
        final = self._directory / path
        with _converted(final):
            if not final.exists():
                self._place(final, _pieces(source))
            if file_sha256(final) != file_sha256(source):
                raise ConflictError(f"{path}: published already, with other bytes")

    def replace(self, path: str, data: bytes, expected: str | None) -> None:
        found = self.read(path)
        if (sha256(found) if found is not None else None) != expected:
            raise ConflictError(f"{path}: somebody else published first", hint="run `enigm-repo release verify` again")
        with _converted(self._directory / path):
            self._place(self._directory / path, iter([data]))

    def read(self, path: str) -> bytes | None:
        try:
            return (self._directory / path).read_bytes()
        except FileNotFoundError:
            return None

    def _place(self, final: Path, pieces: Iterator[bytes]) -> None:
        """Write aside, make durable, then give it its name."""
        part = self._incoming / "part"
        try:
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            _make_folders(final.parent)
            part.replace(final)
            fsync_directory(final.parent)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _clear(self) -> None:
        for leftover in self._incoming.iterdir():
            leftover.unlink()


def _make_folders(folder: Path) -> None:
    missing = [item for item in (folder, *folder.parents) if not item.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for item in missing:
        fsync_directory(item.parent)


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


@contextmanager
def _converted(place: Path) -> Iterator[None]:
    """A full disk is one line, and the old files are whole."""
    try:
        yield
    except OSError as error:
        hint = "nothing that was published before has changed; mend this and run the step again"
        raise StateError(f"{place}: {error.strerror}", hint=hint) from error
