"""ARTIFACT-RETAINED: a manifest keeps its releases as they were, and gains only newer ones."""

from typing import Any

import pytest

from enigm_testkit.requests import Scene
from enigm_testkit.scenes import (
    MANIFEST,
    halt,
    listed,
    manifest,
    manifest_release,
    offer,
    ota,
    release,
)
from enigm_tuf.model.manifest import Release, write_manifest
from enigm_tuf.model.value import replace


@pytest.mark.rule("ARTIFACT-RETAINED", "accept")
@pytest.mark.parametrize("versions", [["1.1"], ["1.1", "1.0"]])
def test_a_newer_release_in_front_passes(versions: list[str]) -> None:
    scene = manifest_release()
    offer(scene, manifest(*map(release, versions)))
    assert scene.refused_by() == []
    assert scene.said("ARTIFACT-RETAINED") == MANIFEST


def after_two(*releases: Release) -> Scene:
    """The manifest held 1.1 and 1.0; now it shall hold ``releases``."""
    scene = halt()
    scene.others = manifest_release().others
    scene.context["phone.payload"] = scene.others.pop("phone.payload")
    scene.earlier = {MANIFEST: write_manifest(manifest(release("1.1"), release("1.0")))}
    before = scene.before["phone.manifest"]
    before.targets[MANIFEST] = listed(MANIFEST, scene.earlier[MANIFEST])  # type: ignore[union-attr]
    offer(scene, manifest(*releases))
    return scene


def test_a_release_that_is_halted_stays() -> None:
    newest = release("1.1")
    halted = replace(newest, rollout=replace(newest.rollout, halted=True))
    assert after_two(halted, release("1.0")).refused_by() == []


@pytest.mark.rule("ARTIFACT-RETAINED", "reject")
def test_a_manifest_without_its_newest_release_is_refused() -> None:
    assert after_two(release("1.0")).refused_by() == ["ARTIFACT-RETAINED"]


def test_a_manifest_without_any_release_is_refused() -> None:
    assert after_two().refused_by() == ["ARTIFACT-RETAINED"]


def test_an_old_release_that_comes_back_is_refused() -> None:
    scene = after_two(release("1.1"), release("1.0"), release("0.9"))
    scene.context["phone.payload"].targets["payloads/phone/0.9/ota.zip"] = ota("0.9")  # type: ignore[union-attr]
    assert scene.refused_by() == ["ARTIFACT-RETAINED"]


@pytest.mark.parametrize(
    "change", [{"minimum_client": "0.2"}, {"security_patch_level": "2026-11-06"}, {"applicable_from": "1.0"}]
)
def test_a_release_that_changes_under_its_version_is_refused(change: dict[str, Any]) -> None:
    assert after_two(replace(release("1.1"), **change), release("1.0")).refused_by() == ["ARTIFACT-RETAINED"]


def test_a_manifest_that_does_not_show_what_it_replaces_is_refused() -> None:
    scene = manifest_release()
    scene.earlier = {}
    assert scene.refused_by() == ["ARTIFACT-RETAINED"]


def test_a_replaced_manifest_that_is_not_the_one_signed_is_refused() -> None:
    scene = manifest_release()
    scene.earlier[MANIFEST] = write_manifest(manifest())
    assert "ARTIFACT-RETAINED" in scene.refused_by()


def test_a_manifest_that_replaces_nothing_may_not_be_shown_as_replaced() -> None:
    """It would hide from the difference what is new."""
    scene = manifest_release()
    scene.earlier["manifests/phone/beta.json"] = write_manifest(manifest())
    assert scene.refused_by() == ["ARTIFACT-RETAINED"]
