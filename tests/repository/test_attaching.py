"""A response is believed for nothing: each of its claims is proved again, and each false one is refused."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.custodians import answer, response_file, soft_key, voter
from enigm_testkit.vendor import Vendor, make_vendor, policy_toml
from enigm_testkit.waivers import WAIVER_TERMS, waiver
from enigm_tuf.model.operators import read_operators, write_operators
from enigm_tuf.model.request import RuleOutcome, SigningRequest, SigningResponse
from enigm_tuf.model.value import replace as replace_value
from enigm_tuf_repository.records import Step

RECORD = "phone-1.0"


def manifest_answer(vendor: Vendor) -> tuple[SigningRequest, SigningResponse, list[bytes]]:
    """A response that would be accepted, with what it is made of; change one thing."""
    request = vendor.request(RECORD, "manifest")
    votes = vendor.votes(request)
    return request, answer(request, vendor.keys["manifest"][0], votes, vendor.clock.now()), votes


def attach(vendor: Vendor, response: SigningResponse, votes: list[bytes]) -> int:
    return vendor.run("release", "attach", RECORD, vendor.write("answer.enigmresp", response_file(response, votes)))


def nothing_is_kept(vendor: Vendor) -> bool:
    folder = vendor.workspace.record(RECORD)
    return not any((folder / name).exists() for name in ("responses", "approvals", "staged/metadata"))


@pytest.mark.rule("RESPONSE-REQUEST", "accept")
@pytest.mark.rule("RESPONSE-DECISION", "accept")
@pytest.mark.rule("RESPONSE-SIGNATURE", "accept")
def test_answers_of_several_custodians_merge_until_everything_is_signed(prepared: Vendor) -> None:
    for path in prepared.answers(RECORD):
        assert prepared.record(RECORD).evidence(Step.SIGNED) is None
        prepared.done("release", "attach", RECORD, path)

    staged = prepared.workspace.staged(RECORD) / "metadata"
    assert sorted(path.name for path in staged.iterdir()) == [
        "2.phone.manifest.json",
        "2.phone.payload.json",
        "2.snapshot.json",
    ]
    assert prepared.record(RECORD).next_step() == Step.VERIFIED


def test_the_same_answer_twice_counts_once(prepared: Vendor) -> None:
    first = prepared.answers(RECORD)[0]

    prepared.done("release", "attach", RECORD, first, first)
    prepared.done("release", "attach", RECORD, first)

    assert prepared.record(RECORD).evidence(Step.SIGNED) is None
    assert not (prepared.workspace.staged(RECORD) / "metadata" / "2.phone.payload.json").exists()


@pytest.mark.rule("RESPONSE-REQUEST", "reject")
def test_an_answer_to_another_request_is_refused(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _, response, votes = manifest_answer(prepared)

    assert attach(prepared, replace(response, request_sha256="0" * 64), votes) == 3

    assert "RESPONSE-REQUEST" in capsys.readouterr().err
    assert nothing_is_kept(prepared)


@pytest.mark.parametrize("change", [{"environment": "production"}, {"request_id": "phone-1.0-manifest-99"}])
def test_an_answer_that_contradicts_its_request_is_refused(
    prepared: Vendor, capsys: pytest.CaptureFixture[str], change: dict[str, str]
) -> None:
    _, response, votes = manifest_answer(prepared)

    assert attach(prepared, replace(response, **change), votes) == 3  # type: ignore[arg-type]
    assert "RESPONSE-REQUEST" in capsys.readouterr().err


@pytest.mark.rule("RESPONSE-DECISION", "reject")
def test_a_refusal_of_the_authority_is_shown_with_its_rule(
    prepared: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    _, response, votes = manifest_answer(prepared)
    failed = RuleOutcome("QUORUM-VETO", False, "bob rejects")

    assert attach(prepared, replace(response, decision="FAILED", rules=(failed,)), votes) == 3

    told = capsys.readouterr().err
    assert "RESPONSE-DECISION" in told
    assert "QUORUM-VETO: bob rejects" in told


def test_a_pass_with_a_failed_rule_in_it_is_refused(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _, response, votes = manifest_answer(prepared)
    failed = RuleOutcome("META-EXPIRY", False, "too far ahead")

    assert attach(prepared, replace(response, rules=(*response.rules, failed)), votes) == 3
    assert "RESPONSE-DECISION" in capsys.readouterr().err


@pytest.mark.rule("RESPONSE-SIGNATURE", "reject")
def test_a_signature_over_other_bytes_is_refused(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _, response, votes = manifest_answer(prepared)
    wrong = prepared.keys["manifest"][0].sign(b"something else").hex()
    first, *rest = response.signatures

    assert attach(prepared, replace(response, signatures=(replace(first, signature=wrong), *rest)), votes) == 3

    assert "RESPONSE-SIGNATURE" in capsys.readouterr().err
    assert nothing_is_kept(prepared)


def test_a_signature_by_a_key_of_nobody_is_refused(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    request, _, votes = manifest_answer(prepared)
    stranger = answer(request, soft_key("manifest-a"), votes, prepared.clock.now())

    assert attach(prepared, stranger, votes) == 3
    assert "RESPONSE-SIGNATURE" in capsys.readouterr().err


def test_a_role_that_was_not_signed_is_missed_until_it_is(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    """What was signed under two decisions comes in two responses."""
    _, response, votes = manifest_answer(prepared)
    assert attach(prepared, replace(response, signatures=()), votes) == 3
    assert "RESPONSE-SIGNATURE" in capsys.readouterr().err

    prepared.done("release", "attach", RECORD, *prepared.answers(RECORD)[:2])
    assert attach(prepared, replace(response, signatures=response.signatures[:1]), votes) == 0
    assert prepared.run("release", "verify", RECORD) != 0
    assert attach(prepared, replace(response, signatures=response.signatures[1:]), votes) == 0
    assert prepared.record(RECORD).evidence(Step.SIGNED) is not None


@pytest.mark.parametrize("rules", [slice(1, None), slice(None, -1), slice(None, None, -1), slice(0, 1)])
def test_an_answer_of_other_rules_than_the_catalogue_s_is_refused(
    prepared: Vendor, rules: slice, capsys: pytest.CaptureFixture[str]
) -> None:
    _, response, votes = manifest_answer(prepared)
    assert attach(prepared, replace(response, rules=response.rules[rules]), votes) == 3
    assert "RESPONSE-DECISION" in capsys.readouterr().err
    assert attach(prepared, response, votes) == 0


def saying(response: SigningResponse, rule: str) -> SigningResponse:
    said = (replace(item, passed=False, waived=True) if item.rule == rule else item for item in response.rules)
    return replace(response, rules=tuple(said))


@pytest.mark.parametrize(("rule", "refused"), [("TIME-FREEZE", 3), ("RATE-DAY", 0), ("CEREMONY-OPEN", 0)])
def test_what_is_waived_there_is_waived_here_too_where_it_can_be_asked(
    new_vendor: Vendor, rule: str, refused: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The waivers count; but no freeze is here that they could be of."""
    vendor, policy = new_vendor, new_vendor.path / "manifest.policy.toml"
    policy.write_text(policy.read_text() + WAIVER_TERMS.replace("GATE-TESTS", 'RATE-DAY", "CEREMONY-OPEN'))
    vendor.opened()
    vendor.prepare_release("1.0")
    request, response, votes = manifest_answer(vendor)
    now = vendor.clock.now()
    terms = {"created": now, "expires": now + timedelta(hours=1)}
    votes = [*votes, *(waiver(person, rule, **terms)(request) for person in vendor.voters)]
    assert attach(vendor, saying(response, rule), votes) == refused
    told = capsys.readouterr().err
    assert ("TIME-FREEZE not waived, as it is here" in told) == bool(refused)


def test_a_waived_rule_needs_its_waivers(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _, response, votes = manifest_answer(prepared)
    assert attach(prepared, saying(response, "RATE-DAY"), votes) == 3
    assert "expected the waivers of RATE-DAY, got none" in capsys.readouterr().err


def test_payload_keys_cannot_answer_for_the_manifest_authority(
    prepared: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    request, _, votes = manifest_answer(prepared)
    other = answer(request, prepared.keys["payload"][0], votes, prepared.clock.now())

    assert attach(prepared, other, votes) == 3
    assert "RESPONSE-SIGNATURE" in capsys.readouterr().err


def test_an_answer_without_one_of_the_approvals_is_refused(
    prepared: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    _, response, votes = manifest_answer(prepared)

    assert attach(prepared, response, votes[:1]) == 3

    assert "QUORUM-" in capsys.readouterr().err
    assert nothing_is_kept(prepared)


def test_an_answer_with_a_veto_is_refused(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    request, response, votes = manifest_answer(prepared)
    veto = prepared.voters[1].vote(request, "REJECT")

    assert attach(prepared, response, [votes[0], veto]) == 3
    assert "QUORUM-" in capsys.readouterr().err


def test_an_approval_of_another_request_does_not_count(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _, response, votes = manifest_answer(prepared)
    elsewhere = prepared.voters[1].vote(prepared.request(RECORD, "release"))

    assert attach(prepared, response, [votes[0], elsewhere]) == 3
    assert "QUORUM-" in capsys.readouterr().err


def test_a_truncated_answer_is_one_clear_line(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _, response, votes = manifest_answer(prepared)
    path = prepared.write("answer.enigmresp", response_file(response, votes)[:-700])

    assert prepared.run("release", "attach", RECORD, path) == 2

    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert len(told.splitlines()) == 1
    assert nothing_is_kept(prepared)


@pytest.mark.rule("QUORUM-EXCLUSION", "accept")
@pytest.mark.rule("QUORUM-EXCLUSION", "reject")
@pytest.mark.parametrize(("second", "status"), [("root-c", 0), ("root-b", 3)])
@pytest.mark.parametrize("together", [True, False])
def test_who_signed_one_answer_approved_none_of_the_same_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], second: str, status: int, *, together: bool
) -> None:
    """The keepers of root-a and root-b approve too, each what the other signs; alice and bob would be enough."""
    vendor = make_vendor(tmp_path / "vendor")
    keepers = {name: voter(name, "engineering") for name in ("root-a", "root-b")}
    for authority in ("manifest", "release"):
        file = vendor.path / f"{authority}.operators.json"
        people = read_operators(file.read_bytes(), file.name)
        listed = tuple(keepers[one.id].listed() if one.id in keepers else one for one in people.operators)
        people = replace_value(people, operators=listed)
        file.write_bytes(write_operators(people))
        (vendor.path / f"{authority}.policy.toml").write_text(policy_toml(people.authority, people))
    vendor.done("init", "--config", str(vendor.path / "repository.toml"))
    request = vendor.request("root-1", "release")
    keys = {key.name: key for key in vendor.keys["root"]}
    answers = [
        vendor.answer(request, keys[name], [keepers[approves].vote(request), *vendor.votes(request)])
        for name, approves in (("root-a", "root-b"), (second, "root-a" if second == "root-b" else "root-b"))
    ]
    if not together:
        vendor.done("release", "attach", "root-1", answers[0])
    assert vendor.run("release", "attach", "root-1", *(answers if together else answers[1:])) == status
    assert ("QUORUM-EXCLUSION" in capsys.readouterr().err) == bool(status)
    kept = list((vendor.workspace.record("root-1") / "responses").glob("*"))
    assert len(kept) == (2 if status == 0 else 0 if together else 1)
