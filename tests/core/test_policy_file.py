"""The policy file: TOML read strictly, so that what is misconfigured refuses to start."""

import string
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_testkit.requests import ALICE, BOB, QUORUM, policy_toml
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.policy import read_policy

ALICE_KEY, BOB_KEY = (b64encode(person.key.spki).decode() for person in (ALICE, BOB))


def spelt_otherwise(text: str) -> str:
    """The same bytes: 91 bytes leave four bits of the last letter unused."""
    others = (f"{text[:-3]}{letter}==" for letter in string.ascii_letters + string.digits)
    return next(other for other in others if other != text and b64decode(other) == b64decode(text))


def compressed(public: EllipticCurvePublicKey) -> str:
    """The same key as a compressed point, in a SubjectPublicKeyInfo (RFC 5480)."""
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    return b64encode(head + point).decode()


def test_a_policy_of_either_authority_is_read() -> None:
    assert set(read_policy(policy_toml("release").encode(), "policy").thresholds) == {"root", "payload"}
    assert set(read_policy(policy_toml("manifest").encode(), "policy").expiry) >= {"targets", "snapshot", "manifest"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema = 1", "schema = 1\nforce = true", "force: unknown field"),
        ("schema = 1", "schema = 2", "schema: must be 1, is 2"),
        ("request_hours = 72", "", "request_hours: missing field"),
        ("request_hours = 72", "request_hours = 72\nrequest_hours = 72", "not TOML"),
        ("request_hours = 72", "request_hours = true", "request_hours: must be an integer, is a boolean"),
        ("request_hours = 72", "request_hours = 72.0", "request_hours: must be an integer"),
        ("request_hours = 72", "request_hours = inf", "request_hours: must be an integer"),
        ("request_hours = 72", "request_hours = 0", "request_hours: must lie in"),
        ("\nroot = 2", "\nroot = 0", "thresholds.root: must lie in"),
        ("\nroot = 2", "\ntimestamp = 2", "thresholds.timestamp: must be root, targets"),
        ("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 0", "actions.root.approvals: must lie in"),
        ("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 4", "4 asked, 3 approvers have keys"),
        (
            f"[actions.root]\n{QUORUM}",
            f"[actions.roots]\n{QUORUM}",
            "actions.roots: must be root, recovery, product, release, roles, rollout or",
        ),
        ('security"]\n\n[actions.product]', 'qa"]\n\n[actions.product]', "no approver of partition qa has a key"),
        ("[expiry.root]\nminimum = 1", "[expiry.root]\nminimum = 401", "expiry.root: minimum may not exceed maximum"),
        (f"[actions.release]\n{QUORUM}", "", "actions.release: missing: no rule is left without its numbers"),
        (f"[actions.inventory]\n{QUORUM}", "", "actions.inventory: missing"),
        ("[expiry.payload]\nminimum = 1\nmaximum = 400\n", "", "expiry.payload: missing"),
        ("\npayload = 2", "", "thresholds.payload: missing"),
        ("request_hours = 72", "request_hours = 2026-11-26T12:00:00", "request_hours: must be an integer"),
        ('environment = "staging"', 'environment = "test"', "environment: must be one of"),
        ('id = "bob"', 'id = "alice"', "operators.id: nobody and nothing stands twice"),
        ("card of bob", "card of alice", "operators.approval_keys.device: nobody and nothing stands twice"),
    ],
)
def test_a_policy_with_one_wrong_thing_is_refused_by_its_field(old: str, new: str, told: str) -> None:
    text = policy_toml("release")
    assert old in text
    with pytest.raises(MalformedError) as caught:
        read_policy(text.replace(old, new, 1).encode(), "policy")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (lambda: ALICE_KEY, "public_key: nobody and nothing stands twice"),
        (lambda: spelt_otherwise(ALICE_KEY), "bob.approval_keys.public_key: must be the DER"),
        (lambda: compressed(ALICE.key.private.public_key()), "bob.approval_keys.public_key: must be the DER"),
        (lambda: "AAAA", "bob.approval_keys.public_key: not a public key"),
        (lambda: "AAAAA", "bob.approval_keys.public_key: not a public key"),
    ],
)
def test_one_key_never_stands_for_two_people_however_it_is_spelt(key: Callable[[], str], told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_policy(policy_toml("release").replace(BOB_KEY, key()).encode(), "policy")
    assert told in str(caught.value)


@pytest.mark.parametrize("change", [lambda data: data + b"\xff", lambda data: data + b" " * 2**24])
def test_a_policy_that_is_no_text_or_too_long_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(MalformedError, match="policy"):
        read_policy(change(policy_toml("release").encode()), "policy")
