"""A machine that dies while a token signs leaves an open intent, and nothing more is signed there."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigm_testkit.audit_logs import log_state
from enigm_testkit.house import PIN, House, read
from enigm_testkit.recovery import propose_finding, recover_by
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.model.words import last_words

_DIES_WHILE_SIGNING = """
import os, signal, sys
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Session
Pkcs11Session.sign = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main())
"""
_SIGNS = "import sys; from enigm_tuf.authorities.cli import main; sys.exit(main())"


def run(house: House, request: Path, program: str) -> subprocess.CompletedProcess[str]:
    """``sign`` in a process of its own; words and PIN are lines of its standard input."""
    votes = house.votes(request)
    arguments = house.custodian(request, "root-a", house.response(request, "root-a"), votes)
    command = [sys.executable, "-c", program, *(str(part) for part in arguments)]
    answers = f"{last_words(read(request).digest)}\n{PIN}\n"
    return subprocess.run(command, input=answers, capture_output=True, text=True, check=False, env=dict(os.environ))


def last_entries(house: House) -> list[EntryType]:
    return [entry.type for entry in read_log(house.home("release") / "audit.log")][-2:]


@pytest.mark.rule("SIGN-INTENT-OPEN", "accept")
def test_words_and_pin_are_read_from_standard_input(house: House) -> None:
    request = house.request("root-1")
    done = run(house, request, _SIGNS)
    assert (done.returncode, last_entries(house)) == (0, [EntryType.SIGN_PERFORMED, EntryType.SESSION_CLOSE])
    assert not re.search(rf"\b{PIN}\b", done.stdout + done.stderr)
    house.clock.time = datetime.now(UTC)
    assert house.signs(request, "root-b", house.votes(request)) == 0


@pytest.mark.rule("SIGN-INTENT-OPEN", "reject")
def test_after_a_kill_between_intent_and_result_nothing_is_signed(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.request("root-1")
    done = run(house, request, _DIES_WHILE_SIGNING)
    assert (done.returncode, last_entries(house)) == (-signal.SIGKILL, [EntryType.SESSION_OPEN, EntryType.SIGN_INTENT])
    assert not house.response(request, "root-a").exists()
    before = log_state(house.home("release") / "audit.log")
    for token in ("root-a", "root-b"):
        assert house.signs(request, token, house.votes(request)) == 3
    assert "error: SIGN-INTENT-OPEN" in (errors := capsys.readouterr().err)
    assert "hint: a crash or an error of the token came between intent and result" in errors
    assert log_state(house.home("release") / "audit.log") == before


def test_verifying_the_log_says_what_is_in_doubt(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    run(house, house.request("root-1"), _DIES_WHILE_SIGNING)
    assert house.sign("audit", "verify", "--home", house.home("release")) == 0
    assert "IN DOUBT: root version 1" in capsys.readouterr().out


def test_signing_goes_on_when_people_have_logged_what_they_found(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.request("root-1")
    run(house, request, _DIES_WHILE_SIGNING)
    house.clock.time = datetime.now(UTC)
    finding = propose_finding(house)
    unread = [*house.works_as("alice", "release"), "--out", house.path / "unread.dsse.json"]
    assert house.sign("finding", "sign", finding, *unread, last_four_words="no such words here") == 3
    assert "error: CONFIRM-WORDS" in capsys.readouterr().err
    assert house.signs(request, "root-a", house.votes(request)) == 3
    assert recover_by(house, finding, "alice", "bob") == 0
    assert house.signs(request, "root-a", house.votes(request)) == 0
    assert last_entries(house) == [EntryType.SIGN_PERFORMED, EntryType.SESSION_CLOSE]
