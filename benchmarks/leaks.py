"""The row of the leak scan: a large artifact, read from the disk and searched for private keys, beside reading it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Goal, Row, attempted, compared, seconds
from enigm_tuf_repository.leaks.scanning import Scan

_PIECE = 4 << 20


class LeakRows:
    """``rounds`` times each in turn, over a file of ``size`` bytes that the page cache does not hold.

    Half of it is zeros, as in images: an expression that zeros begin costs thirty times as much there.
    """

    def __init__(self, folder: Path, size: int, rounds: int) -> None:
        self._file, self._size, self._rounds = folder / "image", size, rounds

    def rows(self) -> list[Row]:
        goal = Goal(2.0)  # at least half of the reading speed
        return attempted("leak scan", goal, lambda: [self._measured(goal)])

    def _measured(self, goal: Goal) -> Row:
        self._write()
        ours, peer = [], []
        for _ in range(self._rounds):
            ours.append(self._timed(lambda: Scan().path(self._file)))
            peer.append(self._timed(self._read))
        self._file.unlink()
        return compared(f"leak scan of {self._size >> 20:,} MiB", "reading it", ours, peer, goal, seconds)

    def _write(self) -> None:
        with self._file.open("wb") as file:
            for number in range(self._size // _PIECE):
                file.write(os.urandom(_PIECE) if number % 2 else bytes(_PIECE))
            os.fsync(file.fileno())

    def _read(self) -> None:
        memory = bytearray(_PIECE)
        with self._file.open("rb", buffering=0) as file:
            while file.readinto(memory):
                pass

    def _timed(self, work: Callable[[], None]) -> float:
        with self._file.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.perf_counter()
        work()
        return time.perf_counter() - began
