"""One process at a time in a folder. The lock goes away with the process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enigm_tuf.errors import ConflictError


@contextmanager
def exclusive(folder: Path, who: str) -> Iterator[None]:
    """Hold ``folder``; ConflictError where another ``who`` holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, f"{folder}: another {who} is at work")
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, trouble: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConflictError(trouble, hint="wait until it is done, then run the step again") from error
