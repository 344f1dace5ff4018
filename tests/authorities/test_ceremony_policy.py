"""A policy changes inside an open ceremony: proposed, voted for, adopted, and the root that pins it is signed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.ceremonies import DEATHS, Ceremony, PowerCut, cut_power, shipped
from enigm_testkit.house import TWO_AUTHORITIES, House, build_house, copy_house, operators_toml, repository_toml
from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import open_log, read_log
from enigm_tuf.authorities.home import open_home
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words

OURS = (
    EntryType.CEREMONY_OPENED,
    EntryType.POLICY_PROPOSED,
    EntryType.POLICY_ADOPTED,
    EntryType.SIGN_PERFORMED,
    EntryType.CEREMONY_CLOSED,
)


def demanding(policy: str) -> str:
    """What governs is adopted in a ceremony of at most four hours."""
    return policy.replace("policy = 0, operators = 0", "policy = 4, operators = 4")


@pytest.fixture(scope="module")
def proposing(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Root 2, which pins a stricter policy, waits for its signatures; alice and bob have approved it."""
    path = tmp_path_factory.mktemp("proposing") / "house"
    house = build_house(path, plan=replace(TWO_AUTHORITIES, amended=demanding)).with_root()
    text = (house.path / "release.policy.toml").read_text().replace("\nversion = 1\n", "\nversion = 2\n")
    (house.path / "next.policy.toml").write_text(text.replace("request_hours = 72", "request_hours = 71"))
    policies = '{manifest = "manifest.policy.toml", release = "next.policy.toml"}'
    (house.path / "next.toml").write_text(repository_toml(house, policies=policies))
    house.repo("root", "prepare", "--config", house.path / "next.toml")
    house.votes(house.request("root-2"))
    return house


@pytest.fixture
def house(proposing: House, tmp_path: Path) -> House:
    return copy_house(proposing, tmp_path / "house")


def change(house: House) -> Ceremony:
    """The shipped script, for this house."""
    _, first, _, second = house.votes(house.request("root-2"))
    about: dict[str, object] = {"name": house.path / "change", "policy": house.path / "next.policy.toml"}
    about |= {"request": house.request("root-2"), "approval_a": first, "approval_b": second}
    about |= {"label_a": "root-a", "label_b": "root-b", "approver_a": "alice", "approver_b": "bob"}
    about |= {"approver_a_label": house.label("alice"), "approver_b_label": house.label("bob")}
    tokens = {"token-a": house.uri("root-a"), "token-b": house.uri("root-b")}
    tokens |= {"approver-a": house.uri("alice"), "approver-b": house.uri("bob")}
    return shipped(house, "release", "policy-change", tokens, about)


def logged(house: House) -> list[AuditEntry]:
    """What the ceremony and its steps left in the log, without the first root's."""
    entries = list(read_log(house.home("release") / "audit.log"))
    start = next(place for place, entry in enumerate(entries) if entry.type == EntryType.CEREMONY_OPENED)
    return [entry for entry in entries[start:] if entry.type in OURS]


def kinds(house: House) -> list[EntryType]:
    return [entry.type for entry in logged(house)]


def test_a_policy_changes_from_proposal_to_root_inside_one_ceremony(house: House) -> None:
    ceremony = change(house)
    assert ceremony.play() == 0
    assert ceremony.verify() == 0
    opened, proposed, adopted, *signed, closed = OURS
    assert kinds(house) == [opened, proposed, adopted, *signed, *signed, closed]
    assert logged(house)[2].body["operators"] == ("alice", "bob")
    house.publish("root-2", *(house.path / f"change.{letter}.enigmresp" for letter in "ab"))
    home = open_home(house.home("release"))
    assert home.policy_pin.version == 1
    home.add_root((house.path / "repository/published/metadata/2.root.json").read_bytes(), 2)
    assert open_home(house.home("release")).policy_pin.version == 2


# --- the policy wants that, and takes nothing else ---


def voted(house: House, *proposal: object, sign: str) -> list[object]:
    """A document that was proposed, and the votes of alice and bob for it, which anybody can cast anywhere."""
    assert house.sign(*proposal) == 0
    document = Path(str(proposal[-1] if "--out" in proposal else proposal[2]))
    words = last_words(sha256(document.read_bytes()))
    ballots: list[object] = []
    for who in ("alice", "bob"):
        out = house.path / f"{who}.vote.dsse.json"
        noun, verb = sign.split()
        assert (
            house.sign(noun, verb, document, *house.works_as(who, "release"), "--out", out, last_four_words=words) == 0
        )
        ballots += ["--vote", out]
    return [document, "--home", house.home("release"), *ballots]


def policy_votes(house: House) -> list[object]:
    policy = house.path / "next.policy.toml"
    return voted(house, "policy", "propose", policy, "--home", house.home("release"), sign="policy approve")


def operator_votes(house: House) -> list[object]:
    listed, out = house.path / "next.operators.toml", house.path / "next.operators.json"
    listed.write_text(operators_toml("release", rob="suspended"))
    after = ["--after", house.path / "release.operators.json", "--out", out]
    return voted(house, "operator", "propose", listed, *after, sign="operator sign")


def opened(house: House, kind: str, ago: timedelta, authority: str = "release") -> None:
    """The opening of a ceremony in the log, as ``ceremony run`` writes it."""
    digest = "0" * 64
    body = {"ceremony": "ab", "type": kind, "script_sha256": digest, "transcript_sha256": digest, "rehearsal": False}
    with open_log(house.home(authority) / "audit.log", house.clock) as log:
        log.append(EntryType.CEREMONY_OPENED, body)
    house.clock.time += ago


NOUNS = [("policy", "policy-change", policy_votes), ("operator", "operator-change", operator_votes)]


@pytest.mark.rule("CEREMONY-OPEN", "accept")
@pytest.mark.parametrize(("noun", "kind", "ballots"), NOUNS)
def test_in_a_ceremony_of_its_own_it_is_adopted(
    house: House, noun: str, kind: str, ballots: Callable[[House], list[object]]
) -> None:
    arguments = ballots(house)
    opened(house, kind, timedelta(hours=4))
    assert house.sign(noun, "adopt", *arguments) == 0
    house.clock.time += timedelta(seconds=1)
    assert house.sign(noun, "adopt", *arguments) == 0, "as after a crash"


@pytest.mark.rule("CEREMONY-OPEN", "reject")
@pytest.mark.parametrize(("noun", "kind", "ballots"), NOUNS)
def test_outside_of_one_or_in_another_or_in_one_that_was_forgotten_it_is_not(
    house: House, noun: str, kind: str, ballots: Callable[[House], list[object]], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ballots(house)
    assert house.sign(noun, "adopt", *arguments) == 3
    assert f"a ceremony of the type {kind} that opened at most 4 hours ago, got none" in capsys.readouterr().err
    opened(house, "root-rotate", timedelta(0))
    assert house.sign(noun, "adopt", *arguments) == 3
    assert "CEREMONY-OPEN" in capsys.readouterr().err
    opened(house, kind, timedelta(hours=4, seconds=1))
    assert house.sign(noun, "adopt", *arguments) == 3
    assert "CEREMONY-OPEN" in capsys.readouterr().err


@pytest.fixture
def stocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A policy that wants inventories adopted in a ceremony of at most four hours; each authority's first one was."""
    held = replace(TWO_AUTHORITIES, amended=lambda policy: policy.replace("inventory = 0}", "inventory = 4}"))
    take_stock = House.take_stock

    def in_a_ceremony(house: House, authority: str, *tokens: str) -> Path:
        opened(house, "root-keygen", timedelta(0), authority)
        return take_stock(house, authority, *tokens)

    monkeypatch.setattr(House, "take_stock", in_a_ceremony)
    return build_house(tmp_path / "stocked", plan=held)


@pytest.mark.rule("CEREMONY-OPEN", "accept")
@pytest.mark.rule("CEREMONY-OPEN", "reject")
def test_an_inventory_is_adopted_in_any_ceremony_that_is_open(
    stocked: House, capsys: pytest.CaptureFixture[str]
) -> None:
    home, out = stocked.home("release"), stocked.path / "next.inventory.json"
    retired = ["--retire", stocked.key("payload-b").spki_sha256, "--out", out]
    arguments = voted(stocked, "inventory", "propose", "--home", home, *retired, sign="inventory sign")
    stocked.clock.time += timedelta(hours=4, seconds=1)
    assert stocked.sign("inventory", "adopt", *arguments) == 3
    assert "inventory: expected a ceremony that opened at most 4 hours ago, got ab" in capsys.readouterr().err
    opened(stocked, "revoke", timedelta(hours=4))
    assert stocked.sign("inventory", "adopt", *arguments) == 0
    stocked.clock.time += timedelta(seconds=1)
    assert stocked.sign("inventory", "adopt", *arguments) == 0, "as after a crash"


# --- people deviate ---


def test_a_wrong_pin_at_a_vote_is_tried_again_and_the_transcript_tells(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ceremony = change(house)
    assert ceremony.play(PIN=["000000"]) == 0
    assert [line for line in ceremony.told() if "vote-a" in line] == [
        "step.begun vote-a",
        "step.failed vote-a retry",
        "step.begun vote-a",
        "step.done vote-a performed",
    ]
    capsys.readouterr()
    assert ceremony.verify() == 0
    assert "step vote-a failed: token alice: wrong PIN" in capsys.readouterr().out


def test_a_vote_too_few_adopts_nothing_and_no_root_is_signed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ceremony = change(house)
    second = f'    "--vote",\n    "{house.path}/change.bob.policy.dsse.json",\n'
    text = ceremony.file.read_text()
    assert second in text
    ceremony.file.write_text(text.replace(second, ""))
    assert ceremony.play() == 2
    assert "stops at step adopt: POLICY-QUORUM" in capsys.readouterr().err
    assert kinds(house) == [EntryType.CEREMONY_OPENED, EntryType.POLICY_PROPOSED]


def test_who_does_not_type_the_words_of_the_policy_ends_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Alice reads another digest off her paper, twice."""
    ceremony = change(house)
    wrong = "lusab babad gutih tugad"
    ceremony.deviations = {"the last four words of policy version 2": [wrong, wrong]}
    assert ceremony.play() == 2
    assert ceremony.verify() == 0
    assert "step vote-a failed: CONFIRM-WORDS" in (said := capsys.readouterr().out)
    assert "aborted" in said
    assert kinds(house) == [EntryType.CEREMONY_OPENED, EntryType.POLICY_PROPOSED, EntryType.CEREMONY_CLOSED]


def test_a_policy_that_was_logged_and_not_kept_is_kept_when_it_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power went between the two: the log alone is no proof that the step is done."""
    ceremony = change(house)
    with monkeypatch.context() as cutting:
        DEATHS["after the action"](cutting.setattr, "adopt", cut_power)
        with pytest.raises(PowerCut):
            ceremony.play()
    kept = open_home(house.home("release")).kept_policy(sha256((house.path / "next.policy.toml").read_bytes()))
    kept.unlink()
    assert ceremony.play() == 0
    assert kept.exists()
    assert "step.done adopt performed" in ceremony.told()
    assert kinds(house).count(EntryType.POLICY_ADOPTED) == 1


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["propose", "vote-b", "adopt", "sign-b"])
def test_after_a_power_cut_nothing_is_done_twice(house: House, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ceremony = change(house)
    with monkeypatch.context() as cutting:
        DEATHS["after the action"](cutting.setattr, cut, cut_power)
        with pytest.raises(PowerCut):
            ceremony.play()
    assert ceremony.play() == 0
    assert ceremony.verify() == 0
    assert f"step.done {cut} reconciled" in ceremony.told()
    assert len(kinds(house)) == len(OURS) + 1
