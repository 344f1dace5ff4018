"""The audit log shows every change that is made to it behind its back."""

import json
import multiprocessing
import os
import resource
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from enigm_testkit.audit_logs import Change, edit_entries, forge, log_state
from enigm_tuf.audit.log import EntryType, write_entry
from enigm_tuf.audit.merkle import create_log, log_signer, open_log, read_log, verify
from enigm_tuf.audit.tiles import all_tiles
from enigm_tuf.audit.tree import leaf_hash
from enigm_tuf.errors import EnigmTufError, MalformedError, MisuseError, RefusedError, StateError
from enigm_tuf.model.request import AuditHead

PLACE = "staging/release"
START = datetime(2026, 11, 23, 20, 0, 0, tzinfo=UTC)


@dataclass
class SetClock:
    time: datetime = START

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def log(tmp_path: Path, clock: SetClock) -> Path:
    """A log of four entries, one second apart."""
    path = tmp_path / "home" / "audit.log"
    path.parent.mkdir()
    create_log(path, PLACE)
    with open_log(path, clock) as log:
        for number in range(1, 5):
            log.append(EntryType.ROOT_TRUSTED, {"version": number, "sha256": f"{number}" * 64})
            clock.time += timedelta(seconds=1)
    return path


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.rule


@pytest.mark.rule("LOG-FORM", "accept")
@pytest.mark.rule("LOG-TREE", "accept")
@pytest.mark.rule("LOG-TIME", "accept")
def test_a_log_that_nobody_touched_verifies(log: Path) -> None:
    assert verify(log, None).entries == 4
    assert [entry.body["version"] for entry in read_log(log)] == [1, 2, 3, 4]
    assert {entry.type for entry in read_log(log)} == {EntryType.ROOT_TRUSTED}


CHANGES = [
    pytest.param(lambda lines: [lines[0], lines[1].replace(b"2" * 64, b"9" * 64), *lines[2:]], id="edited"),
    pytest.param(lambda lines: [lines[0], lines[2], lines[1], lines[3]], id="reordered"),
    pytest.param(lambda lines: [lines[0], lines[1], lines[1], lines[3]], id="replaced"),
    pytest.param(lambda lines: [*lines[:3], lines[3].replace(b"4" * 64, b"9" * 64)], id="edited at the end"),
]


@pytest.mark.rule("LOG-TREE", "reject")
@pytest.mark.parametrize("change", CHANGES)
def test_entries_that_were_changed_are_not_those_of_the_checkpoint(log: Path, change: Change) -> None:
    edit_entries(log, change)
    assert refusal(lambda: verify(log, None)) == "LOG-TREE"


def test_a_changed_edge_is_found_before_anything_is_appended(log: Path, clock: SetClock) -> None:
    edit_entries(log, lambda lines: [lines[0].replace(b"1" * 64, b"9" * 64), *lines[1:]])
    with pytest.raises(RefusedError, match="LOG-TREE"), open_log(log, clock):
        pass


@pytest.mark.parametrize("change", [*CHANGES, pytest.param(lambda lines: lines[:3], id="truncated")])
def test_who_has_the_key_can_forge_a_log_and_not_what_was_noted_of_it(log: Path, change: Change) -> None:
    head = verify(log, None)
    forge(log, lambda lines: _numbered(change(lines)))
    verify(log, None)
    assert refusal(lambda: verify(log, head)) == "LOG-CONSISTENT"


def _numbered(lines: list[bytes]) -> list[bytes]:
    """Times stand in the way of reordering too; the forger sets them all to one."""
    made = []
    for number, line in enumerate(lines, 1):
        value = json.loads(line) | {"sequence": number, "time": "2026-11-23T20:00:00Z"}
        made.append(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
    return made


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/4", "tile/entries/000.p/4"])
def test_a_torn_or_missing_file_of_the_log_is_found(log: Path, name: str, clock: SetClock) -> None:
    (log / name).write_bytes((log / name).read_bytes()[:-1])
    with pytest.raises(RefusedError, match="LOG-TREE"), open_log(log, clock):
        pass
    (log / name).unlink()
    with pytest.raises(EnigmTufError), open_log(log, clock):
        pass


def test_a_noted_head_may_lie_behind(log: Path, clock: SetClock) -> None:
    head = verify(log, None)
    with open_log(log, clock) as more:
        more.append(EntryType.ROOT_TRUSTED, {"version": 5, "sha256": "5" * 64})
    assert verify(log, head).entries == 5


@pytest.mark.rule("LOG-TIME", "reject")
def test_a_clock_that_went_back_one_second_appends_nothing(log: Path, clock: SetClock) -> None:
    clock.time = START + timedelta(seconds=2)
    with open_log(log, clock) as more:
        assert refusal(lambda: more.append(EntryType.ROOT_TRUSTED, {"version": 5, "sha256": "5" * 64})) == "LOG-TIME"
    assert verify(log, None).entries == 4


def test_a_clock_that_stands_still_appends(log: Path, clock: SetClock) -> None:
    clock.time = START + timedelta(seconds=3)
    with open_log(log, clock) as more:
        more.append(EntryType.ROOT_TRUSTED, {"version": 5, "sha256": "5" * 64})
    assert verify(log, None).entries == 5


@pytest.mark.rule("LOG-FORM", "reject")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'"root.trusted"', b'"root.believed"', id="unknown type"),
        pytest.param(b'"version":4', b'"version":true', id="wrong shape"),
        pytest.param(b'"version":4', b'"version": 4', id="another encoding"),
        pytest.param(b'"schema":1', b'"schema":2', id="unknown schema"),
        pytest.param(b'"sequence":4', b'"sequence":5', id="another number"),
    ],
)
def test_an_entry_in_another_form_is_refused(log: Path, old: bytes, new: bytes) -> None:
    forge(log, lambda lines: [*lines[:3], lines[3].replace(old, new)])
    assert refusal(lambda: verify(log, None)) == "LOG-FORM"


def test_a_body_of_the_wrong_shape_is_never_written(log: Path, clock: SetClock) -> None:
    with open_log(log, clock) as more:
        assert refusal(lambda: more.append(EntryType.ROOT_TRUSTED, {"version": 5})) == "LOG-FORM"
    assert verify(log, None).entries == 4


def test_an_entry_of_more_than_16_kib_is_never_written(log: Path, clock: SetClock) -> None:
    rules = [{"rule": "R", "passed": True, "evidence": "e" * 4000, "waived": False}] * 5
    decided = datetime(2026, 11, 24, tzinfo=UTC)
    body = {"request_sha256": "a" * 64, "request_id": "r-1", "decided": decided, "passed": True, "rules": rules}
    with open_log(log, clock) as more:
        assert refusal(lambda: more.append(EntryType.POLICY_EVALUATED, body)) == "LOG-FORM"
        more.append(EntryType.POLICY_EVALUATED, body | {"rules": rules[:3]})


def test_there_is_one_writer_at_a_time(log: Path, clock: SetClock) -> None:
    with open_log(log, clock), pytest.raises(StateError, match="another process"), open_log(log, clock):
        pass


def test_a_log_is_not_made_over_another(log: Path) -> None:
    with pytest.raises(MisuseError):
        create_log(log, PLACE)


def test_an_authority_without_its_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no audit log"):
        verify(tmp_path / "audit.log", AuditHead(1, "0" * 64))


def _append_on_a_full_disk(path: Path) -> None:
    """In a process of its own: no file may be four bytes longer than the bundle is."""
    with open_log(path, SetClock(START + timedelta(seconds=9))) as log:
        size = (path / "tile/entries/000.p/4").stat().st_size + 4
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            log.append(EntryType.ROOT_TRUSTED, {"version": 5, "sha256": "5" * 64})
        except StateError:
            os._exit(3)
    os._exit(0)


@contextmanager
def ignored_file_size_signal() -> Iterator[None]:
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGXFSZ, before)


def test_a_disk_that_fills_up_leaves_the_log_as_it_was(log: Path) -> None:
    before = log_state(log)
    with ignored_file_size_signal():
        process = multiprocessing.get_context("fork").Process(target=_append_on_a_full_disk, args=(log,))
        process.start()
        process.join(20)
    assert process.exitcode == 3
    assert log_state(log) == before
    assert verify(log, None).entries == 4


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/4", "tile/entries/000.p/4", "../log.key"])
def test_every_error_is_one_of_ours(log: Path, clock: SetClock, name: str) -> None:
    for junk in (b"", b"\n", b"[]\n", b"\xff\n", b"\x00\x02{}", b"PRIVATE+KEY+a+00000000+AQ=="):
        (log / name).write_bytes(junk)
        with pytest.raises(EnigmTufError), open_log(log, clock):
            pass


def test_a_log_grows_over_many_tiles_alone_and_in_batches(tmp_path: Path, clock: SetClock) -> None:
    """What is on disk after each step is what others read: the tiles of the newest checkpoint, and no other partial."""
    path = tmp_path / "log"
    create_log(path, PLACE)
    with open_log(path, clock) as log:
        log.extend((EntryType.ROOT_TRUSTED, {"version": number, "sha256": "a" * 64}) for number in range(1, 255))
        for number in range(255, 259):
            log.append(EntryType.ROOT_TRUSTED, {"version": number, "sha256": "b" * 64})
        log.extend((EntryType.ROOT_TRUSTED, {"version": number, "sha256": "c" * 64}) for number in range(259, 800))
    files = {tile.path for tile in all_tiles(799)} | {"checkpoint"}
    assert set(log_state(path)) == files
    assert [entry.body["version"] for entry in read_log(path)] == list(range(1, 800))
    with open_log(path, clock) as log:
        log.append(EntryType.ROOT_TRUSTED, {"version": 800, "sha256": "d" * 64})
    assert verify(path, None).entries == 800


def test_others_read_our_log_from_its_folder(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "log"
    create_log(path, PLACE, "example.com/audit")
    with open_log(path, clock) as log:
        log.extend((EntryType.ROOT_TRUSTED, {"version": number, "sha256": "a" * 64}) for number in range(1, 601))
        public, lines = log.signer.log.text, log.entries()
    theirs = TilesReader(LocalBackend(path))
    checkpoint = theirs.get_checkpoint()
    checkpoint.verify(Vkey.from_string(public))
    assert checkpoint.origin == "example.com/audit/staging/release"
    assert theirs.calculate_root_hash() == checkpoint.root_hash
    for index, entry in list(enumerate(lines))[::97]:
        proof = theirs.get_inclusion_proof(index, checkpoint.size)
        proof.check(leaf_hash(write_entry(entry)), checkpoint.root_hash)


def test_the_key_is_for_its_owner_alone(log: Path) -> None:
    assert stat.S_IMODE(log.with_name("log.key").stat().st_mode) == 0o600


def test_no_two_logs_share_an_origin(tmp_path: Path) -> None:
    names = set()
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        create_log(tmp_path / str(number) / "log", PLACE)
        names.add(log_signer(tmp_path / str(number) / "log").name)
    assert len(names) == 2
    assert all(name.endswith("/staging/release") for name in names)


@pytest.mark.parametrize("name", ["a b", "a+b", "a\nb"])
def test_a_name_that_no_note_could_bear_makes_no_log(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedError, match="without blanks"):
        create_log(tmp_path / "log", PLACE, name)
    assert list(tmp_path.iterdir()) == []
