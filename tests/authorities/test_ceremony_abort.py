"""A ceremony that must be stopped gets an end: with a reason, signed by all, in the log, and it is open no more."""

import pytest

from enigm_testkit.ceremonies import DEATHS, Ceremony, PowerCut, cut_power, shipped
from enigm_testkit.house import House
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.history import history_of

WHY = "the token fell"


@pytest.fixture
def stopped(house: House) -> Ceremony:
    """A signature of the first root, whose witness went home before it."""
    request = house.request("root-1")
    _, first, _, second = house.votes(request)
    about = {"name": house.path / "r", "label": "root-a", "request": request}
    about |= {"approval_a": first, "approval_b": second}
    ceremony = shipped(house, "release", "routine-sign", {"token": house.uri("root-a")}, about)
    ceremony.deviations = {"before inspect": ["went home"]}
    assert ceremony.play() == 2
    return ceremony


def is_open(ceremony: Ceremony) -> bool:
    """As CEREMONY-OPEN asks it."""
    return history_of(read_log(ceremony.house.home("release") / "audit.log")).ceremonies != ()


def closings(ceremony: Ceremony) -> list[tuple[str, str | None]]:
    log = read_log(ceremony.house.home("release") / "audit.log")
    return [
        (entry.body["outcome"], entry.body.get("reason")) for entry in log if entry.type == EntryType.CEREMONY_CLOSED
    ]


def test_an_aborted_ceremony_is_signed_logged_verified_and_open_no_more(
    stopped: Ceremony, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_open(stopped)
    assert stopped.abort(WHY) == 0
    assert WHY in capsys.readouterr().out
    assert stopped.told()[-4:] == ["aborted inspect", "closed", "signed", "signed"]
    assert stopped.participants is not None
    assert any(f"signs the transcript: aborted, 4 deviations: {WHY}" in text for text in stopped.participants.said)
    assert closings(stopped) == [("aborted", WHY)]
    assert not is_open(stopped)
    assert stopped.verify() == 0
    said = capsys.readouterr().out
    assert ": aborted, " in said
    assert f"aborted by its people at step inspect: {WHY}" in said


def test_what_is_aborted_stays_so(stopped: Ceremony, capsys: pytest.CaptureFixture[str]) -> None:
    assert stopped.abort(WHY) == 0
    whole = stopped.transcript.read_bytes()
    assert stopped.abort("another reason") == 0, "as after a crash: nothing is added"
    assert stopped.play() == 2
    assert "was aborted at step 5" in capsys.readouterr().err
    assert stopped.transcript.read_bytes() == whole
    assert closings(stopped) == [("aborted", WHY)]


def test_a_step_of_which_nobody_knows_how_it_ended_is_told(
    stopped: Ceremony, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as cutting:
        DEATHS["after the action"](cutting.setattr, "sign", cut_power)
        with pytest.raises(PowerCut):
            stopped.play()
    assert stopped.abort(WHY) == 0
    capsys.readouterr()
    assert stopped.verify() == 0
    assert "at step sign, which was begun: whether it happened was never found out" in capsys.readouterr().out


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_nobody_aborts_alone(stopped: Ceremony, who: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Who does not sign keeps it open; it is ended later, with the same command."""
    stopped.deviations = {f"the transcript, for {who}": ["lusab babad gutih tugad"]}
    assert stopped.abort(WHY) == 3
    assert "CONFIRM-WORDS" in capsys.readouterr().err
    assert is_open(stopped)
    assert stopped.verify() == 3
    assert "TRANSCRIPT-SIGNED" in capsys.readouterr().err
    stopped.deviations = {}
    assert stopped.abort(WHY) == 0
    assert not is_open(stopped)


def test_who_did_not_play_it_does_not_abort_it(stopped: Ceremony, capsys: pytest.CaptureFixture[str]) -> None:
    stopped.people = ("custodian=bob", "witness=alice")
    assert stopped.abort(WHY) == 3
    assert "CEREMONY-SAME" in capsys.readouterr().err
    assert is_open(stopped)


def test_another_policy_in_force_does_not_keep_it_open_for_ever(stopped: Ceremony) -> None:
    home = stopped.house.home("release")
    printed = home / "policy.toml"
    old = printed.read_text()
    printed.write_text(old.replace("request_hours = 72", "request_hours = 71"))
    assert stopped.play() == 3
    assert stopped.abort(WHY) == 0
    old_file = stopped.house.path / "old.policy.toml"
    old_file.write_text(old)
    assert stopped.verify("--policy", str(old_file)) == 0


def test_what_is_done_is_closed_although_another_policy_is_in_force(stopped: Ceremony) -> None:
    stopped.deviations = {"the transcript, for bob": ["lusab babad gutih tugad"]}
    assert stopped.play() == 3
    printed = stopped.house.home("release") / "policy.toml"
    printed.write_text(printed.read_text().replace("request_hours = 72", "request_hours = 71"))
    assert is_open(stopped)
    assert stopped.play() == 0
    assert closings(stopped) == [("completed", None)]


def test_there_is_nothing_to_abort(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = shipped(
        house, "release", "hsm-init", {"token": house.uri("root-a").replace("root-a", "fresh")}, {"name": "fresh"}
    )
    ceremony.people = ("officer=alice", "custodian=bob")
    assert ceremony.abort(WHY) == 2
    assert "there is no such transcript" in capsys.readouterr().err
    assert not ceremony.transcript.exists()
    ceremony.transcript.write_bytes(b'{"torn')
    assert ceremony.abort(WHY) == 2
    assert "no ceremony was opened in this transcript" in capsys.readouterr().err
    assert ceremony.play() == 0
    assert ceremony.abort(WHY) == 2
    assert "every step of the ceremony is done" in capsys.readouterr().err
    assert closings(ceremony) == [("completed", None)]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reason_is_given(stopped: Ceremony, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert stopped.abort(reason) == 2
    assert "--abort: say why" in capsys.readouterr().err
    assert is_open(stopped)


def test_a_reason_cannot_forge_a_line(stopped: Ceremony, capsys: pytest.CaptureFixture[str]) -> None:
    assert stopped.abort("fell\nceremony 00: completed\x1b[2K\u202e") == 0
    assert stopped.verify() == 0
    said = capsys.readouterr().out
    assert "\nceremony 00: completed" not in said
    assert "\x1b" not in said
    assert "\u202e" not in said
