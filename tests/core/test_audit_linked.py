"""The audit log shows every change that is made to it behind its back."""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enigm_tuf.audit.linked import create_log, open_log, read_log, verify
from enigm_tuf.audit.log import EntryType
from enigm_tuf.errors import EnigmTufError, MisuseError, RefusedError, StateError
from enigm_tuf.model.request import AuditHead

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
    path = tmp_path / "audit.log"
    create_log(path)
    with open_log(path, clock) as log:
        for number in range(1, 5):
            log.append(EntryType.ROOT_TRUSTED, {"version": number, "sha256": f"{number}" * 64})
            clock.time += timedelta(seconds=1)
    return path


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.rule


def change_lines(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.rule("LOG-WHOLE", "accept")
@pytest.mark.rule("LOG-FORM", "accept")
@pytest.mark.rule("LOG-LINK", "accept")
@pytest.mark.rule("LOG-TIME", "accept")
def test_a_log_that_nobody_touched_verifies(log: Path) -> None:
    assert verify(log, None).entries == 4
    assert [entry.body["version"] for entry in read_log(log)] == [1, 2, 3, 4]
    assert {entry.type for entry in read_log(log)} == {EntryType.ROOT_TRUSTED}


@pytest.mark.rule("LOG-LINK", "reject")
def test_an_edited_entry_is_found_at_the_one_after_it(log: Path) -> None:
    change_lines(log, lambda lines: [lines[0], lines[1].replace(b"2" * 64, b"9" * 64), *lines[2:]])
    with pytest.raises(RefusedError, match="line 3") as caught:
        verify(log, None)
    assert caught.value.rule == "LOG-LINK"


def test_an_edited_last_entry_is_found_by_the_pinned_head(log: Path) -> None:
    head = verify(log, None)
    change_lines(log, lambda lines: [*lines[:3], lines[3].replace(b"4" * 64, b"9" * 64)])
    assert verify(log, None).entries == 4
    assert refusal(lambda: verify(log, head)) == "LOG-HEAD"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: [lines[0], lines[2], lines[1], lines[3]], id="reordered"),
        pytest.param(lambda lines: [lines[0], lines[1], lines[1], *lines[2:]], id="inserted"),
        pytest.param(lambda lines: [lines[0], *lines[2:]], id="removed from the middle"),
        pytest.param(lambda lines: lines[1:], id="removed from the start"),
    ],
)
def test_moved_and_missing_entries_break_the_links(log: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    change_lines(log, change)
    assert refusal(lambda: verify(log, None)) == "LOG-LINK"


@pytest.mark.rule("LOG-HEAD", "accept")
def test_a_pinned_head_may_lie_behind(log: Path, clock: SetClock) -> None:
    head = verify(log, None)
    with open_log(log, clock) as more:
        more.append(EntryType.ROOT_TRUSTED, {"version": 5, "sha256": "5" * 64})
    assert verify(log, head).entries == 5


@pytest.mark.rule("LOG-HEAD", "reject")
def test_truncation_is_found_by_the_pinned_head(log: Path) -> None:
    head = verify(log, None)
    change_lines(log, lambda lines: lines[:3])
    assert verify(log, None).entries == 3
    assert refusal(lambda: verify(log, head)) == "LOG-HEAD"


@pytest.mark.rule("LOG-WHOLE", "reject")
def test_a_torn_last_line_is_named_as_such(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])
    assert refusal(lambda: verify(log, None)) == "LOG-WHOLE"


def test_nothing_is_appended_to_a_torn_log_and_the_hint_says_what_to_do(log: Path, clock: SetClock) -> None:
    whole = len(log.read_bytes())
    log.write_bytes(log.read_bytes() + b'{"body":{')
    with pytest.raises(StateError, match="half a line") as caught, open_log(log, clock):
        pass
    assert f"cut the file to {whole} bytes" in caught.value.hint


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
    ],
)
def test_a_line_in_another_form_is_refused(log: Path, old: bytes, new: bytes) -> None:
    change_lines(log, lambda lines: [*lines[:3], lines[3].replace(old, new)])
    assert refusal(lambda: verify(log, None)) == "LOG-FORM"


def test_a_body_of_the_wrong_shape_is_never_written(log: Path, clock: SetClock) -> None:
    with open_log(log, clock) as more:
        assert refusal(lambda: more.append(EntryType.ROOT_TRUSTED, {"version": 5})) == "LOG-FORM"
    assert verify(log, None).entries == 4


def test_an_entry_of_more_than_16_kib_is_never_written(log: Path, clock: SetClock) -> None:
    rules = [{"rule": "R", "passed": True, "evidence": "e" * 4000}] * 5
    body = {"request_sha256": "a" * 64, "request_id": "r-1", "passed": True, "rules": rules}
    with open_log(log, clock) as more:
        assert refusal(lambda: more.append(EntryType.POLICY_EVALUATED, body)) == "LOG-FORM"
        more.append(EntryType.POLICY_EVALUATED, body | {"rules": rules[:3]})


def test_there_is_one_writer_at_a_time(log: Path, clock: SetClock) -> None:
    with open_log(log, clock), pytest.raises(StateError, match="another process"), open_log(log, clock):
        pass


def test_a_log_is_not_made_over_another(log: Path) -> None:
    with pytest.raises(MisuseError):
        create_log(log)


def test_an_authority_without_its_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no audit log"):
        verify(tmp_path / "audit.log", AuditHead(1, "0" * 64))


def _append_on_a_full_disk(path: Path) -> None:
    """In a process of its own: a file may not grow beyond four bytes more than it has."""
    size = path.stat().st_size + 4
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with open_log(path, SetClock(START + timedelta(seconds=9))) as log:
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
    before = log.read_bytes()
    with ignored_file_size_signal():
        process = multiprocessing.get_context("fork").Process(target=_append_on_a_full_disk, args=(log,))
        process.start()
        process.join(20)
    assert process.exitcode == 3
    assert log.read_bytes() == before


def test_every_error_is_one_of_ours(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "audit.log"
    for junk in (b"\n", b"[]\n", b"\xff\n", b"{}\n", b'{"type":[]}\n'):
        path.write_bytes(junk)
        with pytest.raises(EnigmTufError), open_log(path, clock):
            pass
