"""The default: a directory on a local disk.

Not obstore's local store: that one calls fsync neither on files nor on folders, writes half-made files under
the served tree, and knows no compare-and-swap (ADR 22).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enigm_tuf.durable import fsync_directory, temporary
from enigm_tuf.errors import ConflictError, StateError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.locking import exclusive
from enigm_tuf_repository.publication import LOST_RACE, Held, Sent
from enigm_tuf_repository.stores.reading import verified_pieces

_PIECE = 2**20


class DirectoryStore(FileFetcher):
    """Half-written files live in ``.incoming`` and are cleared by the next session."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._directory = directory
        self._incoming = directory / ".incoming"

    @contextmanager
    def session(self) -> Iterator[None]:
        with _converted(self._directory):
            self._incoming.mkdir(parents=True, exist_ok=True)
        with exclusive(self._incoming, "publisher"):
            self._clear()
            yield

    def create(self, path: str, source: Path, sha256: str, sent: Sent) -> None:
        final = self._directory / path
        with _converted(final):
            if not final.exists():
                self._place(final, verified_pieces(source, sha256, _PIECE, sent))
            elif file_sha256(final) != sha256:
                raise ConflictError(f"{path}: published already, with other bytes")

    def keep(self, path: str, data: bytes) -> None:
        """create(), from memory."""
        final = self._directory / path
        with _converted(final):
            if not final.exists():
                self._place(final, iter([data]))
        if self.read(path) != Held(data, {"sha256": sha256(data)}):
            raise ConflictError(f"{path}: published already, with other bytes")

    def replace(self, path: str, data: bytes, before: Held | None) -> None:
        found = self.read(path)
        if found is not None and found.data == data:
            return
        if found != before:
            raise ConflictError(f"{path}: somebody else published first", hint=LOST_RACE)
        with _converted(self._directory / path):
            self._place(self._directory / path, iter([data]))

    def read(self, path: str) -> Held | None:
        try:
            data = (self._directory / path).read_bytes()
        except FileNotFoundError:
            return None
        return Held(data, {"sha256": sha256(data)})

    def _place(self, final: Path, pieces: Iterator[bytes]) -> None:
        """Write aside, make durable, then give it its name."""
        with temporary(self._incoming) as name:
            part = Path(name)
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            _make_folders(final.parent)
            part.replace(final)
            fsync_directory(final.parent)

    def _clear(self) -> None:
        for leftover in self._incoming.iterdir():
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def _make_folders(folder: Path) -> None:
    missing = [item for item in (folder, *folder.parents) if not item.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for item in missing:
        fsync_directory(item.parent)


@contextmanager
def _converted(place: Path) -> Iterator[None]:
    """A full disk is one line, and the old files are whole."""
    try:
        yield
    except OSError as error:
        hint = "nothing that was published before has changed; mend this and run the step again"
        raise StateError(f"{place}: {error.strerror}", hint=hint) from error
