"""RETIRE-ONLY and RETIRE-SHOWN: a product ends whole, alone and in sight, and comes back where it stopped."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from tuf.api.metadata import DelegatedRole

from enigm_testkit.authorities import make_role, make_snapshot, make_targets, product_role, product_roles
from enigm_testkit.requests import QUORUM, Scene
from enigm_testkit.scenes import MANIFEST, OLD_OTA, listed, manifest, manifest_product, ota, payload_product, release
from enigm_tuf.model.manifest import write_manifest
from enigm_tuf.policy.difference import difference


def retirement() -> Scene:
    """Product ``phone`` offers 1.0 and ends; ``tablet`` goes on."""
    scene = manifest_product()
    scene.action, scene.others = "retire", {}
    scene.replace_policy("[thresholds]", f"[actions.retire]\n{QUORUM}\n[thresholds]")
    tablet = {
        "tablet.manifest": product_role("tablet.manifest", ["manifests/tablet/*"], scene.cast.manifest, 1),
        "tablet.payload": product_role("tablet.payload", ["payloads/tablet/*/*"], scene.cast.payload, 2),
    }
    scene.earlier = {MANIFEST: write_manifest(manifest(release("1.0")))}
    versions = {"phone.manifest": 3, "phone.payload": 3, "tablet.manifest": 4, "tablet.payload": 4}
    scene.before = {
        "targets": make_targets(scene.cast, deepcopy(tablet) | product_roles(scene.cast)),
        "snapshot": make_snapshot({"targets": 1, **versions}, 8),
        "phone.manifest": make_role({MANIFEST: listed(MANIFEST, scene.earlier[MANIFEST])}, 3),
    }
    scene.proposals = {
        "targets": make_targets(scene.cast, tablet),
        "snapshot": make_snapshot({"targets": 2, **versions}, 9),
    }
    scene.targets("targets").version = 2
    return scene


def returned() -> Scene:
    """Product ``phone`` was retired, and is added again."""
    scene = manifest_product()
    old = scene.targets("targets")
    roles = old.delegations.roles if old.delegations else None
    assert roles
    versions = {"phone.manifest": 3, "phone.payload": 3}
    scene.before = {
        "targets": make_targets(scene.cast, {}),
        "phone.manifest": make_role({MANIFEST: listed(MANIFEST, write_manifest(manifest(release("1.0"))))}, 3),
        "snapshot": make_snapshot({"targets": 2, **versions}, 9),
    }
    scene.before["targets"].version = 2
    old.version = 3
    scene.proposals |= {
        "phone.manifest": make_role({}, 4),
        "snapshot": make_snapshot({"targets": 3, "phone.manifest": 4, "phone.payload": 4}, 10),
    }
    scene.others = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 4)}
    return scene


def payloads_returned() -> Scene:
    """The same, as the release authority is asked."""
    scene = payload_product()
    scene.before = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 3)}
    scene.proposals = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 4)}
    return scene


@pytest.mark.rule("RETIRE-ONLY", "accept")
@pytest.mark.rule("RETIRE-SHOWN", "accept")
def test_a_product_that_ends_whole_and_in_sight_passes_every_rule() -> None:
    assert retirement().refused_by() == []
    assert retirement().said("META-ROLES") == "snapshot, targets"
    assert retirement().said("RETIRE-ONLY") == "phone.manifest, phone.payload of 4 delegations"
    assert retirement().said("RETIRE-SHOWN") == MANIFEST


def test_who_agrees_reads_what_ends() -> None:
    told = "\n".join(difference(retirement().question()))
    assert "- delegation phone.manifest" in told
    assert "- delegation phone.payload" in told
    assert f"{MANIFEST}: - release 1.0" in told
    assert "tablet" not in told


def _half(scene: Scene) -> None:
    roles = _roles(scene)
    roles["phone.payload"] = product_roles(scene.cast)["phone.payload"]


def _another_too(scene: Scene) -> None:
    roles = _roles(scene)
    del roles["tablet.manifest"], roles["tablet.payload"]


def _none(scene: Scene) -> None:
    _roles(scene).update(product_roles(scene.cast))


def _another_changed(scene: Scene) -> None:
    _roles(scene)["tablet.payload"].keyids.reverse()


def _another_gained(scene: Scene) -> None:
    _roles(scene)["watch.manifest"] = product_role("watch.manifest", ["manifests/watch/*"], scene.cast.manifest, 1)


def _another_key(scene: Scene) -> None:
    one, other = (signer.public_key for signer in scene.cast.manifest)
    delegations = scene.targets("targets").delegations
    assert delegations
    delegations.keys[one.keyid], delegations.keys[other.keyid] = other, one


def _other_field(scene: Scene) -> None:
    scene.targets("targets").unrecognized_fields["x-other"] = 1


def _roles(scene: Scene) -> dict[str, DelegatedRole]:
    delegations = scene.targets("targets").delegations
    assert delegations is not None
    assert delegations.roles is not None
    return delegations.roles


@pytest.mark.rule("RETIRE-ONLY", "reject")
@pytest.mark.parametrize("change", [_half, _another_changed, _another_gained, _another_key, _other_field])
def test_anything_else_that_changes_with_it_is_refused(change: Callable[[Scene], None]) -> None:
    scene = retirement()
    change(scene)
    assert scene.refused_by() == ["RETIRE-ONLY"]


def test_two_products_at_once_are_refused() -> None:
    scene = retirement()
    _another_too(scene)
    assert scene.refused_by()[0] == "RETIRE-ONLY"


def test_a_retirement_of_nothing_is_refused() -> None:
    scene = retirement()
    _none(scene)
    assert scene.refused_by() == ["RETIRE-ONLY", "RETIRE-SHOWN"]


def _hidden(scene: Scene) -> None:
    scene.earlier = {}


def _other_bytes(scene: Scene) -> None:
    scene.earlier = {MANIFEST: write_manifest(manifest(release("1.1")))}


def _one_more(scene: Scene) -> None:
    scene.earlier["manifests/phone/beta.json"] = scene.earlier[MANIFEST]


def _older_role(scene: Scene) -> None:
    scene.context = {"phone.manifest": make_role({}, 2)}


@pytest.mark.rule("RETIRE-SHOWN", "reject")
@pytest.mark.parametrize("change", [_hidden, _other_bytes, _one_more, _older_role])
def test_a_release_that_ends_unseen_is_refused(change: Callable[[Scene], None]) -> None:
    scene = retirement()
    change(scene)
    assert scene.refused_by() == ["RETIRE-SHOWN"]


def test_no_other_action_takes_a_product_away() -> None:
    scene = retirement()
    scene.action = "product"
    assert "TRANSITION-TARGETS" in scene.refused_by()


def test_a_policy_without_the_action_lets_nothing_end() -> None:
    scene = retirement()
    scene.replace_policy(f"[actions.retire]\n{QUORUM}\n", "")
    assert "REQUEST-SCOPE" in scene.refused_by()


def test_the_release_authority_has_nothing_to_sign_for_it() -> None:
    scene = payload_product()
    scene.action = "retire"
    scene.replace_policy("[thresholds]", f"[actions.retire]\n{QUORUM}\n[thresholds]")
    assert "META-ROLES" in scene.refused_by()


def test_a_product_that_comes_back_starts_where_it_stopped_and_offers_nothing() -> None:
    assert returned().refused_by() == []
    assert payloads_returned().refused_by() == []
    told = payloads_returned().said("TRANSITION-PRODUCT")
    assert told == "phone.payload goes on with the 1 payloads that it held"


def test_a_product_that_comes_back_without_its_payloads_is_refused() -> None:
    """An empty payload role has no version that the next one must be above."""
    scene = payloads_returned()
    del scene.targets("phone.payload").targets[OLD_OTA]
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def test_a_product_that_comes_back_with_an_offer_is_refused() -> None:
    scene = returned()
    old = scene.before["phone.manifest"].targets[MANIFEST]  # type: ignore[union-attr]
    scene.targets("phone.manifest").targets[MANIFEST] = old
    scene.manifests = {MANIFEST: write_manifest(manifest(release("1.0")))}
    assert "TRANSITION-PRODUCT" in scene.refused_by()
