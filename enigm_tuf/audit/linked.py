"""The audit log as one file of JSON lines, each with the SHA-256 of the line before it.

A line is the canonical JSON of an entry; hashes are taken without the end of line. Whoever holds a head that was
noted earlier (``ENTRIES:SHA256``) can tell that nothing before it was changed, removed or put in.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

from enigm_tuf.audit.log import ENTRY_BYTES, AuditEntry, EntryType, entry_shape
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError, StateError
from enigm_tuf.model.request import AuditHead
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.ports import Clock

START = AuditHead(0, "0" * 64)


class LinkedLog:
    """Implements AuditLog. Made by ``open_log`` alone, which holds the file's lock."""

    def __init__(self, file: FileIO, clock: Clock, entries: list[AuditEntry], head: AuditHead) -> None:
        self._file = file
        self._clock = clock
        self._entries = entries
        self._head = head

    def append(self, kind: EntryType, body: Mapping[str, Any]) -> AuditEntry:
        """See AuditLog."""
        now = self._clock.now().replace(microsecond=0)
        entry = AuditEntry(self._head.entries + 1, self._head.sha256, now, kind, dict(body))
        line = encode(entry_shape(kind).write(entry))
        entry, _ = _read_line(line, str(self._file.name), self._head, self._entries[-1] if self._entries else None)
        _write_whole(self._file, line + b"\n")
        self._entries.append(entry)
        self._head = AuditHead(entry.sequence, sha256(line))
        return entry

    def entries(self) -> Iterator[AuditEntry]:
        """See AuditLog."""
        return iter(tuple(self._entries))

    def head(self) -> AuditHead:
        """See AuditLog."""
        return self._head


def create_log(path: Path) -> None:
    """An empty log file, durable in its folder; MisuseError if there is one."""
    try:
        with path.open("xb") as file:
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise MisuseError(f"{path}: there is an audit log already") from error
    fsync_directory(path.parent)


@contextmanager
def open_log(path: Path, clock: Clock) -> Iterator[LinkedLog]:
    """The log, locked and verified, for as long as the block lasts.

    StateError if another process holds it or if the last line is torn; RefusedError as ``verify``.
    """
    with _existing(path, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"{path}: another process uses this authority", hint="wait until it is done") from error
        data = file.read()
        if torn := len(data) - len(_whole(data)):
            raise StateError(
                f"{path}: the last {torn} bytes are half a line, cut off by a crash",
                hint=f"keep a copy as evidence and tell the auditor; then cut the file to {len(data) - torn} bytes",
            )
        entries, head = _read(data, str(path))
        yield LinkedLog(file, clock, entries, head)


def read_log(path: Path) -> list[AuditEntry]:
    """All entries of a log that nobody needs to hold, verified."""
    with _existing(path, "r") as file:
        return _read(file.read(), str(path))[0]


def verify(path: Path, expect: AuditHead | None) -> AuditHead:
    """Check every line, and that ``expect``, a head noted earlier, is still in the log; returns the head.

    RefusedError: LOG-WHOLE, LOG-FORM, LOG-LINK, LOG-TIME, LOG-HEAD.
    """
    with _existing(path, "r") as file:
        data = file.read()
    _, head = _read(data, str(path))
    if expect is not None:
        lines = data.split(b"\n")
        got = sha256(lines[expect.entries - 1]) if expect.entries <= head.entries else "no such entry"
        if got != expect.sha256:
            subject = f"{path}, entry {expect.entries}"
            raise RefusedError(AuditRule.LOG_HEAD, subject, expected=f"hash {expect.sha256}", got=got)
    return head


def _existing(path: Path, mode: str) -> FileIO:
    try:
        return FileIO(path, mode)  # no buffer that could be written later, after an error
    except FileNotFoundError as error:
        raise StateError(f"{path}: there is no audit log", hint="an authority without its log signs nothing") from error


def _whole(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _read(data: bytes, source: str) -> tuple[list[AuditEntry], AuditHead]:
    if torn := len(data) - len(_whole(data)):
        got = f"{torn} bytes without an end of line"
        raise RefusedError(AuditRule.LOG_WHOLE, source, expected="a whole last line", got=got)
    entries: list[AuditEntry] = []
    head = START
    for line in data.split(b"\n")[:-1]:
        entry, head = _read_line(line, source, head, entries[-1] if entries else None)
        entries.append(entry)
    return entries, head


def _read_line(line: bytes, source: str, head: AuditHead, before: AuditEntry | None) -> tuple[AuditEntry, AuditHead]:
    """The entry on ``line``, which follows ``before``, and the head after it."""
    subject = f"{source}, line {head.entries + 1}"
    entry = _parse(line, subject)
    if entry.sequence != head.entries + 1:
        raise RefusedError(
            AuditRule.LOG_LINK, subject, expected=f"sequence {head.entries + 1}", got=f"{entry.sequence}"
        )
    if entry.previous != head.sha256:
        raise RefusedError(AuditRule.LOG_LINK, subject, expected=f"previous {head.sha256}", got=entry.previous)
    if before is not None and entry.time < before.time:
        raise RefusedError(
            AuditRule.LOG_TIME, subject, expected=f"{before.time.isoformat()} or later", got=entry.time.isoformat()
        )
    return entry, AuditHead(entry.sequence, sha256(line))


def _parse(line: bytes, subject: str) -> AuditEntry:
    try:
        value = parse(line, source=subject, max_bytes=ENTRY_BYTES)
        shape = entry_shape(value.get("type"))
        entry = shape.read(value, subject)
    except MalformedError as error:
        raise RefusedError(AuditRule.LOG_FORM, subject, expected="an entry of a known type", got=str(error)) from error
    if encode(shape.write(entry)) != line:
        raise RefusedError(AuditRule.LOG_FORM, subject, expected="the one encoding of this entry", got="another")
    return replace(entry, type=EntryType(entry.type))


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
        raise StateError(f"{file.name}: nothing was logged: {error.strerror}") from error
