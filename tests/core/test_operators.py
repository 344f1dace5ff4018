"""The registry of operators: read strictly, so that nobody counts twice and every quorum can be met."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_testkit.custodians import key_record, registry
from enigm_testkit.requests import ALICE, BOB, CAROL, operators_of, policy_toml
from enigm_testkit.waivers import WAIVER_TERMS
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.operators import OperatorRole, read_operators, require_able, write_operators
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.strict_json import canonical, sha256

SOURCE = "operators"


def document() -> Any:
    return json.loads(write_operators(operators_of("release")))


def person(document: Any, name: str) -> Any:
    return next(item for item in document["operators"] if item["id"] == name)


def record_of(document: Any, name: str) -> Any:
    return person(document, name)["approval_keys"][0]["record"]


def test_a_registry_reads_back_as_it_was_written() -> None:
    people = operators_of("release")
    assert read_operators(write_operators(people), SOURCE) == people


def of_alice(document: Any) -> None:
    """The key of alice stands for bob too, as another kind of point: one key in two spellings."""
    public = ALICE.key.private.public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    import base64

    body = base64.encodebytes(head + point).decode().replace("\n", "")
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    record = record_of(document, "bob")
    record["key"]["keyval"]["public"] = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    record["keyid"] = sha256(canonical(record["key"]))
    record["spki_sha256"] = sha256(ALICE.key.spki)


def same_record(document: Any) -> None:
    person(document, "bob")["approval_keys"] = person(document, "alice")["approval_keys"]


BREAKS: list[tuple[Callable[[Any], object], str]] = [
    (lambda it: it.update(extra=1), "extra: unknown field"),
    (lambda it: it.update(schema=2), "schema: must be 1"),
    (lambda it: it.update(previous="0" * 64), "previous: the first version has none"),
    (lambda it: it.update(version=2, previous="0" * 64), "first: the first version has none, every other has one"),
    (lambda it: it.update(operators=[]), "operators: must have 1..1000 items"),
    (lambda it: person(it, "bob").update(id="alice"), "operators.id: nobody and nothing stands twice"),
    (lambda it: person(it, "bob").update(roles=["boss"]), "roles[0]: must be one of requester, approver"),
    (lambda it: person(it, "bob").update(roles=["approver", "approver"]), "roles: no item may stand twice"),
    (lambda it: person(it, "bob").update(status="away"), "status: must be one of active, suspended, left"),
    (lambda it: record_of(it, "bob")["token"].update(serial="card of alice"), "approval_keys.device: nobody"),
    (lambda it: record_of(it, "bob").update(purpose="payload"), "record.purpose: must be approval, is payload"),
    (lambda it: record_of(it, "bob").update(environment="production"), "record.environment: must be staging"),
    (lambda it: record_of(it, "bob").update(spki_sha256="0" * 64), "spki_sha256: must be the SHA-256"),
    (
        lambda it: person(it, "bob")["approval_keys"][0].update(valid_until="2026-01-01T00:00:00Z"),
        "valid_until: must lie after valid_from",
    ),
    (
        lambda it: person(it, "bob")["approval_keys"][0].update(valid_until="2100-01-01T00:00:00"),
        "valid_until: must be a time in UTC",
    ),
    (same_record, "approval_keys.spki_sha256: nobody and nothing stands twice"),
    (of_alice, "nobody and nothing stands twice"),
]


@pytest.mark.parametrize(("breaks", "told"), BREAKS)
def test_a_registry_with_one_wrong_thing_is_refused_by_its_field(breaks: Callable[[Any], object], told: str) -> None:
    wrong = document()
    breaks(wrong)
    with pytest.raises(MalformedError) as caught:
        read_operators(json.dumps(wrong).encode(), SOURCE)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it, ""),
        (lambda it: it.replace("approvals = 2", "approvals = 4", 1), "4 asked, 3 active approvers have keys"),
        (lambda it: it.replace('"security"', '"qa"', 1), "no approver of partition qa has a key"),
        (lambda it: it + WAIVER_TERMS, ""),
        (
            lambda it: it + WAIVER_TERMS.replace("approvals = 2", "approvals = 4"),
            "waiver.approvals: 4 asked, 3 active policy-approvers",
        ),
    ],
)
def test_every_quorum_can_be_met_by_who_is_there(change: Callable[[str], str], told: str) -> None:
    policy = read_policy(change(policy_toml("release")).encode(), "policy")
    if not told:
        require_able(policy, operators_of("release"), SOURCE)
        return
    with pytest.raises(MalformedError, match=told):
        require_able(policy, operators_of("release"), SOURCE)


def test_policy_approvers_vote_for_operators() -> None:
    people = registry("release", ALICE.listed("approver"), BOB.listed("approver"), CAROL.listed("approver"))
    with pytest.raises(MalformedError, match=r"actions.operators.approvals: 2 asked, 0 active policy-approvers"):
        require_able(read_policy(policy_toml("release").encode(), "policy"), people, SOURCE)


@pytest.mark.parametrize(("role", "able"), [("auditor", True), ("policy-approver", True), ("approver", False)])
def test_auditors_and_policy_approvers_vote_for_findings(role: OperatorRole, able: bool) -> None:
    people = registry("release", ALICE.listed(), BOB.listed(), CAROL.listed(role))
    three = policy_toml("release").replace("[actions.finding]\napprovals = 2", "[actions.finding]\napprovals = 3")
    if able:
        require_able(read_policy(three.encode(), "policy"), people, SOURCE)
        return
    with pytest.raises(MalformedError, match=r"3 asked, 2 active auditor or policy-approvers have keys"):
        require_able(read_policy(three.encode(), "policy"), people, SOURCE)


def test_whose_key_it_is_is_known_by_its_digest() -> None:
    found = operators_of("release").holder(sha256(BOB.key.spki))
    assert found is not None
    assert (found[0].id, found[1].device) == ("bob", "card of bob")
    assert operators_of("release").holder("0" * 64) is None


def test_the_attestation_is_told_by_its_digest() -> None:
    (key,) = BOB.listed().approval_keys
    assert key.record.attestation == key_record(BOB.key, "approval").attestation
    assert key.attestation_sha256 == sha256(b"")
