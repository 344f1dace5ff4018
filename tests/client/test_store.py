"""The device's store: old state or new, whatever fails."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enigm_tuf.errors import EnigmTufError, MalformedError, StateError
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.store import DirectoryStore

OLD = DeviceState({"root": b"root 1"}, datetime(2026, 11, 1, tzinfo=UTC), {"phone": 1}, {"phone": ("1.0", "B1")})
NEW = DeviceState(
    {"root": b"root 2", "timestamp": b"time"},
    datetime(2026, 11, 2, tzinfo=UTC),
    {"phone": 2},
    {"phone": ("2.0", "B2")},
)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    made = DirectoryStore(tmp_path / "store")
    made.commit(OLD)
    return made


class Fault:
    """Counts calls of one file operation, and lets the one of that number fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: int) -> None:
        self.calls = 0
        real: Callable[..., Any] = getattr(owner, name)

        def failing(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == number:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, failing)


def test_what_was_committed_is_loaded(store: DirectoryStore) -> None:
    assert store.load() == OLD
    store.commit(NEW)
    assert store.load() == NEW


def test_objects_that_nothing_names_are_removed(store: DirectoryStore, tmp_path: Path) -> None:
    store.commit(NEW)
    assert len(list((tmp_path / "store/objects").iterdir())) == len(NEW.metadata)


@pytest.mark.parametrize(("owner", "name"), [(os, "replace"), (os, "fsync"), (os, "open"), (os, "fdopen")])
def test_a_failure_of_any_file_operation_leaves_the_old_state_or_the_new_one(
    tmp_path: Path, owner: Any, name: str
) -> None:
    """Every call of the operation in turn, until a commit needs no more of them."""
    failures = 0
    for number in range(1, 50):
        store = DirectoryStore(tmp_path / f"{name}-{number}")
        store.commit(OLD)
        with pytest.MonkeyPatch.context() as patch:
            fault = Fault(patch, owner, name, number)
            try:
                store.commit(NEW)
            except (EnigmTufError, OSError):
                failures += 1
        assert store.load() in (OLD, NEW)
        if fault.calls < number:
            break
        store.commit(NEW)
        assert store.load() == NEW, "and the next commit goes through"
    assert failures


def test_a_process_that_is_killed_at_any_moment_leaves_one_whole_state(tmp_path: Path) -> None:
    """The process dies before the call of that number; nothing of it is left to clean up."""
    program = """
import os, sys
from pathlib import Path
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.store import DirectoryStore
number, calls = int(sys.argv[2]), 0
def dying(real):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == number:
            os._exit(9)
        return real(*arguments, **options)
    return call
os.fsync, Path.replace = dying(os.fsync), dying(Path.replace)
DirectoryStore(Path(sys.argv[1])).commit(DeviceState(metadata={"root": b"root 2", "timestamp": b"time"}))
"""
    seen = set()
    for number in range(1, 30):
        folder = tmp_path / str(number)
        DirectoryStore(folder).commit(DeviceState(metadata={"root": b"root 1"}))
        done = subprocess.run([sys.executable, "-c", program, str(folder), str(number)], check=False)
        state = DirectoryStore(folder).load().metadata
        assert state in ({"root": b"root 1"}, {"root": b"root 2", "timestamp": b"time"})
        seen.add(len(state))
        if done.returncode == 0:
            break
        assert done.returncode == 9
    assert seen == {1, 2}


def test_two_processes_that_commit_at_once_leave_one_whole_state(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.store import DirectoryStore
store, name = DirectoryStore(Path(sys.argv[1])), sys.argv[2]
for number in range(30):
    store.commit(DeviceState(metadata={"root": f"{name} {number}".encode()}))
"""
    store = tmp_path / "store"
    running = [subprocess.Popen([sys.executable, "-c", program, str(store), name]) for name in "ab"]
    assert [process.wait() for process in running] == [0, 0]
    assert DirectoryStore(store).load().metadata["root"] in (b"a 29", b"b 29")


@pytest.mark.parametrize("damage", [b"root 2", b"", b"root 1 and more"])
def test_a_damaged_object_is_never_loaded(store: DirectoryStore, tmp_path: Path, damage: bytes) -> None:
    (file,) = (tmp_path / "store/objects").iterdir()
    file.write_bytes(damage)
    state = store.load()
    with pytest.raises(StateError, match="damaged"):
        state.metadata["root"]


def test_a_missing_object_is_a_state_error(store: DirectoryStore, tmp_path: Path) -> None:
    (file,) = (tmp_path / "store/objects").iterdir()
    file.unlink()
    state = store.load()
    with pytest.raises(StateError):
        state.metadata["root"]


@pytest.mark.parametrize("keep", [0, 1, 50])
def test_a_torn_state_file_is_named_in_the_error(store: DirectoryStore, tmp_path: Path, keep: int) -> None:
    file = tmp_path / "store/state.json"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(MalformedError, match=r"state\.json"):
        store.load()


def test_a_store_that_was_never_initialised_says_so(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no device state"):
        DirectoryStore(tmp_path).load()
