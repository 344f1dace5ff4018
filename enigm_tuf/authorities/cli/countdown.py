"""The seconds that are left to do something, on standard error."""

import contextlib
import threading
from collections.abc import Iterator
from typing import TextIO

CLEAR = "\r\x1b[K"  # to the start of the line, and away with what stands there


@contextlib.contextmanager
def countdown(text: str, seconds: int, stream: TextIO) -> Iterator[None]:
    """``text`` and the seconds that are left, until the block ends: each second on a terminal, once elsewhere."""
    if not stream.isatty():
        print(f"{text} ({seconds} s)", file=stream, flush=True)
        yield
        return
    over = threading.Event()
    ticks = threading.Thread(target=_tick, args=(text, seconds, stream, over), daemon=True)
    ticks.start()
    try:
        yield
    finally:
        over.set()
        ticks.join()
        print(CLEAR, end="", file=stream, flush=True)


def _tick(text: str, seconds: int, stream: TextIO, over: threading.Event) -> None:
    for left in range(seconds, 0, -1):
        print(f"{CLEAR}{text}: {left} s left", end="", file=stream, flush=True)
        if over.wait(1):
            return
