"""Files that are there whole or not at all, also after a power cut: written beside, made durable, then named."""

from __future__ import annotations

import os

from enigm_tuf.errors import MisuseError, StateError

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import TypeAlias

    StrPath: TypeAlias = str | os.PathLike[str]
else:
    StrPath = str


def read_input(path: StrPath, max_bytes: int) -> bytes:
    """A file that the user named; MisuseError if there is none. One byte too many says that it is longer."""
    try:
        with open(path, "rb") as file:
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
    try:
        with temporary(path.parent) as place:
            _write(place, data, mode)
            os.link(place, path)
        fsync_directory(path.parent)
    except FileExistsError as error:
        raise MisuseError(f"{path}: exists already; nothing is overwritten") from error
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error


def replace_file(path: StrPath, data: bytes, mode: int = 0o666) -> None:
    """``path`` holds the old bytes or ``data``, whole, whatever happens; StateError leaves the old ones."""
    folder = os.path.dirname(os.fspath(path)) or "."
    try:
        with temporary(folder) as place:
            _write(place, data, mode)
            os.replace(place, path)
        fsync_directory(folder)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error


def fsync_directory(directory: StrPath) -> None:
    """Make the names in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class temporary:  # noqa: N801 - a context manager, used like a function
    """A name in ``folder`` that nobody else uses; whatever is left under it is removed."""

    def __init__(self, folder: StrPath) -> None:
        self._place = os.path.join(os.fspath(folder), f".{os.urandom(16).hex()}.tmp")

    def __enter__(self) -> str:
        return self._place

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            os.unlink(self._place)
        except OSError:
            return


def _write(place: str, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
