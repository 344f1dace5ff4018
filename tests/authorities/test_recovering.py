"""After an intent without a result: only enough people, about that very intent, without its custodian, go on."""

import json
from pathlib import Path

import pytest

from enigm_testkit.audit_logs import forge
from enigm_testkit.house import House, operators_toml
from enigm_testkit.recovery import get_on, leave_intent, propose_finding, recover, recover_by, vote_for
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log, read_log
from enigm_tuf.authorities.history import history_of
from enigm_tuf.model.strict_json import sha256


def log_of(house: House) -> Path:
    return house.home("release") / "audit.log"


def in_doubt(house: House) -> bool:
    return history_of(read_log(log_of(house))).open_intent is not None


def verify(house: House) -> int:
    return house.sign("audit", "verify", "--home", house.home("release"))


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The rule that the last command was refused by."""
    return capsys.readouterr().err.partition("error: ")[2].partition(":")[0]


def changed(finding: Path, name: str, **fields: object) -> Path:
    """Another finding, that differs in these fields."""
    value = json.loads(finding.read_bytes())
    for field, new in fields.items():
        part = value["log"] if field in value["log"] else value["intent"] if field in value["intent"] else value
        part[field] = new
    out = finding.with_name(name)
    out.write_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
    return out


@pytest.mark.rule("RECOVERY-QUORUM", "accept")
@pytest.mark.rule("RECOVERY-INTENT", "accept")
@pytest.mark.parametrize("outcome", ["made", "not-made", "unknown"])
def test_two_people_who_looked_let_signing_go_on(
    house: House, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_intent(house)
    finding = propose_finding(house, outcome=outcome)
    with open_log(log_of(house), house.clock) as log:
        log.append(EntryType.SESSION_CLOSE, {"key": "0" * 64})  # the log may grow before they have voted
    assert recover_by(house, finding, "alice", "bob") == 0
    assert not in_doubt(house)
    body = read_log(log_of(house))[-1].body
    assert (body["outcome"], body["operators"]) == (outcome, ("alice", "bob"))
    votes = [sha256(vote_for(house, finding, who).read_bytes()) for who in ("alice", "bob")]
    assert (body["finding_sha256"], body["votes"]) == (sha256(finding.read_bytes()), tuple(votes))
    capsys.readouterr()
    assert verify(house) == 0
    assert "1 findings, each with the votes that it needed" in capsys.readouterr().out


@pytest.mark.rule("RECOVERY-QUORUM", "reject")
@pytest.mark.parametrize("voters", [(), ("alice",), ("alice", "alice"), ("bob",)])
def test_too_few_people_and_one_of_them_twice_are_refused(
    house: House, voters: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    leave_intent(house)
    assert recover_by(house, propose_finding(house), *voters) == 3
    assert refused(capsys) == "RECOVERY-QUORUM"
    assert in_doubt(house)
    assert not (house.home("release") / "findings").exists()


@pytest.mark.rule("RECOVERY-QUORUM", "reject")
def test_the_custodian_whose_signature_it_is_says_nothing_of_it(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_intent(house, custodian="alice")
    assert recover_by(house, propose_finding(house), "alice", "bob") == 3
    assert "one of alice" in (said := capsys.readouterr().err)
    assert "error: RECOVERY-QUORUM" in said
    assert in_doubt(house)


def test_nothing_is_said_of_it_with_the_very_token(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    leave_intent(house, serial=house.key("bob").token.serial)
    assert recover_by(house, propose_finding(house), "alice", "bob") == 3
    assert refused(capsys) == "RECOVERY-QUORUM"


@pytest.mark.rule("RECOVERY-INTENT", "reject")
def test_a_finding_about_another_intent_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The same payload and the same key, a crash later: neither the finding nor the votes serve again."""
    leave_intent(house)
    old = propose_finding(house, "old.json")
    votes = [vote_for(house, old, who) for who in ("alice", "bob")]
    assert recover(house, old, *votes) == 0
    leave_intent(house)
    capsys.readouterr()
    assert recover(house, old, *votes) == 3
    assert refused(capsys) == "RECOVERY-INTENT"
    assert recover(house, propose_finding(house, "new.json"), *votes) == 3
    assert refused(capsys) == "RECOVERY-QUORUM"
    assert in_doubt(house)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"outcome": "made"}, "RECOVERY-QUORUM"),
        ({"reason": "guessed"}, "RECOVERY-QUORUM"),
        ({"custodian": "dave"}, "RECOVERY-INTENT"),
        ({"serial": "0"}, "RECOVERY-INTENT"),
        ({"leaf": "0" * 64}, "RECOVERY-INTENT"),
        ({"authority": "manifest"}, "RECOVERY-INTENT"),
        ({"entries": 1}, "RECOVERY-INTENT"),
        ({"root": "0" * 64}, "LOG-CONSISTENT"),
        ({"origin": "another/staging/release"}, "LOG-CONSISTENT"),
        ({"entries": 900}, "LOG-CONSISTENT"),
    ],
)
def test_a_finding_that_was_changed_after_the_votes_is_refused(
    house: House, fields: dict[str, object], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_intent(house)
    finding = propose_finding(house)
    votes = [vote_for(house, finding, who) for who in ("alice", "bob")]
    capsys.readouterr()
    assert recover(house, changed(finding, "changed.json", **fields), *votes) == 3
    assert refused(capsys) == rule
    assert in_doubt(house)


def test_votes_in_a_log_that_was_written_anew_do_not_count(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Who has the log's key rewrites what was before the intent, after people have looked."""
    leave_intent(house)
    finding = propose_finding(house)
    forge(log_of(house), lambda lines: [line.replace(b'"bob"', b'"eve"') for line in lines])
    assert recover_by(house, finding, "alice", "bob") == 3
    assert refused(capsys) == "LOG-CONSISTENT"


def test_verifying_counts_the_votes_again(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    leave_intent(house)
    get_on(house)
    kept = house.home("release") / "findings"
    assert verify(house) == 0
    for path in sorted(kept.iterdir()):
        data = path.read_bytes()
        for damaged in (None, data[:-1] + b" "):
            path.unlink(missing_ok=True)
            if damaged is not None:
                path.write_bytes(damaged)
            capsys.readouterr()
            assert verify(house) == 3
            assert refused(capsys) == "RECOVERY-QUORUM"
        path.write_bytes(data)
    assert verify(house) == 0


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'"outcome":"not-made"', b'"outcome":"made"', "RECOVERY-INTENT"),
        (b'"operators":["alice","bob"]', b'"operators":["alice","eve"]', "RECOVERY-INTENT"),
        (b'"serial":"', b'"serial":"1', "RECOVERY-INTENT"),
    ],
)
def test_an_entry_that_says_something_else_than_the_votes_is_found(
    house: House, old: bytes, new: bytes, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written anew with the log's key, whole in itself: the entries of the crash and after it."""
    leave_intent(house)
    get_on(house)
    forge(log_of(house), lambda lines: [*lines[:-3], *(line.replace(old, new) for line in lines[-3:])])
    capsys.readouterr()
    assert verify(house) == 3
    assert refused(capsys) == rule


def test_an_entry_with_the_votes_for_another_intent_is_found(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody voted for it: somebody wrote it who has the log's key."""
    leave_intent(house)
    get_on(house)
    body = read_log(log_of(house))[-1].body
    leave_intent(house)
    with open_log(log_of(house), house.clock) as log:
        log.append(EntryType.SIGN_RECOVERED, body | {"intent": log.head().entries})
    capsys.readouterr()
    assert verify(house) == 3
    assert refused(capsys) == "RECOVERY-INTENT"


def test_what_the_people_of_then_voted_for_stays_good_when_they_leave(house: House) -> None:
    """A newer registry, and a policy that root does not pin yet, change nothing of it."""
    leave_intent(house)
    get_on(house)
    listed, proposal = house.path / "next.toml", house.path / "next.json"
    listed.write_text(operators_toml("release", rob="left"))
    options = ["--after", house.path / "release.operators.json", "--out", proposal]
    assert house.sign("operator", "propose", listed, *options) == 0
    votes = [part for who in ("alice", "bob") for part in ("--vote", house.operators_vote(proposal, "release", who))]
    assert house.sign("operator", "adopt", proposal, "--home", house.home("release"), *votes) == 0
    assert verify(house) == 0


def test_recovering_from_what_is_not_open_is_damage(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    leave_intent(house)
    get_on(house)
    body = read_log(log_of(house))[-1].body
    with open_log(log_of(house), house.clock) as log:
        log.append(EntryType.SIGN_RECOVERED, body)
    assert verify(house) == 2
    assert "which was no open intent" in capsys.readouterr().err


def test_nothing_in_doubt_is_nothing_to_find_out(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--outcome", "made", "--reason", "looked", "--out", house.path / "finding.json"]
    assert house.sign("finding", "propose", "--home", house.home("release"), *said) == 2
    assert "nothing is in doubt" in capsys.readouterr().err
    assert not (house.path / "finding.json").exists()


def test_a_finding_without_a_reason_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    leave_intent(house)
    said = ["--outcome", "made", "--reason", " \n", "--out", house.path / "finding.json"]
    assert house.sign("finding", "propose", "--home", house.home("release"), *said) == 2
    assert "--reason" in capsys.readouterr().err
