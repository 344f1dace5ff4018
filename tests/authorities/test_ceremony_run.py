"""Ceremonies on real tokens: played to the end, with people who deviate, and with the power cut in the middle."""

import json
from pathlib import Path

import pytest

from enigm_testkit.audit_logs import entries_of, forge
from enigm_testkit.ceremonies import DEATHS, Ceremony, PowerCut, at_line, cut_power, policy_digest
from enigm_testkit.house import House
from enigm_testkit.softhsm import MODULE
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.model.request import read_response


def step(name: str, action: str, *arguments: object, failing: str = "resume", more: str = "") -> str:
    return (
        f'[[steps]]\nid = "{name}"\nactor = "custodian"\nwitness = "witness"\naction = "{action}"\n'
        f"arguments = {json.dumps([str(item) for item in arguments])}\n"
        f'say = "I do {name}"\nexpect = "done"\non_failure = "{failing}"\n{more}\n'
    )


TOKEN = ("--token", "{tokens.root-a}", "--label", "root-a")


def signing(house: House, sign_fails: str = "retry 2", kind: str = "routine-sign") -> Ceremony:
    """root-a signs the first root, which alice and bob have approved."""
    request = house.request("root-1")
    head = f"""
schema = 1
type = "{kind}"
title = "The first root, by root-a"
authority = "release"
environment = "staging"
policy = {{version = 1, sha256 = "{policy_digest(house, "release")}"}}
roles.custodian = {{minimum = 1, excludes = ["witness"]}}
roles.witness = {{minimum = 1, excludes = []}}
[tokens.root-a]
uri = "pkcs11:token=root-a?module-path={MODULE}"
serial = "{house.key("root-a").token.serial}"
bag = "A-1001"
"""
    home, out = ("--home", "{home}"), house.path / "carol.enigmresp"
    steps = [
        step("policy", "compare-policy"),
        step("bag", "compare-bag", more='bag = "root-a"'),
        step("audit", "key audit", *home, *TOKEN[:2]),
        step("sign", "sign", request, *home, *TOKEN, *house.votes(request), "--out", out, failing=sign_fails),
        step("verify", "audit verify", *home, failing="abort"),
    ]
    file = house.path / "script.toml"
    file.write_text(head + "".join(steps))
    return Ceremony(house, "release", file, secrets={"number on the bag": "A-1001"})


def signatures(house: House) -> int:
    log = read_log(house.home("release") / "audit.log")
    return sum(entry.type == EntryType.SIGN_PERFORMED for entry in log)


STEPS = ("policy", "bag", "audit", "sign", "verify")
WHOLE = [
    "opened",
    *(line for name in STEPS for line in (f"step.begun {name}", f"step.done {name} performed")),
    "closed",
    "signed",
    "signed",
]


@pytest.mark.rule("CEREMONY-POLICY", "accept")
@pytest.mark.rule("CEREMONY-PEOPLE", "accept")
@pytest.mark.rule("CEREMONY-TOKEN", "accept")
@pytest.mark.rule("CEREMONY-MATERIAL", "accept")
@pytest.mark.rule("TRANSCRIPT-LINK", "accept")
@pytest.mark.rule("TRANSCRIPT-ORDER", "accept")
@pytest.mark.rule("TRANSCRIPT-SCRIPT", "accept")
@pytest.mark.rule("TRANSCRIPT-SIGNED", "accept")
@pytest.mark.rule("TRANSCRIPT-ANCHORED", "accept")
@pytest.mark.rule("TRANSCRIPT-REAL", "accept")
def test_a_ceremony_is_played_signed_by_everybody_and_found_in_the_log(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ceremony = signing(house)
    assert ceremony.play() == 0
    assert ceremony.told() == WHOLE
    assert len(read_response((house.path / "carol.enigmresp").read_bytes(), "response")[0].signatures) == 1
    assert ceremony.verify("--json") == 0
    said = capsys.readouterr().out
    assert '"deviations": []' in said
    kinds = [entry.type for entry in read_log(house.home("release") / "audit.log")]
    assert kinds[-1] == EntryType.CEREMONY_CLOSED
    assert kinds.index(EntryType.CEREMONY_OPENED) < kinds.index(EntryType.SIGN_INTENT)


# --- people and tokens deviate ---


def test_a_wrong_pin_is_tried_again_as_the_script_says_and_the_transcript_tells(house: House) -> None:
    ceremony = signing(house)
    assert ceremony.play(PIN=["135790", "000000"]) == 0, "the audit's PIN, then a wrong one"
    assert ceremony.told()[7:11] == [
        "step.begun sign",
        "step.failed sign retry",
        "step.begun sign",
        "step.done sign performed",
    ]
    (failed,) = [entry for entry in ceremony.entries() if entry.type == "step.failed"]
    assert "wrong PIN" in failed.body["error"]
    assert signatures(house) == 1


def test_after_the_last_retry_the_ceremony_is_aborted_signed_and_in_the_log(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ceremony = signing(house, "retry 1")
    assert ceremony.play(PIN=["135790", "000000", "000000"]) == 2
    assert "aborted at step 4" in capsys.readouterr().err
    assert ceremony.told()[-4:] == ["step.failed sign abort", "closed", "signed", "signed"]
    assert signatures(house) == 0
    assert ceremony.verify() == 0
    assert "aborted" in (said := capsys.readouterr().out)
    assert "wrong PIN" in said
    assert ceremony.play() == 2, "it stays aborted"
    assert ceremony.told()[-1] == "signed"


def test_nothing_is_done_while_a_witness_is_absent_and_it_goes_on_when_they_are_back(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ceremony = signing(house, "resume")
    ceremony.deviations = {"bob (witness), before sign": ["bob went home"]}
    assert ceremony.play() == 2
    assert "the ceremony stops at step sign: bob did not say here" in (said := capsys.readouterr().err)
    assert "hint: run the same command again" in said
    assert signatures(house) == 0
    assert ceremony.verify() == 3
    assert "TRANSCRIPT-ORDER" in capsys.readouterr().err
    assert ceremony.play() == 0
    assert ceremony.told()[7:12] == [
        "deviation sign",
        "step.failed sign resume",
        "resumed",
        "step.begun sign",
        "step.done sign performed",
    ]
    assert ceremony.verify() == 0
    assert "bob went home" in capsys.readouterr().out


def test_what_a_witness_objects_to_is_not_done_twice(house: House) -> None:
    ceremony = signing(house)
    ceremony.deviations = {"bob (witness), after sign": ["the screen was dark"]}
    assert ceremony.play() == 0
    assert ceremony.told()[7:12] == [
        "step.begun sign",
        "deviation sign",
        "step.failed sign retry",
        "step.begun sign",
        "step.done sign reconciled",
    ]
    assert signatures(house) == 1


@pytest.mark.rule("CEREMONY-MATERIAL", "reject")
def test_another_bag_stops_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house)
    ceremony.deviations = {"number on the bag": ["A-1002"]}
    assert ceremony.play() == 2
    assert "CEREMONY-MATERIAL: bag of root-a: expected A-1001" in capsys.readouterr().err
    assert ceremony.play() == 0


@pytest.mark.rule("CEREMONY-TOKEN", "reject")
def test_another_token_under_the_same_name_stops_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house)
    serial = house.key("root-a").token.serial
    ceremony.file.write_text(ceremony.file.read_text().replace(serial, f"{int(serial, 16) ^ 1:016x}"))
    assert ceremony.play() == 2
    assert "CEREMONY-TOKEN: token root-a" in capsys.readouterr().err


def test_a_script_that_is_not_the_printed_one_is_not_played(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house)
    ceremony.deviations = {"from bob's printed copy": ["lusab babad gutih tugad"]}
    assert ceremony.play() == 3
    assert "CONFIRM-WORDS: the script, from bob's printed copy" in capsys.readouterr().err
    assert ceremony.transcript.read_bytes() == b""
    assert ceremony.play() == 0


def test_nobody_watches_themselves_whoever_comes(house: House) -> None:
    ceremony = signing(house)
    text = ceremony.file.read_text().replace('excludes = ["witness"]', "excludes = []")
    text = text.replace(
        "roles.witness = {minimum = 1, excludes = []}", 'roles.witness = {minimum = 1, excludes = ["custodian"]}'
    )
    ceremony.file.write_text(text)
    ceremony.people = ("custodian=alice", "custodian=bob", "witness=bob")
    assert ceremony.play() == 3, "bob would watch himself"
    ceremony.people = ("custodian=alice", "witness=bob")
    assert ceremony.play() == 0


def test_what_nobody_can_look_up_people_say_and_they_must_agree(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token that was made ready, whose PIN may or may not be set."""
    ceremony = signing(house)
    text = ceremony.file.read_text()
    fresh = f'[tokens.fresh]\nuri = "pkcs11:token=fresh?module-path={MODULE}"\n'
    init = step("init", "token init", "--token", "{tokens.fresh}")
    ceremony.file.write_text(
        text.replace("routine-sign", "rehearsal").replace("[tokens.root-a]", fresh + "[tokens.root-a]") + init
    )
    with monkeypatch.context() as cutting:
        DEATHS["after the action"](cutting.setattr, "init", cut_power)
        with pytest.raises(PowerCut):
            ceremony.play("rehearse")
    ceremony.deviations = {"bob: did init happen": ["I do not know"]}
    assert ceremony.play("rehearse") == 2
    assert "it is not known whether it happened" in capsys.readouterr().err
    assert ceremony.play("rehearse") == 0
    told = ceremony.told()
    assert "step.done init settled" in told
    assert told.count("deviation init") == 4, "each of the two was asked twice"


# --- the power is cut ---


@pytest.mark.parametrize(
    ("place", "name", "became"),
    [
        ("before the action", "sign", "performed"),
        ("after the action", "sign", "reconciled"),
        ("in the middle of a line", "sign", "reconciled"),
        ("before the response is written", "sign", "reconciled"),
        ("after the action", "audit", "performed"),
    ],
)
def test_after_a_power_cut_it_goes_on_at_the_right_step(house: House, place: str, name: str, became: str) -> None:
    ceremony = signing(house)
    ceremony.killed(place, name)
    before = ceremony.transcript.read_bytes()
    assert ceremony.play() == 0
    whole = before[: before.rfind(b"\n") + 1]
    assert ceremony.transcript.read_bytes().startswith(whole), "what was written stays"
    told = ceremony.told()
    assert told[told.index("resumed") - 1 : told.index("resumed") + 3] == [
        f"step.begun {name}",
        "resumed",
        f"step.begun {name}",
        f"step.done {name} {became}",
    ]
    (resumed,) = [entry for entry in ceremony.entries() if entry.type == "resumed"]
    assert resumed.body["torn_bytes"] == len(before) - len(whole)
    assert signatures(house) == 1
    assert (house.path / "carol.enigmresp").exists()
    assert ceremony.verify() == 0


@pytest.mark.slow
@pytest.mark.parametrize("written", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("line", range(1, len(WHOLE) + 1))
def test_the_power_may_go_at_any_line(house: House, line: int, written: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ceremony = signing(house)
    with monkeypatch.context() as cutting:
        at_line(cutting.setattr, line, cut_power, written=written)
        with pytest.raises(PowerCut):
            ceremony.play()
    assert ceremony.play() == 0
    assert ceremony.verify() == 0
    assert signatures(house) == 1
    kinds = [entry.type for entry in read_log(house.home("release") / "audit.log")]
    assert (kinds.count(EntryType.CEREMONY_OPENED), kinds.count(EntryType.CEREMONY_CLOSED)) == (1, 1)


# --- who, where and what ---


@pytest.mark.rule("CEREMONY-PEOPLE", "reject")
@pytest.mark.parametrize(
    ("people", "told"),
    [
        (("custodian=alice",), "roles: expected people for custodian, witness"),
        (("custodian=alice", "witness=alice"), "role custodian: expected nobody who is witness too, got alice"),
        (("custodian=alice", "witness=rob"), "person rob: expected an operator with an approval key"),
        (("custodian=alice", "witness=nobody"), "person nobody: expected an operator with an approval key"),
    ],
)
def test_people_who_may_not_play_it_do_not(
    house: House, people: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ceremony = signing(house)
    ceremony.people = people
    assert ceremony.play() == 3
    assert f"CEREMONY-PEOPLE: {told}" in capsys.readouterr().err
    assert not ceremony.transcript.exists()


@pytest.mark.rule("CEREMONY-POLICY", "reject")
@pytest.mark.parametrize(("old", "new"), [("version = 1,", "version = 2,"), ('"release"', '"manifest"')])
def test_another_policy_or_authority_than_the_script_s_is_refused(
    house: House, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ceremony = signing(house)
    ceremony.file.write_text(ceremony.file.read_text().replace(old, new, 1))
    assert ceremony.play() == 3
    assert "CEREMONY-POLICY" in capsys.readouterr().err


@pytest.mark.rule("CEREMONY-SAME", "accept")
@pytest.mark.rule("CEREMONY-SAME", "reject")
def test_it_goes_on_with_the_same_script_and_people_alone(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house, "resume")
    ceremony.deviations = {"before sign": ["later"]}
    assert ceremony.play() == 2
    text = ceremony.file.read_text()
    ceremony.file.write_text(text.replace("I do verify", "I do not verify"))
    capsys.readouterr()
    assert ceremony.play() == 3
    assert "CEREMONY-SAME" in capsys.readouterr().err
    ceremony.file.write_text(text)
    ceremony.people = ("custodian=bob", "witness=alice")
    assert ceremony.play() == 3
    assert "CEREMONY-SAME" in capsys.readouterr().err
    ceremony.people = ("custodian=alice", "witness=bob")
    assert ceremony.play() == 0


def test_a_script_that_breaks_a_rule_is_not_played(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house)
    ceremony.file.write_text(ceremony.file.read_text().replace('excludes = ["witness"]', "excludes = []"))
    assert ceremony.play() == 3
    assert "SCRIPT-TWO-PEOPLE" in capsys.readouterr().err
    assert not ceremony.transcript.exists()


def test_a_file_that_lies_where_the_step_writes_is_no_proof_that_it_was_done(house: House) -> None:
    ceremony = signing(house, "retry 1")
    (house.path / "carol.enigmresp").write_bytes(b"planted")
    assert ceremony.play() == 2
    assert ceremony.told()[7:9] == ["step.failed sign retry", "step.failed sign abort"]
    assert signatures(house) == 0


# --- rehearsals ---


@pytest.mark.rule("REHEARSAL-ONLY", "accept")
@pytest.mark.rule("TRANSCRIPT-REAL", "reject")
def test_a_rehearsal_is_marked_and_counts_as_nothing_else(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house, kind="rehearsal")
    assert ceremony.play("rehearse") == 0
    assert ceremony.participants is not None
    assert any("REHEARSAL  step 4 of 5: sign" in text for text in ceremony.participants.said)
    assert ceremony.verify("--rehearsal") == 0
    assert ceremony.verify() == 3
    assert "TRANSCRIPT-REAL" in capsys.readouterr().err


@pytest.mark.rule("REHEARSAL-ONLY", "reject")
def test_a_rehearsal_is_not_run(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house, kind="rehearsal")
    assert ceremony.play() == 3
    assert "REHEARSAL-ONLY" in capsys.readouterr().err


# --- transcripts that somebody touched ---


def edited(ceremony: Ceremony, change: str) -> None:
    lines = ceremony.transcript.read_bytes().splitlines(keepends=True)
    match change:
        case "a letter":
            lines[4] = lines[4].replace(b"A-1001", b"A-1003")
        case "a line less":
            del lines[3]
        case "a signature less":
            del lines[-1]
        case "the end less":
            lines = lines[:-3]
    ceremony.transcript.write_bytes(b"".join(lines))


@pytest.mark.rule("TRANSCRIPT-LINK", "reject")
@pytest.mark.rule("TRANSCRIPT-SIGNED", "reject")
@pytest.mark.rule("TRANSCRIPT-ORDER", "reject")
@pytest.mark.rule("TRANSCRIPT-SCRIPT", "reject")
@pytest.mark.rule("TRANSCRIPT-ANCHORED", "reject")
def test_a_transcript_that_differs_in_one_thing_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = signing(house)
    log = house.home("release") / "audit.log"
    assert ceremony.play() == 0
    whole, text, logged = ceremony.transcript.read_bytes(), ceremony.file.read_text(), entries_of(log)
    capsys.readouterr()
    for change, rule in [
        ("a letter", "TRANSCRIPT-LINK"),
        ("a line less", "TRANSCRIPT-LINK"),
        ("a signature less", "TRANSCRIPT-SIGNED"),
        ("the end less", "TRANSCRIPT-ORDER"),
    ]:
        edited(ceremony, change)
        assert ceremony.verify() == 3
        assert f"error: {rule}" in capsys.readouterr().err
        ceremony.transcript.write_bytes(whole)
    ceremony.file.write_text(text.replace("I do verify", "I do not verify"))
    assert ceremony.verify() == 3
    assert "error: TRANSCRIPT-SCRIPT" in capsys.readouterr().err
    ceremony.file.write_text(text)
    forge(log, lambda entries: entries[:-1])
    assert ceremony.verify() == 3
    assert "error: TRANSCRIPT-ANCHORED" in capsys.readouterr().err
    forge(log, lambda _: logged)
    assert ceremony.verify() == 0


def test_a_ceremony_whose_transcript_was_thrown_away_stands_out(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = signing(house, "resume")
    first.deviations = {"before sign": ["later"]}
    assert first.play() == 2
    (lost,) = [entry.body["ceremony"] for entry in first.entries() if entry.type == "opened"]
    first.transcript.rename(tmp_path / "hidden")
    second = signing(house)
    assert second.play() == 0
    assert second.participants is not None
    assert any(f"ceremony {lost}" in text and "never closed" in text for text in second.participants.said)
    capsys.readouterr()
    assert second.verify() == 0
    assert f"ceremony {lost} was opened here, and never closed" in capsys.readouterr().out
