"""kill -9 at every step of a signature and of an entry: no signature without its record, none lost."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigm_testkit.house import PIN, House, read
from enigm_testkit.recovery import get_on
from enigm_tuf.audit import files
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import create_log, open_log, read_log
from enigm_tuf.authorities.history import history_of
from enigm_tuf.clock import SystemClock
from enigm_tuf.durable import replace_file
from enigm_tuf.model.words import last_words

_DIES = """
import os, pathlib, signal, sys
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Session
when, what = os.environ["KILL_AT"].split(" ")
extend, sign = MerkleLog.extend, Pkcs11Session.sign
def die(now):
    if now: os.kill(os.getpid(), signal.SIGKILL)
def logged(self, bodies):
    bodies = list(bodies)
    hit = what in [str(kind) for kind, _ in bodies]
    die(hit and when == "before")
    entries = extend(self, bodies)
    die(hit and when == "after")
    return entries
def signed(self, *message):
    signature = sign(self, *message)
    pathlib.Path(os.environ["SIGNED"]).write_text(signature.hex())
    die(what == "signature")
    return signature
MerkleLog.extend, Pkcs11Session.sign = logged, signed
sys.exit(main())
"""
STEPS = ["before sign.intent", "after sign.intent", "after signature", "before sign.performed", "after sign.performed"]


def killed(house: House, request: Path, step: str) -> bool:
    """A custodian's machine dies at ``step``; whether the token had made a signature."""
    made = house.path / "made"
    arguments = house.custodian(request, "root-a", house.response(request, "root-a"), house.votes(request))
    answers = f"{last_words(read(request).digest)}\n{PIN}\n"
    environment = {**os.environ, "KILL_AT": step, "SIGNED": str(made)}
    command = [sys.executable, "-c", _DIES, *(str(part) for part in arguments)]
    done = subprocess.run(command, input=answers, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    house.clock.time = datetime.now(UTC)
    return made.exists()


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_no_signature_without_record_and_none_lost(house: House, step: str) -> None:
    request, log, home = house.request("root-1"), house.home("release") / "audit.log", house.home("release")
    made = killed(house, request, step)
    entries = read_log(log)
    assert not made or EntryType.SIGN_INTENT in {entry.type for entry in entries}
    if doubt := history_of(entries).open_intent:
        assert house.signs(request, "root-a", house.votes(request)) == 3
        get_on(house)
    assert (doubt is not None) == (step in {"after sign.intent", "after signature", "before sign.performed"})
    again = house.path / "again.enigmresp"
    if step == "after sign.performed":
        votes = house.votes(request)
        assert house.sign("response", "again", request, "--home", home, *votes, "--out", again) == 0
    else:
        assert house.signs(request, "root-a", house.votes(request)) == 0
    assert sum(entry.type == EntryType.SIGN_PERFORMED for entry in read_log(log)) == 1


def _append_and_die(path: Path, calls: int) -> None:
    """In a process of its own: killed at the file after the first ``calls`` that an entry replaces."""
    done = 0

    def dying(place: Path, data: bytes) -> None:
        nonlocal done
        if done == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        replace_file(place, data)

    files.replace_file = dying  # type: ignore[attr-defined,assignment] # this process ends soon
    with open_log(path, SystemClock()) as log:
        log.append(EntryType.ROOT_TRUSTED, {"version": 256, "sha256": "b" * 64})
    os._exit(0)


def test_an_entry_is_there_whole_or_not_at_all_wherever_it_is_killed(tmp_path: Path) -> None:
    """The 256th entry, which fills a tile and begins one of the level above: the most files that one can touch."""
    path = tmp_path / "log"
    create_log(path, "staging/release")
    with open_log(path, SystemClock()) as log:
        log.extend((EntryType.ROOT_TRUSTED, {"version": number, "sha256": "a" * 64}) for number in range(1, 256))
    for calls in range(10):
        if not (child := os.fork()):
            _append_and_die(path, calls)
        status = os.waitpid(child, 0)[1]
        if os.waitstatus_to_exitcode(status) == 0:
            break
        assert len(read_log(path)) == 255
    assert calls == 4
    assert len(read_log(path)) == 256
    with open_log(path, SystemClock()) as log:
        log.append(EntryType.ROOT_TRUSTED, {"version": 257, "sha256": "c" * 64})
    assert len(read_log(path)) == 257
