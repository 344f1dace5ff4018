"""Files that are there whole or not at all, also after a power cut."""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enigm_tuf.errors import MisuseError
from enigm_tuf.durable import replace_file


def write_durably(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step, and make its folder where there is none; StateError leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)


@contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """A name in ``folder`` that nobody else uses; whatever is left under it is removed."""
    place = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        yield place
    finally:
        place.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_input(path: Path) -> bytes:
    """A small file that the user named; MisuseError if there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MisuseError(f"{path}: {(error.strerror or 'no such file').lower()}") from error
