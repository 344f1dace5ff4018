"""The policy in model ``manifest-only``: one authority, which has a role for each product, and root."""

import pytest

from enigm_testkit.authorities import make_targets
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import (
    MANIFEST,
    manifest,
    manifest_product,
    manifest_release,
    offer,
    one_authority,
    payload_product,
    release,
)
from enigm_tuf.model.value import replace


def test_a_product_and_a_release_pass() -> None:
    assert one_authority(manifest_product()).refused_by() == []
    assert one_authority(manifest_release()).refused_by() == []


def test_what_nobody_vouches_for_is_said() -> None:
    said = one_authority(manifest_release()).said("ARTIFACT-AGREEMENT")
    assert said == "model manifest-only: nobody else vouches for a payload"


def test_a_product_with_a_payload_role_is_refused() -> None:
    scene = one_authority(manifest_product())
    scene.proposals["targets"] = make_targets(scene.cast)
    assert scene.refused_by() == ["META-AUTHORITY", "TRANSITION-TARGETS"]


def offered(index: int) -> Scene:
    """Release 1.1 with this rollback index, in place of 1.0 with index 1."""
    scene = one_authority(manifest_release())
    offer(scene, manifest(replace(release("1.1"), rollback_index=index)))
    return scene


@pytest.mark.parametrize("index", [1, 2])
def test_a_rollback_index_that_does_not_fall_passes(index: int) -> None:
    assert offered(index).refused_by() == []
    assert offered(index).said("ARTIFACT-MONOTONIC") == f"{MANIFEST}: no rollback index below 1"


def test_a_rollback_index_that_falls_is_refused() -> None:
    assert offered(0).refused_by() == ["ARTIFACT-MONOTONIC"]


def test_there_is_no_release_authority_that_could_sign() -> None:
    """Root pins no policy of one, and gives no payload role to anybody."""
    scene = one_authority(payload_product())
    assert scene.refused_by() == ["POLICY-PINNED"]
