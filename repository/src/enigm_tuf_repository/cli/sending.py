"""A line that is written over while files go out; only where somebody looks."""

import sys
import threading
from collections.abc import Iterable
from pathlib import Path


class Sending:
    """A ``Sent`` that shows how far it is."""

    def __init__(self, files: Iterable[Path]) -> None:
        sizes = [file.stat().st_size for file in files]
        self._total, self._files, self._done = sum(sizes), len(sizes), 0
        self._lock = threading.Lock()
        self._shown = sys.stderr.isatty()

    def __call__(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._shown:
                percent = self._done * 100 // max(self._total, 1)
                sys.stderr.write(f"\r{percent:3d} % of {self._files:,} files, {self._total:,} bytes ")

    def __enter__(self) -> "Sending":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._done:
            sys.stderr.write("\n")
