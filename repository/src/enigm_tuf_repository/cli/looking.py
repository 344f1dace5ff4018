"""How far ``verify`` is, on one line that is written over; only where somebody looks."""

import sys

from enigm_tuf_repository.integrity.damage import Findings


class Looking:
    """Shows what was counted so far."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, found: Findings) -> None:
        if self._shown:
            files, count = found.counts.get("target files", 0), found.counts.get("bytes", 0)
            sys.stderr.write(f"\r\x1b[K{files:,} files, {count:,} bytes, damaged: {len(found.damage):,}")
            sys.stderr.flush()

    def __enter__(self) -> "Looking":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
