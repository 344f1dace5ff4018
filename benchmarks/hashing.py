"""The row of hashing: the pass over a release's artifacts, beside what openssl takes for as many on as many cores."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.table import Goal, Row, attempted, compared, seconds
from benchmarks.trees import write_payload
from enigm_tuf_repository.artifacts import measure

BOTH = ("sha256", "sha512")


class HashRows:
    """One artifact for each processor, ``size`` bytes in all, in the page cache; each round ours, then openssl."""

    def __init__(self, folder: Path, size: int, rounds: int) -> None:
        self._rounds = rounds
        self._files = [folder / f"artifact-{number}" for number in range(os.cpu_count() or 1)]
        for file in self._files:
            write_payload(file, size // len(self._files))

    def rows(self) -> list[Row]:
        """openssl reads the files once for each algorithm, which is what its command line can do."""
        goal = Goal(0.9, at_least=True)
        rows = attempted("hashing", goal, lambda: [self._row(names, goal) for names in (("sha256",), BOTH)])
        for file in self._files:
            file.unlink()
        return rows

    def _row(self, algorithms: Sequence[str], goal: Goal) -> Row:
        self._ours(algorithms)
        ours, peer = [], []
        for _ in range(self._rounds):
            ours.append(_timed(lambda: self._ours(algorithms)))
            peer.append(_timed(lambda: self._openssl(algorithms)))
        work = f"{len(self._files)} artifacts, {' and '.join(algorithms)} in one pass"
        return compared(work, "openssl dgst, all cores", ours, peer, goal, seconds)

    def _ours(self, algorithms: Sequence[str]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda file: measure(file, algorithms), self._files))

    def _openssl(self, algorithms: Sequence[str]) -> None:
        for name in algorithms:
            command = ["openssl", "dgst", f"-{name}"]
            each = [subprocess.Popen([*command, str(file)], stdout=subprocess.DEVNULL) for file in self._files]
            statuses = [process.wait() for process in each]
            if any(statuses):
                raise RuntimeError(f"openssl dgst -{name} fails")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
