"""The device's store: a directory with one commit point.

``objects/<sha256>`` hold metadata as received; ``state.json`` names those in force, with the floors. A commit
writes new objects durably, then swaps ``state.json`` by rename; what nothing names any more is removed after.
"""

from __future__ import annotations

import fcntl
import os

from enigm_tuf.durable import StrPath, fsync_directory, replace_file
from enigm_tuf.errors import StateError
from enigm_tuf.model.documents import Documents
from enigm_tuf.model.lean import datetime
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
    """state.json. ``metadata`` gives the object of each role, ``remembered`` how it was verified; ``targets`` gives
    the objects of small target files."""

    metadata: dict[str, str]
    targets: dict[str, str]
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
    targets=Table(WORD, SHA256),
    remembered=Table(WORD, _REMEMBERED),
    latest_time=Optional(Time()),
    rollback_floors=Table(NAME, Integer()),
    installed=Table(NAME, Record(_Installed, version=VERSION, build_id=BUILD_ID)),
)


class DirectoryStore:
    """Implements ``enigm_tuf.ports.Store`` on a local directory. One process at a time updates the device."""

    def __init__(self, directory: StrPath) -> None:
        self._directory = os.fspath(directory)
        self._objects = f"{self._directory}/objects"
        self._file = f"{self._directory}/state.json"

    def exists(self) -> bool:
        """Whether a state was ever committed here."""
        return os.path.exists(self._file)

    def load(self) -> DeviceState:
        """The committed state; each object is checked against its name when it is read; StateError.

        What is given back is durable: a process that was killed may have named it without, and who acts upon a state
        (a slot that is filled, an answer) must never wake up behind it.
        """
        try:
            data = _read(self._file)
            fsync_directory(self._directory)  # after the reading: what another process names meanwhile is not this
        except FileNotFoundError as error:
            raise StateError(f"{self._directory}: no device state here", hint="run enigm-update init first") from error
        except OSError as error:
            raise StateError(f"{self._file}: {error.strerror}") from error
        state = _STATE.read(parse(data, source=self._file), self._file)
        installed = {product: (item.version, item.build_id) for product, item in state.installed.items()}
        return DeviceState(
            Documents(state.metadata, self._object),
            state.latest_time,
            state.rollback_floors,
            installed,
            state.remembered,
            Documents(state.targets, self._object),
        )

    def commit(self, state: DeviceState) -> None:
        """Old state or new one, whatever happens; StateError leaves the old one."""
        documents, targets = Documents.of(state.metadata), Documents.of(state.targets)
        installed = {product: _Installed(*item) for product, item in state.installed.items()}
        file = _StateFile(
            dict(documents.digests),
            dict(targets.digests),
            dict(state.remembered),
            state.latest_time,
            dict(state.rollback_floors),
            installed,
        )
        with _Lock(self, "lock", wait=True):
            self._settle()
            for group in (documents, targets):
                for name, digest in group.digests.items():
                    if not os.path.exists(f"{self._objects}/{digest}"):
                        replace_file(f"{self._objects}/{digest}", group[name])
            self._settle()
            replace_file(self._file, encode(_STATE.write(file)))
            self._remove_unnamed({*documents.digests.values(), *targets.digests.values()})

    def exclusive(self) -> _Lock:
        """Hold the device for one whole operation; StateError at once if another process holds it."""
        return _Lock(self, "busy.lock", wait=False)

    def open_lock(self, name: str) -> int:
        """A descriptor of the lock file ``name``; makes the directory if there is none; StateError."""
        try:
            if not os.path.isdir(self._objects):
                os.makedirs(self._objects, exist_ok=True)
                fsync_directory(self._directory)
            return os.open(f"{self._directory}/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from error

    def _settle(self) -> None:
        """Make the names durable that a process left which was killed: what is built on them must not outlive them."""
        try:
            fsync_directory(self._objects)
            fsync_directory(self._directory)
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from error

    def _object(self, digest: str) -> bytes:
        path = f"{self._objects}/{digest}"
        try:
            data = _read(path)
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}") from error
        if sha256(data) != digest:
            raise StateError(f"{path}: damaged: its SHA-256 is not its name")
        return data

    def _remove_unnamed(self, named: set[str]) -> None:
        for name in os.listdir(self._objects):
            if name not in named:
                try:
                    os.unlink(f"{self._objects}/{name}")
                except OSError:
                    continue  # garbage costs space, never safety


class _Lock:
    """A lock between processes: held in the block, given back by the system if the process dies."""

    def __init__(self, store: DirectoryStore, name: str, *, wait: bool) -> None:
        self._store = store
        self._name = name
        self._wait = wait
        self._descriptor = -1

    def __enter__(self) -> None:
        descriptor = self._store.open_lock(self._name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if self._wait else fcntl.LOCK_NB))
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                trouble = "another process is updating this device"
                raise StateError(trouble, hint="wait until it is done, then run it again") from error
            raise StateError(f"{self._name}: {error.strerror}") from error
        self._descriptor = descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
