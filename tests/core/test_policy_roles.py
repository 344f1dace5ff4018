"""Action ``roles``: what a new root changed the keys of is signed anew, with what it held and nothing else."""

from collections.abc import Callable

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, MetaFile

from enigm_testkit.authorities import (
    keyids,
    make_role,
    make_targets,
    new_signer,
    product_role,
    product_roles,
)
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import (
    MANIFEST,
    NEW_OTA,
    OLD_OTA,
    adopted_payloads,
    listed,
    manifest,
    manifest_roles,
    one_authority,
    ota,
    payload_roles,
    release,
)
from enigm_tuf.model.manifest import write_manifest
from enigm_tuf.policy.difference import difference


@pytest.mark.parametrize("make", [manifest_roles, payload_roles, adopted_payloads])
def test_roles_that_are_signed_anew_pass_every_rule(make: Callable[[], Scene]) -> None:
    assert make().refused_by() == []


def test_what_each_rule_says_of_them() -> None:
    scene = manifest_roles()
    assert scene.said("META-ROLES") == "phone.manifest, snapshot, targets"
    assert scene.said("TRANSITION-TARGETS") == "2 delegations with the keys of root version 1"
    assert scene.said("TRANSITION-PRODUCT") == "phone.manifest keeps its 1 targets"
    assert scene.said("ARTIFACT-MANIFEST") == "1 manifests"
    assert scene.said("ARTIFACT-AGREEMENT") == "1 payloads agreed"
    assert adopted_payloads().said("TRANSITION-PRODUCT") == "phone.payload starts with the 1 payloads that are offered"
    assert any("~ delegation phone.manifest" in line for line in difference(scene.question()))


def delegations(scene: Scene) -> Delegations:
    found = scene.targets("targets").delegations
    assert found is not None
    return found


def delegated(scene: Scene, role: str) -> DelegatedRole:
    roles = delegations(scene).roles
    assert roles is not None
    return roles[role]


# --- which roles ---


def test_the_manifest_authority_signs_no_payload_role() -> None:
    scene = manifest_roles()
    scene.proposals["phone.payload"] = make_role({OLD_OTA: ota("1.0")}, 3)
    assert "META-ROLES" in scene.refused_by()


def test_a_snapshot_is_among_what_the_manifest_authority_signs() -> None:
    scene = manifest_roles()
    del scene.proposals["snapshot"]
    assert scene.refused_by() == ["META-ROLES"]


def test_the_release_authority_signs_payload_roles_only() -> None:
    scene = payload_roles()
    scene.proposals["phone.manifest"] = make_role({})
    assert "META-ROLES" in scene.refused_by()


# --- delegations ---


@pytest.mark.parametrize("role", ["phone.manifest", "phone.payload"])
def test_a_delegation_that_keeps_a_key_which_root_gave_up_is_refused(role: str) -> None:
    scene = manifest_roles()
    old = new_signer().public_key
    delegated(scene, role).keyids.append(old.keyid)
    delegations(scene).keys[old.keyid] = old
    assert scene.refused_by() == ["META-AUTHORITY", "TRANSITION-TARGETS"]


def test_a_delegation_with_fewer_keys_than_root_gives_it_is_refused() -> None:
    scene = manifest_roles()
    delegated(scene, "phone.manifest").keyids.pop()
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_a_delegation_with_another_threshold_than_roots_is_refused() -> None:
    scene = manifest_roles()
    delegated(scene, "phone.manifest").threshold = 2
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_a_key_of_no_role_is_refused() -> None:
    scene = manifest_roles()
    stray = new_signer().public_key
    delegations(scene).keys[stray.keyid] = stray
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_a_product_that_comes_or_goes_is_refused() -> None:
    scene = manifest_roles()
    roles = delegations(scene).roles
    assert roles is not None
    roles["tablet.manifest"] = product_role("tablet.manifest", ["manifests/tablet/*"], scene.cast.manifest, 1)
    assert scene.refused_by() == ["TRANSITION-TARGETS"]
    del roles["tablet.manifest"], roles["phone.payload"]
    assert "TRANSITION-TARGETS" in scene.refused_by()


def test_a_field_that_a_delegation_gains_is_refused() -> None:
    scene = manifest_roles()
    delegated(scene, "phone.manifest").unrecognized_fields["x-more"] = 1
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_a_field_that_targets_gains_is_refused() -> None:
    scene = manifest_roles()
    scene.targets("targets").unrecognized_fields["x-more"] = 1
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


def test_first_targets_are_no_roles_signed_anew() -> None:
    scene = manifest_roles()
    del scene.before["targets"]
    scene.targets("targets").version = 1
    assert "TRANSITION-TARGETS" in scene.refused_by()


def test_a_migration_gives_each_product_its_payload_role_and_without_it_is_refused() -> None:
    scene = manifest_roles()
    roles = product_roles(scene.cast)
    scene.before["targets"] = make_targets(scene.cast, {"phone.manifest": roles["phone.manifest"]})
    assert scene.refused_by() == []
    found = delegations(scene).roles
    assert found is not None
    del found["phone.payload"]
    delegations(scene).keys = {
        keyid: key for keyid, key in delegations(scene).keys.items() if keyid in keyids(scene.cast.manifest)
    }
    assert scene.refused_by() == ["TRANSITION-TARGETS"]


# --- content ---


@pytest.mark.parametrize("make", [manifest_roles, payload_roles])
def test_a_role_that_gains_something_is_refused(make: Callable[[], Scene]) -> None:
    scene = make()
    role = "phone.manifest" if scene.authority == "manifest" else "phone.payload"
    path = "manifests/phone/beta.json" if scene.authority == "manifest" else NEW_OTA
    scene.targets(role).targets[path] = listed(path, b"other") if scene.authority == "manifest" else ota("1.1")
    assert "TRANSITION-PRODUCT" in scene.refused_by()


@pytest.mark.parametrize("make", [manifest_roles, payload_roles])
def test_a_role_that_loses_something_is_refused(make: Callable[[], Scene]) -> None:
    scene = make()
    role = "phone.manifest" if scene.authority == "manifest" else "phone.payload"
    scene.targets(role).targets.clear()
    assert "TRANSITION-PRODUCT" in scene.refused_by()


def test_a_field_that_a_role_gains_is_refused() -> None:
    scene = payload_roles()
    scene.targets("phone.payload").unrecognized_fields["x-more"] = 1
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_manifest_role_cannot_start_like_this() -> None:
    scene = manifest_roles()
    del scene.before["phone.manifest"]
    scene.targets("phone.manifest").version = 1
    assert "TRANSITION-PRODUCT" in scene.refused_by()


def _other_record(scene: Scene) -> None:
    scene.targets("phone.payload").targets[OLD_OTA] = ota("1.0", rollback_index=9)


def _nothing_offered(scene: Scene) -> None:
    scene.manifests = {}


def _offered_and_left_out(scene: Scene) -> None:
    scene.manifests[MANIFEST] = write_manifest(manifest(release("1.1"), release("1.0")))


def test_payloads_are_adopted_under_the_root_that_makes_the_release_authority_and_under_no_other() -> None:
    """At any other time they come with a release, and with what a policy demands of one."""
    scene = adopted_payloads()
    dual = payload_roles().root_file()
    for members in ({}, {"context/root/1.root.json": dual}):
        scene.members = members
        assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_role_that_targets_does_not_delegate_to_is_moved_by_no_snapshot() -> None:
    scene = manifest_roles()
    scene.others = {"evil.payload": make_role({})}
    scene.snapshot.meta["evil.payload.json"] = MetaFile(1)
    assert scene.refused_by() == ["TRANSITION-SNAPSHOT", "ARTIFACT-MANIFEST"]


@pytest.mark.parametrize("change", [_other_record, _nothing_offered, _offered_and_left_out])
def test_an_adopted_payload_role_lists_what_the_manifests_offer_and_nothing_else(
    change: Callable[[Scene], None],
) -> None:
    scene = adopted_payloads()
    change(scene)
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


# --- snapshot, and what the other authority signs anew ---


def test_a_snapshot_moves_payload_roles_of_any_product_that_are_shown() -> None:
    scene = manifest_roles()
    scene.others = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 3)}
    scene.snapshot.meta["phone.payload.json"] = MetaFile(3)
    assert scene.refused_by() == []


def test_a_payload_role_that_drops_what_a_manifest_offers_gets_no_snapshot() -> None:
    """The manifest authority's veto: it would sign that its release cannot be installed."""
    scene = manifest_roles()
    scene.others = {"phone.payload": make_role({}, 3)}
    scene.context = {}
    scene.snapshot.meta["phone.payload.json"] = MetaFile(3)
    assert scene.refused_by() == ["ARTIFACT-AGREEMENT"]


def test_the_manifests_that_are_shown_are_those_that_the_authority_signed_last() -> None:
    scene = manifest_roles()
    del scene.proposals["phone.manifest"]
    scene.others = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 3)}
    scene.snapshot.meta |= {"phone.manifest.json": MetaFile(2), "phone.payload.json": MetaFile(3)}
    assert scene.refused_by() == []
    scene.ledger = {"heads": {role: head for role, head in scene.heads().items() if role != "phone.manifest"}}
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


def test_roles_are_signed_anew_in_model_manifest_only_too() -> None:
    scene = one_authority(manifest_roles())
    assert scene.refused_by() == []
    assert scene.said("ARTIFACT-AGREEMENT") == "model manifest-only: nobody else vouches for a payload"
