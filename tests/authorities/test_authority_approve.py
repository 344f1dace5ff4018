"""enigm-sign approve and reject: who may, on what, and what it leaves behind."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.house import PIN, House, read, remake
from enigm_tuf.authorities.approving import Vote, cast
from enigm_tuf.authorities.vouching import InputFile, Papers, Signatory
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.approval import read_approval, subjects_of
from enigm_tuf.model.operators import read_operators
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.statement import pre_authentication_encoding, read_envelope
from enigm_tuf.model.words import last_words
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.threshold import signers


def approve(house: House, request: Path, *options: object, **answers: str) -> int:
    words = {"last_four_words": last_words(read(request).digest)}
    return house.sign("approve", request, *options, "--out", house.path / "vote.dsse.json", **(words | answers))


def wrote_nothing(house: House) -> bool:
    return not (house.path / "vote.dsse.json").exists()


@pytest.mark.parametrize(("verb", "decision"), [("approve", "APPROVE"), ("reject", "REJECT")])
def test_an_envelope_binds_the_request_its_payloads_and_the_person(house: House, verb: str, decision: str) -> None:
    request = house.request("root-1")
    envelope = read_envelope(house.vote(request, "alice", verb).read_bytes(), "vote")
    statement = read_approval(envelope.payload, "vote")
    assert statement.subjects == subjects_of(read(request))
    assert (statement.decision, statement.reason, statement.approver.operator) == (decision, "looked at it", "alice")
    assert statement.approver.device == house.key("alice").token.serial
    assert statement.expires == read(request).index.expires


def test_its_signature_verifies_with_the_key_in_the_registry(house: House) -> None:
    envelope = read_envelope(house.vote(house.request("root-1"), "alice").read_bytes(), "vote")
    registry = read_operators((house.path / "release.operators.json").read_bytes(), "operators")
    (alice,) = (operator for operator in registry.operators if operator.id == "alice")
    key = tuf_key(alice.approval_keys[0].spki)
    signature = {key.keyid: envelope.signature.hex()}
    assert signers({key.keyid: key}, [key.keyid], signature, pre_authentication_encoding(envelope.payload))


def test_wrong_words_approve_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    assert approve(house, request, *house.voter(request, "alice"), last_four_words="yes", PIN="not reached") == 3
    assert "error: CONFIRM-WORDS" in capsys.readouterr().err
    assert wrote_nothing(house)


def test_a_wrong_pin_approves_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    assert approve(house, request, *house.voter(request, "alice"), PIN="9999") == 2
    assert "wrong PIN" in capsys.readouterr().err
    assert wrote_nothing(house)


@pytest.mark.rule("APPROVER-KEY", "accept")
def test_an_operator_approves_with_their_own_key(house: House) -> None:
    request = house.request("root-1")
    assert approve(house, request, *house.voter(request, "alice")) == 0


@pytest.mark.rule("APPROVER-KEY", "reject")
def test_nobody_approves_with_the_key_of_another(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    options = house.voter(request, "alice")
    options[options.index(house.uri("alice"))] = house.uri("bob")
    options[-1] = "bob"
    assert approve(house, request, *options) == 3
    assert "error: APPROVER-KEY: operator alice" in capsys.readouterr().err
    assert wrote_nothing(house)


def test_the_key_approves_on_its_own_device_alone(house: House) -> None:
    """The registry is changed in one thing, the device's serial."""
    policy = InputFile((house.path / "release.policy.toml").read_bytes(), "policy")
    registry = (house.path / "release.operators.json").read_bytes()
    serial = house.key("alice").token.serial
    for device, refusal in ((serial, None), ("another-card", "APPROVER-KEY")):
        operators = InputFile(registry.replace(f'"{serial}"'.encode(), f'"{device}"'.encode()), "operators")
        token = house.edges().open_token(house.uri("alice"))
        alice: Signatory[Question] = Signatory("alice", token, "alice", lambda _: PIN, lambda _: None)
        papers, vote = Papers(policy, operators), Vote("APPROVE", "")
        request = read(house.request("root-1"))
        if refusal is None:
            assert cast(request, papers, alice, vote, house.clock.now())
            continue
        with pytest.raises(RefusedError) as caught:
            cast(request, papers, alice, vote, house.clock.now())
        assert caught.value.rule == refusal


def test_an_operator_works_under_the_policy_that_the_request_names(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.request("root-1")
    options = house.voter(request, "alice")
    policy = house.path / "release.policy.toml"
    policy.write_bytes(policy.read_bytes() + b"\n")
    assert approve(house, request, *options) == 3
    assert "error: POLICY-PINNED" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "status"), [(-1, 0), (0, 3)])
def test_a_request_is_approved_until_the_second_in_which_it_expires(house: House, seconds: int, status: int) -> None:
    request = house.request("root-1")
    house.clock.time = read(request).index.expires + timedelta(seconds=seconds)
    assert approve(house, request, *house.voter(request, "alice")) == status


def test_a_request_from_the_future_is_not_approved(house: House) -> None:
    request = house.request("root-1")
    house.clock.time = read(request).index.created - timedelta(seconds=1)
    assert approve(house, request, *house.voter(request, "alice")) == 3


@pytest.mark.parametrize(
    ("operator", "line"), [("mallory", "knows no operator 'mallory'"), ("rob", "rob is no approver")]
)
def test_only_approvers_of_the_policy_approve(
    house: House, operator: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.request("root-1")
    options = house.voter(request, "alice")
    options[options.index("alice")] = operator
    assert approve(house, request, *options) == 2
    assert line in capsys.readouterr().err


def test_a_reason_is_one_line(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    assert approve(house, request, *house.voter(request, "alice"), "--reason", "one\ntwo") == 2
    assert "--reason: must be one line of text" in capsys.readouterr().err
    assert wrote_nothing(house)


def test_an_approval_is_never_overwritten(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    (house.path / "vote.dsse.json").write_text("precious")
    assert approve(house, request, *house.voter(request, "alice")) == 2
    assert (house.path / "vote.dsse.json").read_text() == "precious"
    assert "exists already" in capsys.readouterr().err


def test_approvals_may_travel_inside_the_request(house: House) -> None:
    request = house.request("root-1")
    envelopes = {f"approvals/{who}.dsse.json": house.vote(request, who).read_bytes() for who in ("alice", "bob")}
    carried = remake(request, house.path / "carried.enigmreq", envelopes)
    assert read(carried).digest == read(request).digest
    assert house.signs(carried, "root-a", []) == 0


def test_an_approval_of_another_request_does_not_count(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    index = read(request).index
    other = remake(request, house.path / "other.enigmreq", expires=index.expires - timedelta(seconds=1))
    assert replace(read(other).index, expires=index.expires) == index
    assert house.signs(other, "root-a", house.votes(request)) == 3
    assert "error: QUORUM-COUNT" in capsys.readouterr().err
