"""QUORUM: do enough different people, keys and devices of the right partitions agree, and does nobody object?"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from enigm_testkit.authorities import NOW, make_root
from enigm_testkit.custodians import Voter, registry, soft_key
from enigm_testkit.requests import ALICE, BOB, CAROL, ballot, operators_of
from enigm_testkit.scenes import first_root, payload_release
from enigm_tuf.model.approval import subjects_of
from enigm_tuf.model.operators import ApprovalKey, OperatorRegistry, write_operators
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.statement import Subject, read_envelope, write_envelope
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace as replace_value

SECOND = timedelta(seconds=1)
THREE = ("[actions.release]\napprovals = 2", "[actions.release]\napprovals = 3")


@pytest.mark.rule("APPROVAL-AUTHENTIC", "accept")
def test_approvals_with_enrolled_keys_are_authentic() -> None:
    assert payload_release().said("APPROVAL-AUTHENTIC") == "2 authentic"


@pytest.mark.rule("APPROVAL-AUTHENTIC", "reject")
def test_an_approval_with_one_wrong_bit_is_named() -> None:
    scene = payload_release()
    good = scene.ballots[0](scene.request())
    envelope = read_envelope(good, "approval")
    wrong = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    scene.ballots += [lambda _: write_envelope(replace(envelope, signature=wrong))]
    assert scene.refused_by() == ["APPROVAL-AUTHENTIC"]
    assert "signatures[0].sig: does not verify" in scene.said("APPROVAL-AUTHENTIC")


@pytest.mark.parametrize(
    ("stranger", "told"),
    [
        (Voter("alice", "engineering", soft_key("card of alice")), "no operator has the key"),
        (replace(ALICE, operator="carol"), "approver.operator: must be alice"),
        (replace(ALICE, partition="security"), "approver.partition: must be engineering"),
        (replace(ALICE, key=replace(ALICE.key, name="another card")), "approver.device: must be card of alice"),
    ],
)
def test_an_approval_that_is_not_as_the_registry_says_is_named(stranger: Voter, told: str) -> None:
    scene = payload_release()
    scene.ballots += [ballot(stranger)]
    assert scene.refused_by() == ["APPROVAL-AUTHENTIC"]
    assert told in scene.said("APPROVAL-AUTHENTIC")


def test_an_approval_inside_the_request_counts_like_one_beside_it() -> None:
    scene = payload_release()
    inside = [cast(scene.request()) for cast in scene.ballots]
    scene.members = {f"approvals/{number}.dsse.json": data for number, data in enumerate(inside)}
    scene.ballots = []
    assert scene.refused_by() == []


@pytest.mark.rule("QUORUM-COUNT", "accept")
@pytest.mark.parametrize("times", [{"created": NOW}, {"expires": NOW + SECOND}])
def test_two_approvals_count_from_the_first_to_the_last_second(times: dict[str, Any]) -> None:
    scene = payload_release()
    scene.ballots = [ballot(ALICE, **times), ballot(BOB)]
    assert scene.refused_by() == []


@pytest.mark.rule("QUORUM-COUNT", "reject")
@pytest.mark.parametrize(
    "change",
    [
        {"created": NOW + SECOND},
        {"expires": NOW},
        {"request_id": "REQ-8"},
        {"sequence": 8},
        {"environment": "production"},
        {"authority": "manifest"},
        {"action": "product"},
        {"policy": PolicyPin(1, "0" * 64)},
    ],
)
def test_an_approval_of_another_request_or_time_does_not_count(change: dict[str, Any]) -> None:
    scene = payload_release()
    scene.ballots = [ballot(ALICE, **change), ballot(BOB), ballot(CAROL)]
    scene.replace_policy(*THREE)
    assert scene.refused_by() == ["QUORUM-COUNT"]


def test_three_approvals_count_where_three_are_asked() -> None:
    scene = payload_release()
    scene.ballots += [ballot(CAROL)]
    scene.replace_policy(*THREE)
    assert scene.refused_by() == []


def test_an_approval_whose_payload_was_swapped_does_not_count() -> None:
    scene = payload_release()
    seen = scene.request()
    scene.ballots = [lambda _: ballot(ALICE)(seen), lambda _: ballot(BOB)(seen)]
    assert scene.refused_by() == []
    scene.proposals["phone.payload"].expires += SECOND
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION"]


@pytest.mark.parametrize("keep", [slice(1), slice(1, None)])
def test_an_approval_that_names_only_part_of_the_request_does_not_count(keep: slice) -> None:
    scene = payload_release()
    scene.ballots[1] = ballot(BOB, subjects=subjects_of(scene.request())[keep])
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION"]


def test_one_person_with_two_keys_counts_once() -> None:
    scene = payload_release()
    second = replace(ALICE, key=soft_key("second card of alice"))
    keys = (*ALICE.listed().approval_keys, *second.listed().approval_keys)
    scene.change_operator("alice", approval_keys=keys)
    scene.replace_policy(*THREE)
    scene.ballots += [ballot(second)]
    assert scene.refused_by() == ["QUORUM-COUNT"]
    assert scene.said("QUORUM-COUNT").endswith("2 (alice, bob)")


def test_an_operator_who_is_no_approver_does_not_count() -> None:
    scene = payload_release()
    scene.ballots = [ballot(CAROL), ballot(BOB)]
    assert scene.refused_by() == []
    scene.change_operator("carol", roles=("custodian",))
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION"]


@pytest.mark.rule("QUORUM-PARTITION", "accept")
def test_an_approval_of_each_partition_passes() -> None:
    assert payload_release().said("QUORUM-PARTITION") == "engineering, security"


@pytest.mark.rule("QUORUM-PARTITION", "reject")
def test_two_approvals_of_one_partition_are_refused() -> None:
    scene = payload_release()
    scene.ballots = [ballot(ALICE), ballot(CAROL)]
    assert scene.refused_by() == ["QUORUM-PARTITION"]


@pytest.mark.rule("QUORUM-EXCLUSION", "accept")
def test_a_custodian_who_approved_nothing_may_sign() -> None:
    scene = payload_release()
    scene.ballots = [ballot(ALICE), ballot(BOB), ballot(CAROL)]
    scene.custodian = "dave"
    assert scene.refused_by() == []


@pytest.mark.rule("QUORUM-EXCLUSION", "reject")
def test_a_custodian_who_approved_may_not_sign() -> None:
    scene = payload_release()
    scene.ballots = [ballot(ALICE), ballot(BOB), ballot(CAROL)]
    scene.custodian = "carol"
    assert scene.refused_by() == ["QUORUM-EXCLUSION"]


def test_an_approval_by_the_custodian_does_not_count() -> None:
    scene = payload_release()
    scene.custodian = "alice"
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION", "QUORUM-EXCLUSION"]


@pytest.mark.rule("QUORUM-EXCLUSION", "accept")
@pytest.mark.rule("QUORUM-EXCLUSION", "reject")
@pytest.mark.parametrize(("earlier", "refused"), [("heidi", []), ("carol", ["QUORUM-EXCLUSION"])])
def test_who_signed_it_before_does_not_approve_it_for_another_custodian(earlier: str, refused: list[str]) -> None:
    scene = payload_release()
    scene.ballots += [ballot(CAROL)]
    scene.custodians = (earlier,)
    assert scene.refused_by() == refused


@pytest.mark.parametrize("signs", ["dave", None])
def test_an_approval_by_who_signed_it_before_does_not_count(signs: str | None) -> None:
    scene = payload_release()
    scene.custodian, scene.custodians = signs, ("alice",)
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION", "QUORUM-EXCLUSION"]


@pytest.mark.rule("QUORUM-EXCLUSION", "accept")
@pytest.mark.rule("QUORUM-EXCLUSION", "reject")
@pytest.mark.parametrize(("signs", "refused"), [("dave", []), ("rob", ["QUORUM-EXCLUSION"])])
@pytest.mark.parametrize("now", [True, False])
def test_who_asks_does_not_sign(signs: str, refused: list[str], *, now: bool) -> None:
    scene = payload_release()
    scene.change_operator("rob", roles=("requester", "custodian"))
    scene.custodian, scene.custodians = (signs, ()) if now else ("dave", (signs,))
    assert scene.refused_by() == refused


def test_a_requester_who_approved_is_refused() -> None:
    scene = payload_release()
    scene.change_operator("carol", roles=("approver", "requester"))
    scene.index["requester"] = "carol"
    assert scene.refused_by() == []
    scene.ballots += [ballot(CAROL)]
    assert scene.refused_by() == ["QUORUM-EXCLUSION"]


def test_a_requester_whom_the_registry_does_not_name_is_refused() -> None:
    scene = payload_release()
    scene.index["requester"] = "carol"
    assert scene.refused_by() == ["QUORUM-EXCLUSION"]


@pytest.mark.rule("QUORUM-VETO", "accept")
@pytest.mark.parametrize(
    "change", [{"expires": NOW}, {"created": NOW + SECOND}, {"subjects": (Subject("index.json", "0" * 64),)}]
)
def test_a_rejection_of_another_time_or_request_stops_nothing(change: dict[str, Any]) -> None:
    scene = payload_release()
    scene.ballots += [ballot(CAROL, "REJECT", **change)]
    assert scene.refused_by() == []


@pytest.mark.rule("QUORUM-VETO", "reject")
def test_one_rejection_stops_the_request() -> None:
    scene = payload_release()
    scene.ballots += [ballot(CAROL, "REJECT", reason="wrong build")]
    assert scene.refused_by() == ["QUORUM-VETO"]
    assert scene.said("QUORUM-VETO").endswith("carol: wrong build")


@pytest.mark.rule("APPROVAL-APART", "accept")
def test_approval_keys_that_are_no_keys_of_a_role_may_approve() -> None:
    assert first_root().refused_by() == []


@pytest.mark.rule("APPROVAL-APART", "reject")
def test_a_root_key_that_also_approves_is_refused() -> None:
    scene = first_root()
    scene.cast.root[2] = CryptoSigner(ALICE.key.private)
    scene.proposals = {"root": make_root(scene.cast)}
    assert scene.refused_by() == ["APPROVAL-APART"]


@pytest.mark.parametrize("status", ["suspended", "left"])
def test_who_is_not_active_any_more_approves_nothing_and_asks_nothing(status: str) -> None:
    scene = payload_release()
    scene.ballots += [ballot(CAROL)]
    scene.change_operator("carol", status=status)
    assert scene.refused_by() == ["APPROVAL-AUTHENTIC"]
    assert f"operator carol is not active: {status}" in scene.said("APPROVAL-AUTHENTIC")
    scene = payload_release()
    scene.change_operator("rob", status=status)
    assert scene.refused_by() == ["QUORUM-EXCLUSION"]


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "refused"),
    [
        (NOW, NOW + SECOND, []),
        (NOW + SECOND, NOW + 2 * SECOND, ["APPROVAL-AUTHENTIC", "QUORUM-COUNT", "QUORUM-PARTITION"]),
        (NOW - SECOND, NOW, ["APPROVAL-AUTHENTIC", "QUORUM-COUNT", "QUORUM-PARTITION"]),
    ],
)
def test_a_key_approves_from_its_first_second_to_before_its_last(
    valid_from: datetime, valid_until: datetime, refused: list[str]
) -> None:
    scene = payload_release()
    (key,) = BOB.listed().approval_keys
    scene.change_operator("bob", approval_keys=(ApprovalKey(key.record, valid_from, valid_until),))
    assert scene.refused_by() == refused


@pytest.mark.rule("OPERATORS-PINNED", "accept")
def test_a_registry_that_follows_the_one_that_the_policy_names_passes() -> None:
    scene = payload_release()
    assert scene.said("OPERATORS-PINNED").startswith("version 1 (")
    scene.change_operator("carol", status="suspended")
    assert scene.refused_by() == []
    assert scene.said("OPERATORS-PINNED").startswith("version 2 (")


@pytest.mark.rule("OPERATORS-PINNED", "reject")
def test_a_registry_that_began_otherwise_is_refused() -> None:
    scene = payload_release()
    scene.change_operator("carol", status="suspended")
    assert scene.operators is not None
    scene.operators = replace_value(scene.operators, first="0" * 64)
    assert scene.refused_by() == ["OPERATORS-PINNED"]
    scene.operators = registry("release", ALICE.listed(), BOB.listed())
    assert scene.refused_by() == ["OPERATORS-PINNED"], "another version 1"


@pytest.mark.parametrize("other", [{"authority": "manifest"}, {"environment": "production"}])
def test_a_registry_of_others_is_refused(other: dict[str, Any]) -> None:
    scene = payload_release()
    people = registry("release") if "environment" in other else operators_of("release")
    scene.operators = replace_value(people, **other)
    scene.replace_policy(digest_of(operators_of("release")), digest_of(scene.operators))
    assert "OPERATORS-PINNED" in scene.refused_by()


def digest_of(people: OperatorRegistry) -> str:
    return sha256(write_operators(people))
