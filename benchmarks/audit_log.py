"""The rows of the audit log: entries a second, a whole log verified, one proof. The peer is the raw work in hashlib."""

import itertools
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from benchmarks.table import Goal, Row, absolute, seconds
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import create_log, open_log, read_log

_BATCH = 256
_MILLION = 1_000_000


class _Standing:
    def now(self) -> datetime:
        return datetime(2026, 11, 26, tzinfo=UTC)


class AuditRows:
    """A log of ``size`` entries, written in batches with fsync after each, in ``folder``."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path, self._size = folder / "bench-audit" / "log", size

    def rows(self) -> list[Row]:
        """Times are for one entry, for a million entries, and for one proof."""
        self._path.parent.mkdir()
        create_log(self._path, "staging/release")
        try:
            raw = self._raw()
            written, proof = self._written()
            verified = self._timed(lambda: len(read_log(self._path))) / self._size
        finally:
            shutil.rmtree(self._path.parent)
        bare = raw / self._size
        million, peers = [verified * _MILLION], [bare * _MILLION]
        return [
            absolute("an audit entry, batches of 256", "SHA-256 alone", [written], [bare], Goal(0.002), seconds),
            absolute("a million entries verified", "SHA-256 alone", million, peers, Goal(60), seconds),
            absolute("one proof of inclusion", "SHA-256 alone", [proof], [bare], Goal(0.05), seconds),
        ]

    def _raw(self) -> float:
        """A leaf and a node for each entry."""
        entry, node = b"\0" + bytes(180), b"\1" + bytes(64)

        def hashes() -> None:
            for _ in range(self._size):
                sha256(entry).digest()
                sha256(node).digest()

        return self._timed(hashes)

    def _written(self) -> tuple[float, float]:
        bodies = ((EntryType.ROOT_TRUSTED, {"version": number + 1, "sha256": "a" * 64}) for number in range(self._size))
        with open_log(self._path, _Standing()) as log:

            def write() -> None:
                while batch := list(itertools.islice(bodies, _BATCH)):
                    log.extend(batch)

            took = self._timed(write) / self._size
            return took, self._timed(lambda: log.proof(self._size // 3 + 1, log.signed))

    def _timed(self, work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
