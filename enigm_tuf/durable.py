"""Files that are there whole or not at all, also after a power cut: written beside, made durable, then named."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from enigm_tuf.errors import MisuseError, StateError


def read_input(path: Path, max_bytes: int) -> bytes:
    """A file that the user named; MisuseError if there is none. One byte too many says that it is longer."""
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise MisuseError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error


def require_new(path: Path) -> None:
    """MisuseError if ``path`` exists or has no folder: asked before work that should not be lost."""
    if path.exists():
        raise MisuseError(f"{path}: exists already; nothing is overwritten", hint="name another file")
    if not path.parent.is_dir():
        raise MisuseError(f"{path.parent}: no such folder")


def write_new(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Make a file that is not there yet; MisuseError if it is, StateError if it cannot be made."""
    require_new(path)
    with _written(path, data, mode) as place:
        try:
            os.link(place, path)
        except FileExistsError as error:
            raise MisuseError(f"{path}: exists already; nothing is overwritten") from error


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """``path`` holds the old bytes or ``data``, whole, whatever happens; StateError leaves the old ones."""
    with _written(path, data, mode) as place:
        place.replace(path)


def fsync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """A name in ``folder`` that nobody else uses; whatever is left under it is removed."""
    place = folder / f".{secrets.token_hex(16)}.tmp"
    try:
        yield place
    finally:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)


@contextlib.contextmanager
def _written(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """``data`` under a temporary name beside ``path``, durable; after the block the new name is made durable."""
    try:
        with temporary(path.parent) as place:
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield place
        fsync_directory(path.parent)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
