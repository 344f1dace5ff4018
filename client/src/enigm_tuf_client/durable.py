"""Files that survive a power cut: written beside, made durable, then renamed."""

import contextlib
import os
from pathlib import Path

from enigm_tuf.errors import StateError


def fsync_directory(directory: Path) -> None:
    """Make names in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """``path`` holds the old bytes or ``data``, whole, whatever happens; StateError leaves the old ones."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        fsync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise StateError(f"{path}: {error.strerror}") from error
