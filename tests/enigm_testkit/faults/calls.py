"""The log of the shim: one line per system call that changes the disk, in the order of the disk."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

WRITES = frozenset({"write", "pwrite", "writev", "pwritev", "sendfile", "copy_file_range"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call; kind ``run`` where a run begins.

    ``path`` and ``other`` (the new name) are below the device, ``*`` for what is random in them.
    ``result`` is -errno of a call that failed. ``real`` and ``real_other`` are the names as they were.
    ``bytes`` of an open is 1 where it truncates.
    """

    kind: str
    path: str
    other: str
    real: str
    real_other: str
    inode: int
    offset: int
    bytes: int
    result: int
    serial: int
    created: bool
    spoiled: bool

    @property
    def key(self) -> str:
        return f"{self.kind} {self.path}"

    @property
    def done(self) -> bool:
        return self.result >= 0


@dataclass(frozen=True, slots=True)
class Place:
    """Call ``number`` (from 1) of those with ``key``: the same in each run, also where threads change the order."""

    key: str
    number: int
    writes: bool

    def __str__(self) -> str:
        return f"{self.key} #{self.number}"


def read_calls(log: Path) -> list[Call]:
    """All calls of the runs that wrote to ``log``."""
    return [_call(line.split("\t")) for line in log.read_text().splitlines()]


def _call(fields: list[str]) -> Call:
    kind, path, other, real, real_other, inode, offset, size, result, serial, created, spoiled = fields
    numbers = (int(inode), int(offset), int(size), int(result), int(serial))
    return Call(kind, path, other, real, real_other, *numbers, created == "1", spoiled == "1")


def places(calls: Iterable[Call]) -> list[Place]:
    """Each call as the place that a fault can be put at."""
    seen: Counter[str] = Counter()
    found = []
    for call in (call for call in calls if call.kind != "run"):
        seen[call.key] += 1
        found.append(Place(call.key, seen[call.key], call.kind in WRITES and call.bytes > 1))
    return found
