"""The transcript as a file: appended and made durable line by line, read back with its chain verified."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from enigm_tuf.authorities.ceremony.rules import TranscriptRule
from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError, StateError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.transcript import START, TranscriptEntry, TranscriptType, read_entry, write_entry
from enigm_tuf.ports import Clock

_BYTES = 64_000_000  # a ceremony of 500 steps


class Transcript:
    """Made by ``open_transcript`` alone, which holds the file's lock."""

    def __init__(self, file: FileIO, clock: Clock, entries: list[TranscriptEntry], head: str, torn_bytes: int) -> None:
        self._file = file
        self._clock = clock
        self.entries = entries
        self.head = head
        self.torn_bytes = torn_bytes

    def append(self, kind: TranscriptType, body: Mapping[str, Any]) -> TranscriptEntry:
        """Add a line; it is durable before this returns. StateError leaves the transcript as it was."""
        now = self._clock.now().replace(microsecond=0)
        line = write_entry(TranscriptEntry(len(self.entries) + 1, self.head, now, kind, dict(body)))
        entry, head = _link(line, self.entries, self.head, str(self._file.name))
        _write_whole(self._file, line + b"\n")
        self.entries.append(entry)
        self.head = head
        return entry


@contextmanager
def open_transcript(path: Path, clock: Clock) -> Iterator[Transcript]:
    """The transcript, made if it is not there, locked for as long as the block lasts.

    A last line that a power cut tore was never acted on: it is cut off, and ``torn_bytes`` says so.
    RefusedError TRANSCRIPT-LINK; StateError if another process holds it; MisuseError if its folder is not there.
    """
    with _open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"{path}: another process runs this ceremony", hint="wait until it is done") from error
        data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        entries, head = _read(whole, str(path))
        if torn := len(data) - len(whole):
            os.ftruncate(file.fileno(), len(whole))
            os.fsync(file.fileno())
        yield Transcript(file, clock, entries, head, torn)


def read_transcript(path: Path) -> tuple[list[TranscriptEntry], list[str]]:
    """All entries, and the head after each; RefusedError TRANSCRIPT-LINK, also for a torn last line."""
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES + 1)
    except OSError as error:
        raise MisuseError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    if not data.endswith(b"\n") or len(data) > _BYTES:
        _refuse(str(path), "whole lines", "a torn end, or no line" if len(data) <= _BYTES else "too many bytes")
    entries, _ = _read(data, str(path))
    return entries, [sha256(line) for line in data.split(b"\n")[:-1]]


def _open(path: Path) -> FileIO:
    if not path.parent.is_dir():
        raise MisuseError(f"{path.parent}: no such folder")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    fsync_directory(path.parent)
    return FileIO(descriptor, "r+")


def _read(data: bytes, source: str) -> tuple[list[TranscriptEntry], str]:
    entries: list[TranscriptEntry] = []
    head = START
    for line in data.split(b"\n")[:-1]:
        entry, head = _link(line, entries, head, source)
        entries.append(entry)
    return entries, head


def _link(line: bytes, before: list[TranscriptEntry], head: str, source: str) -> tuple[TranscriptEntry, str]:
    subject = f"{source}, line {len(before) + 1}"
    try:
        entry = read_entry(line, subject)
    except MalformedError as error:
        raise RefusedError(TranscriptRule.TRANSCRIPT_LINK, subject, expected="an entry", got=str(error)) from error
    if (entry.sequence, entry.previous) != (len(before) + 1, head):
        _refuse(subject, f"line {len(before) + 1} after {head}", f"line {entry.sequence} after {entry.previous}")
    if before and entry.time < before[-1].time:
        _refuse(subject, f"{before[-1].time.isoformat()} or later", entry.time.isoformat())
    return entry, sha256(line)


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(TranscriptRule.TRANSCRIPT_LINK, subject, expected=expected, got=got)


def _write_whole(file: FileIO, line: bytes) -> None:
    """All of the line, durably, or the file as it was."""
    end = file.seek(0, os.SEEK_END)
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError as error:
        os.ftruncate(file.fileno(), end)
        raise StateError(f"{file.name}: nothing was written down: {error.strerror}") from error
