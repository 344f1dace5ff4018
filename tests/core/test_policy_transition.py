"""TRANSITION: from the state before to the one proposed, only what the action is for changes."""

from copy import deepcopy

import pytest
from tuf.api.metadata import Delegations, MetaFile, Targets

from enigm_testkit.authorities import make_role, make_snapshot, make_targets, product_role, product_roles
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import (
    MANIFEST,
    NEW_OTA,
    OLD_OTA,
    halt,
    manifest,
    manifest_product,
    manifest_release,
    offer,
    ota,
    payload_product,
    payload_release,
    release,
)
from enigm_tuf.model.value import replace


def second_product() -> Scene:
    """Product ``phone`` is added after product ``tablet``."""
    scene = manifest_product()
    tablet = {
        "tablet.manifest": product_role("tablet.manifest", ["manifests/tablet/*"], scene.cast.manifest, 1),
        "tablet.payload": product_role("tablet.payload", ["payloads/tablet/*/*"], scene.cast.payload, 2),
    }
    before = {"targets": 1, "tablet.manifest": 4, "tablet.payload": 4}
    after = before | {"targets": 2, "phone.manifest": 1, "phone.payload": 1}
    scene.before = {"targets": make_targets(scene.cast, tablet), "snapshot": make_snapshot(before, 8)}
    scene.proposals |= {
        "targets": make_targets(scene.cast, deepcopy(tablet) | product_roles(scene.cast)),
        "snapshot": make_snapshot(after, 9),
    }
    scene.targets("targets").version = 2
    return scene


def delegations_of(targets: Targets) -> Delegations:
    assert targets.delegations is not None
    return targets.delegations


@pytest.mark.rule("TRANSITION-TARGETS", "accept")
def test_a_second_product_beside_the_first_passes() -> None:
    assert second_product().refused_by() == []
    assert second_product().said("TRANSITION-TARGETS") == "gains phone.manifest, phone.payload"


@pytest.mark.rule("TRANSITION-TARGETS", "reject")
def test_another_products_role_that_goes_is_refused() -> None:
    scene = second_product()
    roles = delegations_of(scene.targets("targets")).roles
    assert roles is not None
    del roles["tablet.payload"]
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_another_products_role_that_changes_is_refused() -> None:
    scene = second_product()
    roles = delegations_of(scene.targets("targets")).roles
    assert roles is not None
    roles["tablet.manifest"].threshold = 2
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_another_key_under_the_same_keyid_is_refused() -> None:
    """Roles name keyids: no role changes here, but the keys behind two of them change places."""
    scene = second_product()
    one, other = (signer.public_key for signer in scene.cast.manifest)
    keys = delegations_of(scene.targets("targets")).keys
    keys[one.keyid], keys[other.keyid] = other, one
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_one_role_of_a_product_without_the_other_is_refused() -> None:
    scene = second_product()
    roles = delegations_of(scene.targets("targets")).roles
    assert roles is not None
    del roles["phone.payload"]
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_a_field_that_targets_gains_is_refused() -> None:
    scene = second_product()
    scene.targets("targets").unrecognized_fields["x-other"] = 1
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


@pytest.mark.rule("TRANSITION-PRODUCT", "accept")
def test_a_product_role_starts_empty_and_then_gains() -> None:
    assert payload_product().said("TRANSITION-PRODUCT") == "phone.payload starts empty"
    assert payload_release().said("TRANSITION-PRODUCT") == f"phone.payload gains {NEW_OTA}"
    assert manifest_release().said("TRANSITION-PRODUCT") == f"phone.manifest has a new {MANIFEST}"


@pytest.mark.rule("TRANSITION-PRODUCT", "reject")
def test_a_payload_that_goes_is_refused() -> None:
    scene = payload_release()
    del scene.targets("phone.payload").targets[OLD_OTA]
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_payload_that_changes_is_refused() -> None:
    scene = payload_release()
    scene.targets("phone.payload").targets[OLD_OTA].length += 1
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_payload_role_that_gains_nothing_is_refused() -> None:
    scene = payload_release()
    del scene.targets("phone.payload").targets[NEW_OTA]
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_product_role_that_starts_with_a_payload_is_refused() -> None:
    scene = payload_product()
    scene.targets("phone.payload").targets[OLD_OTA] = ota("1.0")
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_manifest_that_goes_is_refused() -> None:
    scene = manifest_release()
    del scene.targets("phone.manifest").targets[MANIFEST]
    scene.manifests, scene.earlier = {}, {}
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_release_that_changes_no_manifest_is_refused() -> None:
    scene = halt()
    offer(scene, manifest(release("1.0")))
    scene.earlier = {}
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_release_on_two_channels_at_once_is_refused() -> None:
    scene = manifest_release()
    offer(scene, manifest(release("1.1"), release("1.0")), "beta")
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


@pytest.mark.rule("TRANSITION-SNAPSHOT", "accept")
def test_a_snapshot_that_moves_the_roles_of_this_request_passes() -> None:
    assert "phone.manifest.json {'version': 3}" in manifest_release().said("TRANSITION-SNAPSHOT")
    assert halt().refused_by() == []


@pytest.mark.rule("TRANSITION-SNAPSHOT", "reject")
@pytest.mark.parametrize(
    ("name", "version"),
    [("tablet.payload.json", 5), ("tablet.payload.json", 3), ("phone.manifest.json", 4), ("phone.payload.json", 2)],
)
def test_a_snapshot_with_one_other_version_is_refused(name: str, version: int) -> None:
    scene = manifest_release()
    scene.snapshot.meta[name] = MetaFile(version)
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT"]


def test_a_snapshot_that_forgets_a_role_is_refused() -> None:
    scene = manifest_release()
    del scene.snapshot.meta["tablet.payload.json"]
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT"]


def test_a_snapshot_that_gains_a_role_is_refused() -> None:
    scene = manifest_release()
    scene.snapshot.meta["tablet.manifest.json"] = MetaFile(1)
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT"]


def test_a_snapshot_that_pins_a_hash_which_nobody_can_know_is_refused() -> None:
    scene = manifest_release()
    scene.snapshot.meta["phone.manifest.json"] = MetaFile(3, hashes={"sha256": "0" * 64})
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT"]


def test_a_payload_role_that_does_not_grow_is_refused() -> None:
    scene = manifest_release()
    scene.others["phone.payload"].version = 2
    scene.snapshot.meta["phone.payload.json"] = MetaFile(2)
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT"]


@pytest.mark.parametrize("role", ["tablet.payload", "phone.manifest", "targets"])
def test_evidence_cannot_move_another_role(role: str) -> None:
    scene = manifest_release()
    scene.others[role] = make_role({}, 9)
    scene.snapshot.meta[f"{role}.json"] = MetaFile(9)
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT"]


def test_the_rollout_alone_may_change() -> None:
    scene = halt()
    old = release("1.0")
    offer(scene, manifest(replace(old, mandatory=True, release_notes="Now!")))
    assert scene.refused_by() == []
