"""META: the metadata is this authority's to sign, lives neither too short nor too long, and weakens nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from enigm_testkit.authorities import NOW, keyids, make_role, manifest_only_extension, new_signer, product_role
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import (
    first_root,
    halt,
    manifest_product,
    manifest_release,
    next_root,
    payload_product,
    payload_release,
    root_of_one_authority,
)
from enigm_tuf.model.root_extension import FIELD, PolicyPin

SECOND = timedelta(seconds=1)
EVERY_SCENE = [first_root, next_root, payload_product, manifest_product, payload_release, manifest_release, halt]


@pytest.mark.parametrize("make", EVERY_SCENE)
def test_every_action_passes_every_rule(make: Callable[[], Scene]) -> None:
    assert make().refused_by() == []


@pytest.mark.rule("META-ROLES", "accept")
@pytest.mark.parametrize(
    ("make", "roles"),
    [
        (first_root, "root"),
        (payload_product, "phone.payload"),
        (manifest_product, "phone.manifest, snapshot, targets"),
        (payload_release, "phone.payload"),
        (manifest_release, "phone.manifest, snapshot"),
    ],
)
def test_each_authority_signs_its_own_roles_for_an_action(make: Callable[[], Scene], roles: str) -> None:
    assert make().said("META-ROLES") == roles


@pytest.mark.rule("META-ROLES", "reject")
def test_a_role_too_few_is_refused() -> None:
    scene = manifest_release()
    del scene.proposals["snapshot"]
    assert scene.refused_by() == ["META-ROLES"]


def test_a_role_of_a_second_product_is_refused() -> None:
    scene = payload_product()
    scene.proposals["tablet.payload"] = make_role({})
    assert scene.refused_by() == ["META-ROLES"]


def test_a_role_of_the_other_authority_is_refused() -> None:
    scene = payload_product()
    scene.proposals = {"phone.manifest": scene.proposals["phone.payload"]}
    assert scene.refused_by() == ["META-ROLES", "META-EXPIRY"]


@pytest.mark.rule("META-EXPIRY", "accept")
@pytest.mark.parametrize("life", [timedelta(days=1), timedelta(days=400)])
def test_metadata_may_expire_at_either_bound(life: timedelta) -> None:
    scene = payload_release()
    scene.proposals["phone.payload"].expires = NOW + life
    assert scene.refused_by() == []


@pytest.mark.rule("META-EXPIRY", "reject")
@pytest.mark.parametrize("life", [timedelta(days=1) - SECOND, timedelta(days=400) + SECOND])
def test_metadata_that_expires_a_second_beyond_a_bound_is_refused(life: timedelta) -> None:
    scene = payload_release()
    scene.proposals["phone.payload"].expires = NOW + life
    assert scene.refused_by() == ["META-EXPIRY"]


def test_a_kind_of_role_without_bounds_in_the_policy_is_refused() -> None:
    scene = root_of_one_authority()
    scene.replace_policy("[expiry.root]\nminimum = 1\nmaximum = 400\n", "")
    assert scene.refused_by() == ["META-EXPIRY"]


@pytest.mark.rule("META-THRESHOLD", "accept")
@pytest.mark.parametrize("make", [first_root, manifest_product])
def test_thresholds_at_the_policys_pass(make: Callable[[], Scene]) -> None:
    assert "1" in make().said("META-THRESHOLD")
    assert make().refused_by() == []


@pytest.mark.rule("META-THRESHOLD", "reject")
@pytest.mark.parametrize(
    ("make", "old", "new"),
    [
        (first_root, "root = 2", "root = 3"),
        (first_root, "payload = 2", "payload = 3"),
        (manifest_product, "manifest = 1", "manifest = 2"),
    ],
)
def test_a_threshold_below_the_policys_is_refused(make: Callable[[], Scene], old: str, new: str) -> None:
    scene = make()
    scene.replace_policy(f"\n{old}", f"\n{new}")
    assert scene.refused_by() == ["META-THRESHOLD"]


def test_a_policy_that_says_nothing_of_a_threshold_refuses() -> None:
    scene = root_of_one_authority()
    scene.replace_policy("\nroot = 1", "")
    assert scene.refused_by() == ["META-THRESHOLD"]


@pytest.mark.rule("META-AUTHORITY", "accept")
def test_a_root_and_targets_that_break_no_rule_of_the_authorities_pass() -> None:
    assert "MODEL-RATCHET" in next_root().said("META-AUTHORITY")
    assert "AUTHORITY-ROLES" in manifest_product().said("META-AUTHORITY")


@pytest.mark.rule("META-AUTHORITY", "reject")
def test_a_root_with_a_manifest_key_among_its_own_is_refused() -> None:
    scene = first_root()
    scene.new_root.roles["root"].keyids[2] = keyids(scene.cast.manifest)[0]
    assert scene.refused_by() == ["META-AUTHORITY", "TRANSITION-ROOT"]
    assert scene.said("META-AUTHORITY").startswith("AUTHORITY-ROLES")


def test_a_delegation_to_a_payload_signer_of_ones_own_is_refused() -> None:
    scene, own = manifest_product(), [new_signer(), new_signer()]
    delegations = scene.targets("targets").delegations
    assert delegations is not None
    assert delegations.roles is not None
    delegations.roles["phone.payload"] = product_role("phone.payload", ["payloads/phone/*/*"], own, 2)
    delegations.keys |= {signer.public_key.keyid: signer.public_key for signer in own}
    assert scene.refused_by() == ["META-AUTHORITY"]
    assert scene.said("META-AUTHORITY").startswith("PAYLOAD-PINNED")


def test_a_delegation_to_a_key_that_is_not_there_is_refused() -> None:
    scene = manifest_product()
    delegations = scene.targets("targets").delegations
    assert delegations is not None
    del delegations.keys[keyids(scene.cast.payload)[0]]
    assert scene.refused_by() == ["META-AUTHORITY"]


def test_a_root_that_goes_back_to_one_authority_is_refused() -> None:
    scene = next_root()
    scene.new_root.unrecognized_fields[FIELD] = manifest_only_extension(scene.cast)
    scene.new_root.roles["root"].keyids = keyids(scene.cast.manifest)
    assert "META-AUTHORITY" in scene.refused_by()


def test_a_second_root_is_refused_while_none_is_trusted() -> None:
    """It would be judged by itself alone."""
    scene = next_root()
    scene.root = None
    assert scene.refused_by() == ["META-AUTHORITY"]


@pytest.mark.parametrize("make", [payload_release, manifest_release])
def test_nothing_but_the_first_root_is_signed_while_no_root_is_trusted(make: Callable[[], Scene]) -> None:
    scene = make()
    scene.root = None
    assert scene.refused_by() == ["META-AUTHORITY", "POLICY-PINNED"]


@pytest.mark.rule("POLICY-PINNED", "accept")
@pytest.mark.parametrize("make", [first_root, payload_release, manifest_release])
def test_a_policy_that_root_pins_passes(make: Callable[[], Scene]) -> None:
    assert make().said("POLICY-PINNED") == "root version 1 pins policy version 1"


@pytest.mark.rule("POLICY-PINNED", "reject")
@pytest.mark.parametrize("make", [first_root, payload_release, manifest_release])
def test_a_policy_that_root_does_not_pin_is_refused(make: Callable[[], Scene]) -> None:
    scene = make()
    scene.pin = PolicyPin(1, "0" * 64)
    assert scene.refused_by() == ["POLICY-PINNED"]


def exchanging(adopted: frozenset[str] | None) -> Scene:
    """The next root pins another policy of the release authority, which adopted those."""
    scene = next_root()
    scene.next_pin = PolicyPin(2, "c" * 64)
    scene.ledger["policies"] = adopted
    return scene


@pytest.mark.rule("POLICY-APPROVED", "accept")
def test_a_root_may_pin_an_adopted_policy() -> None:
    assert exchanging(frozenset({"c" * 64})).refused_by() == []
    assert next_root().said("POLICY-APPROVED") == "the policy stays"


@pytest.mark.rule("POLICY-APPROVED", "reject")
def test_a_root_that_pins_a_policy_that_nobody_adopted_is_refused() -> None:
    assert exchanging(frozenset()).refused_by() == ["POLICY-APPROVED"]
    assert exchanging(frozenset({"d" * 64})).refused_by() == ["POLICY-APPROVED"]


def test_lint_says_that_the_authority_must_have_adopted_it() -> None:
    assert exchanging(None).refused_by() == []
    assert "which the authority must have adopted" in exchanging(None).said("POLICY-APPROVED")
