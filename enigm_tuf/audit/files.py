"""A log's folder: ``checkpoint``, and below ``tile/`` what C2SP tlog-tiles puts there.

What the checkpoint does not cover does not exist: files are made whole and durable first, the checkpoint is replaced
last, and what it no longer needs is removed after that. So a crash anywhere leaves the old log or the new one.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from enigm_tuf.audit.notes import NOTE_BYTES
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.audit.tiles import WIDTH, Tile, bundles, edge_tiles, split_bundle
from enigm_tuf.durable import fsync_directory, replace_file
from enigm_tuf.errors import MalformedError, RefusedError, StateError

_TILE_BYTES = WIDTH * (2 + 2**16)  # a bundle of the longest entries that there can be


class LogFiles:
    """Reads and writes; judges nothing. StateError where a file is missing or the disk fails."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def checkpoint(self) -> bytes:
        """The signed checkpoint."""
        try:
            return self._read("checkpoint", NOTE_BYTES)
        except FileNotFoundError as error:
            place = self.path / "checkpoint"
            raise StateError(
                f"{place}: there is no audit log", hint="an authority without its log signs nothing"
            ) from error

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile or a bundle; RefusedError LOG-TREE where there is no such file."""
        try:
            return self._read(tile.path, _TILE_BYTES)
        except FileNotFoundError as error:
            subject = str(self.path / tile.path)
            raise RefusedError(AuditRule.LOG_TREE, subject, expected="this file of the log", got="none") from error

    def entries(self, size: int) -> Iterator[bytes]:
        """The first ``size`` entries, oldest first."""
        for tile in bundles(size):
            yield from split_bundle(self.tile(tile), tile)

    def commit(self, tiles: Mapping[Tile, bytes], checkpoint: bytes) -> None:
        """All tiles, then the checkpoint, durably."""
        for tile, data in tiles.items():
            place = self.path / tile.path
            self._make_folder(place.parent)
            replace_file(place, data)
        replace_file(self.path / "checkpoint", checkpoint)

    def tidy(self, before: int, size: int) -> None:
        """Remove the partial tiles of the log when it had ``before`` entries; those of ``size`` entries stay."""
        kept = edge_tiles(size)
        for tile in edge_tiles(before):
            if tile not in kept:
                place = self.path / tile.path
                with contextlib.suppress(OSError):
                    place.unlink()
                    place.parent.rmdir()  # stays where a newer one is in it

    def _read(self, name: str, limit: int) -> bytes:
        place = self.path / name
        try:
            with place.open("rb", buffering=0) as file:
                return file.read(limit + 1)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StateError(f"{place}: {error.strerror}") from error

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        try:
            folder.mkdir(exist_ok=True)
            fsync_directory(folder.parent)
        except OSError as error:
            raise StateError(f"{folder}: {os.strerror(error.errno or 0)}") from error


@contextlib.contextmanager
def damage_refused(path: Path) -> Iterator[None]:
    """A torn tile, bundle or checkpoint is no other than the one that was signed: RefusedError LOG-TREE."""
    try:
        yield
    except MalformedError as error:
        raise RefusedError(
            AuditRule.LOG_TREE, str(path), expected="the log as it was signed", got=str(error)
        ) from error
