"""enigm-sign audit verify, on the log of a real signature."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.audit_logs import Change, edit_entries, forge
from enigm_testkit.house import House
from enigm_testkit.recovery import leave_intent
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log, read_log


def head(house: House, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert house.sign("audit", "verify", "--home", house.home("release"), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    return f"{shown['entries']}:{shown['sha256']}"


def verify(house: House, *options: str) -> int:
    return house.sign("audit", "verify", "--home", house.home("release"), *options)


@pytest.mark.parametrize(("intents", "status"), [(1, 0), (2, 2)])
def test_an_intent_after_one_that_is_open_is_damage(
    house: House, intents: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(intents):
        leave_intent(house)
    number = len(read_log(house.home("release") / "audit.log"))
    assert verify(house) == status
    told = capsys.readouterr()
    assert ("IN DOUBT" in told.out) == (status == 0)
    damage = f"error: audit log, entry {number}: an intent, while that in entry {number - 2} is open\n"
    assert told.err == (damage if status else "")


class Screen(io.StringIO):
    """Standard error where somebody looks."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_says_how_far_it_is(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_log(house.home("release") / "audit.log", house.clock) as log:
        log.extend((EntryType.SESSION_CLOSE, {"key": "0" * 64}) for _ in range(600))
        size = log.head().entries
    capsys.readouterr()
    assert verify(house) == 0
    told = capsys.readouterr()
    assert told.err == ""
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    assert verify(house) == 0
    assert capsys.readouterr().out == told.out
    compared, read = (
        [f"{done} of {size} entries {what}" for done in (256, 512, size)] for what in ("compared", "read")
    )
    assert screen.getvalue().split("\r\x1b[K") == ["", *compared, *read[:2], ""]


def test_the_line_is_gone_before_an_error_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_entries(house.home("release") / "audit.log", lambda lines: [lines[1], lines[0], *lines[2:]])
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    assert verify(house) == 3
    assert screen.getvalue().rpartition("\r\x1b[K")[2].startswith("error: LOG-TREE: ")


@pytest.fixture
def signed(house: House) -> House:
    house.signed_by(house.request("root-1"), "root-a")
    return house


def test_the_head_that_was_noted_is_still_there_after_more_was_signed(
    signed: House, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = head(signed, capsys)
    assert verify(signed, "--expect", noted) == 0
    request = signed.request("root-1")
    signed.signs(request, "root-b", [])
    assert verify(signed, "--expect", noted) == 0


@pytest.mark.parametrize(
    ("how", "change", "rule"),
    [
        pytest.param(edit_entries, lambda lines: [line.replace(b"alice", b"alicf") for line in lines], "LOG-TREE"),
        pytest.param(edit_entries, lambda lines: [lines[1], lines[0], *lines[2:]], "LOG-TREE"),
        pytest.param(forge, lambda lines: lines[:-1], "LOG-CONSISTENT"),
        pytest.param(forge, lambda lines: [line.replace(b"alice", b"alicf") for line in lines], "LOG-CONSISTENT"),
    ],
)
def test_a_changed_log_is_refused(
    signed: House,
    how: Callable[[Path, Change], None],
    change: Change,
    rule: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    noted = head(signed, capsys)
    how(signed.home("release") / "audit.log", change)
    assert verify(signed, "--expect", noted) == 3
    assert f"error: {rule}" in capsys.readouterr().err


@pytest.mark.parametrize("expect", ["", "12", "0:" + "0" * 64, "1:" + "G" * 64, "1:" + "0" * 63])
def test_an_expectation_in_another_form_is_a_mistake(
    signed: House, expect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(signed, "--expect", expect) == 2
    assert "must be ENTRIES:SHA256" in capsys.readouterr().err


def test_old_hashes_that_were_left_in_a_tile_do_not_vouch_for_new_entries(
    signed: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has the log's key writes it anew, and leaves the hashes that lead to the head that was noted."""
    noted = head(signed, capsys)
    log = signed.home("release") / "audit.log"
    with open_log(log, signed.clock) as opened:
        opened.append(EntryType.SESSION_CLOSE, {"key": "0" * 64})
    entries = int(noted.partition(":")[0])
    (tile,) = (log / "tile" / "0").rglob(f"{entries + 1}")
    old = tile.read_bytes()
    forge(log, lambda lines: [line.replace(b"alice", b"alicf") for line in lines])
    new = tile.read_bytes()
    assert verify(signed) == 0
    tile.write_bytes(old[: 32 * entries] + new[32 * entries :])
    for options in ([], ["--expect", noted]):
        capsys.readouterr()
        assert verify(signed, *options) == 3
        assert "error: LOG-TREE" in capsys.readouterr().err
