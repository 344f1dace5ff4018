"""The entries of a log whose bundles were compared: parsed here, or in as many processes as there are processors.

A process gets the path of the log and the SHA-256 of some bundles, and gives back entries. It starts anew (``spawn``),
so that it inherits no lock and no token. What it refuses, this process reads again, for the error's own words.
"""

import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from enigm_tuf.audit.files import LogFiles
from enigm_tuf.audit.log import AuditEntry, EntryType, read_entry
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.audit.tiles import WIDTH, Tile, bundles, split_bundle
from enigm_tuf.errors import EnigmTufError, RefusedError, StateError

ALONE = 50_000  # entries: below, other processes take longer to start than they save
_BUNDLES = 64  # that a process gets at once: some 16,000 entries
_Part = Sequence[tuple[Tile, bytes]]
"""Bundles, each with the SHA-256 that it had when it was compared."""


def parsed(
    files: LogFiles, size: int, digests: Sequence[bytes], without: Collection[EntryType] = ()
) -> Iterator[AuditEntry]:
    """Every entry, oldest first. Those of the types ``without`` may come with an empty body; all are checked whole.

    RefusedError LOG-FORM, LOG-TREE where a bundle is not what it was; MalformedError; StateError if a process dies.
    """
    compared = list(zip(bundles(size), digests, strict=True))
    processes = os.cpu_count() or 1
    if not without or size < ALONE or processes < 2:
        yield from _entries(files, compared)
        return
    parts = (compared[at : at + _BUNDLES] for at in range(0, len(compared), _BUNDLES))
    try:
        yield from _in_processes(files, parts, frozenset(without), processes)
    except BrokenProcessPool as error:
        raise StateError(f"{files.path}: a process that read it was ended", hint="is there enough memory?") from error


def _entries(files: LogFiles, part: _Part) -> Iterator[AuditEntry]:
    source = str(files.path)
    for tile, digest in part:
        data = files.tile(tile)
        if sha256(data).digest() != digest:
            subject = str(files.path / tile.path)
            raise RefusedError(
                AuditRule.LOG_TREE, subject, expected="what was there a moment ago", got="something else"
            )
        for number, line in enumerate(split_bundle(data, tile), tile.index * WIDTH + 1):
            yield read_entry(line, number, source)


def _in_processes(
    files: LogFiles, parts: Iterator[_Part], without: frozenset[EntryType], processes: int
) -> Iterator[AuditEntry]:
    """At most two parts for each process are under way or wait, so that memory stays small."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        begun = (((part, pool.submit(_checked, files.path, part, without))) for part in parts)
        waiting = deque(islice(begun, 2 * processes))
        while waiting:
            part, future = waiting.popleft()
            found = future.result()
            waiting.extend(islice(begun, 1))
            yield from _entries(files, part) if found is None else found


def _checked(path: Path, part: _Part, without: frozenset[EntryType]) -> list[AuditEntry] | None:
    """In another process: the entries, or None where one is refused."""
    try:
        return [
            AuditEntry(entry.sequence, entry.time, entry.type, {}) if entry.type in without else entry
            for entry in _entries(LogFiles(path), part)
        ]
    except EnigmTufError:
        return None
