"""The device's store: a directory with one commit point.

``objects/<sha256>`` hold metadata as received; ``state.json`` names those in force, with the floors. A commit
writes new objects durably, then swaps ``state.json`` by rename; what nothing names any more is removed after.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from enigm_tuf.durable import fsync_directory, replace_file
from enigm_tuf.errors import StateError
from enigm_tuf.model.documents import Documents
from enigm_tuf.model.shapes import (
    BUILD_ID,
    NAME,
    SHA256,
    VERSION,
    WORD,
    Integer,
    Optional,
    Record,
    Sequence,
    Table,
    Time,
)
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.model.value import Value
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.remembered import Remembered


class _Installed(Value):
    version: str
    build_id: str


class _StateFile(Value):
    """state.json. ``metadata`` gives the object of each role, ``remembered`` how it was verified."""

    metadata: dict[str, str]
    remembered: dict[str, Remembered]
    latest_time: datetime | None
    rollback_floors: dict[str, int]
    installed: dict[str, _Installed]


_REMEMBERED = Record(
    Remembered,
    sha256=SHA256,
    length=Integer(),
    version=Integer(1),
    expires=Time(),
    root=SHA256,
    delegator=SHA256,
    signers=Sequence(SHA256, unique=True),
    admission=WORD,
)
_STATE = Record(
    _StateFile,
    2,
    metadata=Table(WORD, SHA256),
    remembered=Table(WORD, _REMEMBERED),
    latest_time=Optional(Time()),
    rollback_floors=Table(NAME, Integer()),
    installed=Table(NAME, Record(_Installed, version=VERSION, build_id=BUILD_ID)),
)


class DirectoryStore:
    """Implements ``enigm_tuf.ports.Store`` on a local directory. One process at a time updates the device."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._objects = directory / "objects"
        self._file = directory / "state.json"

    def load(self) -> DeviceState:
        """The committed state; each object is checked against its name when it is read; StateError."""
        try:
            data = self._file.read_bytes()
        except FileNotFoundError as error:
            raise StateError(f"{self._directory}: no device state here", hint="run enigm-update init first") from error
        except OSError as error:
            raise StateError(f"{self._file}: {error.strerror}") from error
        state = _STATE.read(parse(data, source=str(self._file)), str(self._file))
        installed = {product: (item.version, item.build_id) for product, item in state.installed.items()}
        documents = Documents(state.metadata, self._object)
        return DeviceState(documents, state.latest_time, state.rollback_floors, installed, state.remembered)

    def commit(self, state: DeviceState) -> None:
        """Old state or new one, whatever happens; StateError leaves the old one."""
        documents = Documents.of(state.metadata)
        installed = {product: _Installed(*item) for product, item in state.installed.items()}
        file = _StateFile(
            dict(documents.digests), dict(state.remembered), state.latest_time, dict(state.rollback_floors), installed
        )
        with self._locked():
            for role, digest in documents.digests.items():
                if not (self._objects / digest).exists():
                    replace_file(self._objects / digest, documents[role])
            replace_file(self._file, encode(_STATE.write(file)))
            self._remove_unnamed(set(documents.digests.values()))

    def _object(self, digest: str) -> bytes:
        try:
            data = (self._objects / digest).read_bytes()
        except OSError as error:
            raise StateError(f"{self._objects / digest}: {error.strerror}") from error
        if sha256(data) != digest:
            raise StateError(f"{self._objects / digest}: damaged: its SHA-256 is not its name")
        return data

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the device for one whole operation; StateError at once if another process holds it."""
        with self._lock("busy.lock") as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                trouble = f"{self._directory}: another process is updating this device"
                raise StateError(trouble, hint="wait until it is done, then run it again") from error
            yield

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock("lock") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[int]:
        try:
            if not self._objects.is_dir():
                self._objects.mkdir(parents=True, exist_ok=True)
                fsync_directory(self._directory)
            descriptor = os.open(self._directory / name, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _remove_unnamed(self, named: set[str]) -> None:
        for file in self._objects.iterdir():
            if file.name not in named:
                with contextlib.suppress(OSError):  # garbage costs space, never safety
                    file.unlink()
