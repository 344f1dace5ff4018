"""WAIVER: what people may let pass, for one request, together, for a while; and what nobody may."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from enigm_testkit.authorities import NOW
from enigm_testkit.custodians import Voter, soft_key
from enigm_testkit.requests import ALICE, BOB, CAROL, Ballot, Scene, ballot
from enigm_testkit.scenes import manifest_release, payload_release
from enigm_testkit.waivers import WAIVER_TERMS, waiver
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.statement import Envelope, Subject, pre_authentication_encoding, read_envelope, write_envelope
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.model.waiver import WAIVABLE_FAMILIES, WAIVABLE_RULE
from enigm_tuf.policy.catalogue import family_of
from enigm_tuf.policy.comparing import compare, needed_quorum
from enigm_tuf.policy.engine import CATALOGUE, admit, evaluate

SECOND = timedelta(seconds=1)


def untested(terms: str = WAIVER_TERMS) -> Scene:
    """A release that passes everything but GATE-TESTS, under a policy that lets people waive it."""
    scene = payload_release()
    scene.policy += terms
    scene.replace_policy('untested = ["*"]', "untested = []")
    return scene


def waived(*waivers: Ballot) -> Scene:
    """The same, with approvals and these waivers; by default those of alice and bob."""
    scene = untested()
    scene.ballots += waivers or (waiver(ALICE), waiver(BOB))
    return scene


def says_no(scene: Scene) -> list[str]:
    """The rules that neither pass nor are waived."""
    return [outcome.rule for outcome in evaluate(scene.question()).outcomes if not outcome.allowed]


def test_without_a_waiver_the_rule_refuses() -> None:
    assert says_no(untested()) == ["GATE-TESTS"]


@pytest.mark.rule("WAIVER-RULE", "accept")
@pytest.mark.rule("WAIVER-REQUEST", "accept")
@pytest.mark.rule("WAIVER-QUORUM", "accept")
def test_two_waivers_let_it_pass_and_the_rule_still_says_no() -> None:
    decision = evaluate(waived().question())
    (outcome,) = (item for item in decision.outcomes if item.rule == "GATE-TESTS")
    assert (outcome.passed, outcome.waived, decision.passed) == (False, True, True)
    assert "by alice (why not), bob (why not): " in outcome.evidence
    assert {item.operator for item in decision.waivers} == {"alice", "bob"}
    assert len(decision.envelopes) == 4
    admit(waived().question())


def test_a_waiver_of_a_rule_that_passes_changes_nothing() -> None:
    scene = payload_release()
    scene.policy += WAIVER_TERMS
    scene.ballots += [waiver(ALICE), waiver(BOB)]
    decision = evaluate(scene.question())
    assert decision.passed
    assert not any(outcome.waived for outcome in decision.outcomes)


@pytest.mark.parametrize("make", [payload_release, manifest_release])
def test_a_waiver_is_no_approval(make: Callable[[], Scene]) -> None:
    scene = make()
    scene.policy += WAIVER_TERMS
    scene.ballots = [waiver(ALICE), waiver(BOB)]
    assert says_no(scene) == ["QUORUM-COUNT", "QUORUM-PARTITION"]


def test_an_approval_is_no_waiver() -> None:
    scene = untested()
    scene.ballots = [ballot(ALICE), ballot(BOB), ballot(CAROL)]
    assert says_no(scene) == ["GATE-TESTS"]


@pytest.mark.rule("WAIVER-RULE", "reject")
@pytest.mark.parametrize(
    "terms", ["", WAIVER_TERMS.replace('"GATE-TESTS", ', ""), WAIVER_TERMS.replace("GATE-TESTS", "SOURCE-REBUILD")]
)
def test_a_rule_that_the_policy_does_not_list_is_not_waived(terms: str) -> None:
    scene = untested(terms)
    scene.ballots += [waiver(ALICE), waiver(BOB)]
    assert says_no(scene) == ["GATE-TESTS", "WAIVER-RULE"]


@pytest.mark.rule("WAIVER-REQUEST", "reject")
@pytest.mark.parametrize(
    "change",
    [
        {"request_id": "REQ-8"},
        {"sequence": 8},
        {"environment": "production"},
        {"authority": "manifest"},
        {"action": "emergency"},
        {"policy": PolicyPin(1, "0" * 64)},
        {"subjects": (Subject("index.json", "0" * 64),)},
    ],
)
def test_a_waiver_of_another_request_refuses(change: dict[str, Any]) -> None:
    assert says_no(waived(waiver(ALICE), waiver(BOB, **change))) == ["GATE-TESTS", "WAIVER-REQUEST"]


def test_a_waiver_that_leaves_a_payload_out_refuses() -> None:
    scene = untested()
    subjects = (Subject("index.json", scene.request().digest),)
    scene.ballots += [waiver(ALICE), waiver(BOB, subjects=subjects)]
    assert says_no(scene) == ["GATE-TESTS", "WAIVER-REQUEST"]


@pytest.mark.rule("WAIVER-TIME", "accept")
@pytest.mark.parametrize("times", [{"created": NOW}, {"expires": NOW + SECOND}, {"expires": NOW + timedelta(hours=71)}])
def test_a_waiver_counts_from_its_first_to_its_last_second(times: dict[str, Any]) -> None:
    assert says_no(waived(waiver(ALICE), waiver(BOB, **times))) == []


@pytest.mark.rule("WAIVER-TIME", "reject")
@pytest.mark.parametrize(
    "times", [{"created": NOW + SECOND}, {"expires": NOW}, {"expires": NOW + timedelta(hours=71) + SECOND}]
)
def test_a_waiver_too_early_too_late_or_for_too_long_refuses(times: dict[str, Any]) -> None:
    assert says_no(waived(waiver(ALICE), waiver(BOB, **times))) == ["GATE-TESTS", "WAIVER-TIME"]


@pytest.mark.rule("WAIVER-QUORUM", "reject")
@pytest.mark.parametrize(
    "waivers",
    [
        (waiver(ALICE),),
        (waiver(ALICE), waiver(ALICE, reason="once more")),
        (waiver(ALICE), waiver(CAROL)),
        (waiver(ALICE), waiver(BOB, rule="TIME-FREEZE")),
    ],
)
def test_too_few_people_or_partitions_waive_nothing(waivers: tuple[Ballot, ...]) -> None:
    assert says_no(waived(*waivers)) == ["GATE-TESTS", "WAIVER-QUORUM"]


@pytest.mark.parametrize("part", ["requester", "custodian"])
def test_who_asks_or_signs_does_not_waive(part: str) -> None:
    scene = waived(waiver(BOB), waiver(CAROL))
    assert says_no(scene) == []
    if part == "custodian":
        scene.custodian = "carol"
    else:
        scene.change_operator("carol", roles=("requester", "policy-approver"))
        scene.index = {"requester": "carol"}
    assert says_no(scene) == ["GATE-TESTS", "WAIVER-QUORUM"]


@pytest.mark.rule("WAIVER-QUORUM", "accept")
@pytest.mark.rule("WAIVER-QUORUM", "reject")
@pytest.mark.parametrize(("earlier", "refused"), [("heidi", []), ("carol", ["GATE-TESTS", "WAIVER-QUORUM"])])
def test_who_signed_it_before_does_not_waive_for_another_custodian(earlier: str, refused: list[str]) -> None:
    scene = waived(waiver(BOB), waiver(CAROL))
    scene.custodians = (earlier,)
    assert says_no(scene) == refused


def test_only_policy_approvers_waive() -> None:
    scene = waived()
    scene.change_operator("bob", roles=("approver",))
    assert says_no(scene) == ["GATE-TESTS", "WAIVER-QUORUM"]


@pytest.mark.parametrize(
    "stranger", [Voter("alice", "engineering", soft_key("card of alice")), replace(ALICE, operator="bob")]
)
def test_a_waiver_that_is_not_by_who_it_says_refuses(stranger: Voter) -> None:
    scene = waived(waiver(ALICE), waiver(BOB), waiver(stranger))
    assert says_no(scene) == ["APPROVAL-AUTHENTIC"]


def test_one_wrong_bit_refuses() -> None:
    scene = untested()
    envelope = read_envelope(waiver(BOB)(scene.request()), "waiver")
    wrong = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    scene.ballots += [waiver(ALICE), lambda _: write_envelope(replace(envelope, signature=wrong))]
    assert says_no(scene) == ["APPROVAL-AUTHENTIC", "GATE-TESTS", "WAIVER-QUORUM"]


def test_a_rejection_stops_what_is_waived_too() -> None:
    scene = waived(waiver(ALICE), waiver(BOB), ballot(CAROL, "REJECT"))
    assert says_no(scene) == ["QUORUM-VETO"]


@pytest.mark.parametrize("rule", [str(rule) for rule, _ in CATALOGUE])
def test_only_rules_of_five_families_can_be_named_at_all(rule: str) -> None:
    """GOVERNANCE: KEY, QUORUM, META, TEST and LOG are never waived; we add REQUEST, TRANSITION, ARTIFACT and WAIVER."""
    family = next(family_of(item) for item, _ in CATALOGUE if item == rule)
    assert WAIVABLE_RULE.accepts(rule) == (family in WAIVABLE_FAMILIES)


@pytest.mark.parametrize("rule", ["QUORUM-COUNT", "KEY-CUSTODY", "META-EXPIRY", "APPROVAL-KNOWN", "REQUEST-TIME"])
def test_neither_a_policy_nor_a_signed_statement_can_name_another(rule: str) -> None:
    with pytest.raises(MalformedError, match=r"policy: waiver\.rules\[0\]: must be a rule of SOURCE, GATE"):
        read_policy(untested(WAIVER_TERMS.replace("GATE-TESTS", rule)).policy.encode(), "policy")
    scene = untested()
    envelope = read_envelope(waiver(BOB)(scene.request()), "waiver")
    statement = parse(envelope.payload, source="waiver")
    statement["predicate"]["rule"] = rule
    payload = encode(statement)
    signed = Envelope(payload, envelope.keyid, BOB.key.sign(pre_authentication_encoding(payload)))
    scene.ballots += [waiver(ALICE), lambda _: write_envelope(signed)]
    assert "APPROVAL-AUTHENTIC" in says_no(scene)
    assert f"predicate.rule: must be a rule of {WAIVABLE_FAMILIES[0]}" in scene.said("APPROVAL-AUTHENTIC")


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (
            WAIVER_TERMS.replace("approvals = 2", "approvals = 1"),
            "waiver.approvals: a waiver needs no fewer than a change of",
        ),
        (
            WAIVER_TERMS.replace(', "security"]', "]"),
            "waiver.partitions: must have security, as for a change of the policy",
        ),
    ],
)
def test_a_policy_whose_waivers_are_easier_than_its_changes_is_not_read(terms: str, told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_policy(untested(terms).policy.encode(), "policy")
    assert told in str(caught.value)


def test_to_allow_waivers_is_to_relax_and_wants_the_strictest_quorum() -> None:
    strict = WAIVER_TERMS.replace("approvals = 2", "approvals = 3")
    without, some = (read_policy(untested(terms).policy.encode(), "policy") for terms in ("", strict))
    more = read_policy(untested(strict.replace("rules = [", 'rules = ["RATE-DAY", ')).policy.encode(), "policy")
    assert {change.direction for change in compare(without, some)} == {"relax"}
    assert {change.direction for change in compare(some, without)} == {"tighten"}
    (change,) = compare(some, more)
    assert (change.path, change.direction) == ("waiver.rules", "relax")
    assert needed_quorum(some, (change,)).approvals == 3


def test_no_waiver_is_counted_while_one_of_them_is_wrong() -> None:
    scene = waived(waiver(ALICE), waiver(BOB), waiver(CAROL, sequence=8))
    assert evaluate(scene.question()).waivers == ()
    with pytest.raises(RefusedError):
        admit(scene.question())
