"""ARTIFACT: every target is where it belongs, fully hashed, described, newer than all before, and agreed on."""

from typing import Any

import pytest

from enigm_testkit.requests import Scene
from enigm_testkit.scenes import (
    MANIFEST,
    NEW_OTA,
    OLD_OTA,
    halt,
    listed,
    manifest,
    manifest_release,
    offer,
    ota,
    payload_product,
    payload_release,
    release,
)
from enigm_tuf.model.manifest import write_manifest
from enigm_tuf.model.value import replace


def with_payload(path: str, version: str = "1.1", **changes: Any) -> Scene:
    """The release request, whose new payload has another path or record."""
    scene = payload_release()
    targets = scene.targets("phone.payload").targets
    del targets[NEW_OTA]
    targets[path] = ota(version, **changes)
    targets[path].path = path
    return scene


@pytest.mark.rule("ARTIFACT-PATHS", "accept")
def test_targets_below_their_product_pass() -> None:
    assert payload_release().said("ARTIFACT-PATHS") == "2 targets"
    assert manifest_release().said("ARTIFACT-PATHS") == "1 targets"
    assert payload_product().said("ARTIFACT-PATHS") == "not part of this action"


@pytest.mark.rule("ARTIFACT-PATHS", "reject")
def test_a_target_without_its_sha256_is_refused() -> None:
    scene = payload_release()
    del scene.targets("phone.payload").targets[NEW_OTA].hashes["sha256"]
    assert scene.refused_by() == ["ARTIFACT-PATHS"]


@pytest.mark.parametrize("hashes", [{"md5": "0" * 32}, {"sha256": "x"}, {"sha512": "A" * 128}])
def test_a_hash_of_another_kind_or_shape_is_refused(hashes: dict[str, str]) -> None:
    scene = payload_release()
    scene.targets("phone.payload").targets[NEW_OTA].hashes |= hashes
    assert scene.refused_by() == ["ARTIFACT-PATHS"]


def test_a_payload_of_no_bytes_is_refused() -> None:
    scene = payload_release()
    scene.targets("phone.payload").targets[NEW_OTA].length = 0
    assert scene.refused_by() == ["ARTIFACT-PATHS"]


@pytest.mark.parametrize(
    "path",
    [
        "payloads/tablet/1.1/ota.zip",
        "payloads/phone/1.1/a/ota.zip",
        "payloads/phone/1.1",
        "images/phone/1.1/ota.zip",
        "x",
    ],
)
def test_a_payload_at_another_place_is_refused(path: str) -> None:
    assert with_payload(path).refused_by() == ["ARTIFACT-PATHS", "ARTIFACT-RECORD"]


@pytest.mark.parametrize("path", ["payloads/phone/1.1/../ota.zip", "payloads/phone/1.1/\x1b[2J", "/etc/passwd", ""])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    assert "ARTIFACT-PATHS" in with_payload(path).refused_by()


@pytest.mark.rule("ARTIFACT-RECORD", "accept")
def test_payloads_with_their_records_pass() -> None:
    assert payload_release().said("ARTIFACT-RECORD") == "2 records"


@pytest.mark.rule("ARTIFACT-RECORD", "reject")
@pytest.mark.parametrize("change", [{"product": "tablet"}, {"version": "1.2"}])
def test_a_record_of_another_product_or_version_is_refused(change: dict[str, str]) -> None:
    assert with_payload(NEW_OTA, **change).refused_by() == ["ARTIFACT-RECORD"]


def test_a_payload_without_a_record_is_refused() -> None:
    scene = payload_release()
    scene.targets("phone.payload").targets[NEW_OTA].unrecognized_fields = {}
    assert scene.refused_by() == ["ARTIFACT-RECORD", "ARTIFACT-MONOTONIC"]


@pytest.mark.rule("ARTIFACT-MONOTONIC", "accept")
@pytest.mark.parametrize(("version", "index"), [("1.0.0.1", 1), ("1.10", 2)])
def test_a_higher_version_with_no_lower_rollback_index_passes(version: str, index: int) -> None:
    path = f"payloads/phone/{version}/ota.zip"
    assert with_payload(path, version, rollback_index=index).refused_by() == []


@pytest.mark.rule("ARTIFACT-MONOTONIC", "reject")
@pytest.mark.parametrize(("version", "index"), [("1.0.0", 1), ("0.9", 1), ("1.1", 0)])
def test_a_version_or_rollback_index_that_goes_back_is_refused(version: str, index: int) -> None:
    path = f"payloads/phone/{version}/ota.zip"
    assert with_payload(path, version, rollback_index=index).refused_by() == ["ARTIFACT-MONOTONIC"]


def test_two_new_versions_at_once_rise_together() -> None:
    scene = with_payload("payloads/phone/1.2/ota.zip", "1.2", rollback_index=2)
    targets = scene.targets("phone.payload").targets
    targets[NEW_OTA] = ota("1.1", rollback_index=2)
    assert scene.refused_by() == []
    targets[NEW_OTA] = ota("1.1", rollback_index=3)
    assert scene.refused_by() == ["ARTIFACT-MONOTONIC"]


@pytest.mark.rule("ARTIFACT-MANIFEST", "accept")
def test_a_manifest_that_is_shown_as_it_is_listed_passes() -> None:
    assert manifest_release().said("ARTIFACT-MANIFEST") == "1 manifests"


@pytest.mark.rule("ARTIFACT-MANIFEST", "reject")
def test_a_manifest_that_is_not_the_one_listed_is_refused() -> None:
    scene = manifest_release()
    scene.manifests[MANIFEST] = scene.manifests[MANIFEST].replace(b'"mandatory":false', b'"mandatory": true', 1)
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


def test_a_listed_sha512_that_is_not_the_manifests_is_refused() -> None:
    scene = manifest_release()
    scene.targets("phone.manifest").targets[MANIFEST].hashes["sha512"] = "0" * 128
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


def test_a_manifest_that_is_not_shown_is_refused() -> None:
    scene = manifest_release()
    scene.manifests, scene.earlier = {}, {}
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


def test_a_manifest_that_is_shown_and_not_listed_is_refused() -> None:
    scene = manifest_release()
    scene.manifests["manifests/phone/beta.json"] = write_manifest(replace(manifest(), channel="beta"))
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


@pytest.mark.parametrize("change", [{"environment": "production"}, {"product": "tablet"}, {"channel": "beta"}])
def test_a_manifest_of_another_environment_product_or_channel_is_refused(change: dict[str, Any]) -> None:
    scene = manifest_release()
    offer(scene, replace(manifest(release("1.1"), release("1.0")), **change), path=MANIFEST)
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


def test_a_manifest_whose_name_devices_do_not_ask_for_is_refused() -> None:
    scene = manifest_release()
    path = "manifests/phone/beta"
    scene.manifests[path] = write_manifest(replace(manifest(), channel="beta"))
    scene.targets("phone.manifest").targets = {
        MANIFEST: listed(MANIFEST, scene.earlier[MANIFEST]),
        path: listed(path, scene.manifests[path]),
    }
    scene.manifests[MANIFEST], scene.earlier = scene.earlier[MANIFEST], {}
    assert scene.refused_by() == ["ARTIFACT-MANIFEST"]


@pytest.mark.rule("ARTIFACT-AGREEMENT", "accept")
def test_payloads_that_the_release_authority_knows_pass() -> None:
    assert manifest_release().said("ARTIFACT-AGREEMENT") == "2 payloads agreed"
    assert halt().said("ARTIFACT-AGREEMENT") == "1 payloads agreed"


@pytest.mark.rule("ARTIFACT-AGREEMENT", "reject")
@pytest.mark.parametrize(
    "change", [{"build_id": "OTHER"}, {"rollback_index": 2}, {"hardware_ids": ["phone-b"]}, {"type": "image"}]
)
def test_a_payload_on_which_the_release_authority_says_otherwise_is_refused(change: dict[str, Any]) -> None:
    scene = manifest_release()
    scene.others["phone.payload"].targets[NEW_OTA] = ota("1.1", **change)
    assert scene.refused_by() == ["ARTIFACT-AGREEMENT"]


@pytest.mark.parametrize("path", [NEW_OTA, OLD_OTA])
def test_a_payload_that_the_release_authority_does_not_know_is_refused(path: str) -> None:
    scene = manifest_release()
    del scene.others["phone.payload"].targets[path]
    scene.context.pop("phone.payload")
    assert scene.refused_by() == ["ARTIFACT-AGREEMENT"]
