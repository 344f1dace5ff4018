"""How far the reading of a log is, on one line of standard error that is written over; only where somebody looks."""

import contextlib
from collections.abc import Iterator
from typing import TextIO

from enigm_tuf.audit.reading import Progress, nobody_looks
from enigm_tuf.authorities.cli.countdown import CLEAR


@contextlib.contextmanager
def looking(stream: TextIO) -> Iterator[Progress]:
    """What to tell how many entries are done, until the block ends; elsewhere than on a terminal it says nothing."""
    if not stream.isatty():
        yield nobody_looks
        return

    def show(what: str, done: int, size: int) -> None:
        print(f"{CLEAR}{done:,} of {size:,} entries {what}", end="", file=stream, flush=True)

    try:
        yield show
    finally:
        print(CLEAR, end="", file=stream, flush=True)
