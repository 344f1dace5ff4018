"""Files of the workspace."""

import hashlib
from pathlib import Path

from enigm_tuf.durable import replace_file


def write_durably(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step, and make its folder where there is none; StateError leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
