"""DUAL-AGREEMENT, ROLLBACK-INDEX and ARTIFACT-INTEGRITY: what is agreed, what is not, and what one bit changes."""

from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import pytest

from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.model.manifest import ManifestPayload, OtaManifest, Release, Rollout, Stage
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf.model.value import replace
from enigm_tuf.trust.agreement import (
    AgreedPayload,
    admit_artifact,
    agree,
    by_manifest_alone,
    manifest_matches,
    rollback_index,
)
from enigm_tuf.trust.rules import Evidence

PATH = "payloads/phone/1.2/ota.zip"
HASHES = {"sha256": "a" * 64, "sha512": "b" * 128}
PAYLOAD = ManifestPayload(PATH, 1000, HASHES, "full-ota", None)
RELEASE = Release(
    version="1.2",
    build_id="EN1A.1",
    security_patch_level="2026-11-05",
    rollback_index=7,
    hardware_ids=("phone-a", "phone-b"),
    applicable_from=None,
    payloads=(PAYLOAD,),
    rollout=Rollout(datetime(2026, 11, 1, tzinfo=UTC), (Stage(0, 100),), (), False),
    release_notes="",
    minimum_client="0.1",
    mandatory=False,
)


def record(**changes: object) -> dict[str, Any]:
    """The release authority's account of the same payload."""
    fields: dict[str, Any] = {
        "schema": 1,
        "product": "phone",
        "version": "1.2",
        "build_id": "EN1A.1",
        "rollback_index": 7,
        "hardware_ids": ["phone-b", "phone-a"],
        "type": "full-ota",
        "provenance": [],
        "chunks": {"size": 1048576, "root": "c" * 64},
    }
    return fields | changes


def target(length: int = 1000, hashes: dict[str, str] = HASHES, path: str = PATH, **changes: object) -> TargetFile:
    return TargetFile(path, length, dict(hashes), {"custom": record(**changes)})


@pytest.mark.rule("DUAL-AGREEMENT", "accept")
def test_both_authorities_say_the_same() -> None:
    agreed = agree("phone", RELEASE, PAYLOAD, target())
    assert agreed.record is not None
    assert agreed.evidence.rule == "DUAL-AGREEMENT"


@pytest.mark.rule("DUAL-AGREEMENT", "reject")
@pytest.mark.parametrize(
    "other",
    [
        target(length=1001),
        target(hashes=HASHES | {"sha256": "a" * 63 + "b"}),
        target(hashes=HASHES | {"sha512": "b" * 127 + "c"}),
        target(hashes={"sha256": HASHES["sha256"]}),
        target(path="payloads/phone/1.2/other.zip"),
        target(product="tablet"),
        target(version="1.3"),
        target(build_id="EN1A.2"),
        target(rollback_index=8),
        target(hardware_ids=["phone-a"]),
        target(type="image"),
        target(type="delta-ota", source_build="EN1A.0"),
    ],
)
def test_any_single_difference_is_refused(other: TargetFile) -> None:
    with pytest.raises(RefusedError) as caught:
        agree("phone", RELEASE, PAYLOAD, other)
    assert caught.value.rule == "DUAL-AGREEMENT"


def test_a_delta_is_agreed_from_the_same_build_only() -> None:
    delta = replace(PAYLOAD, type="delta-ota", source_build="EN1A.0")
    release = replace(RELEASE, payloads=(delta,))
    assert agree("phone", release, delta, target(type="delta-ota", source_build="EN1A.0")).payload is delta
    with pytest.raises(RefusedError, match=r"DUAL-AGREEMENT.*source_build"):
        agree("phone", release, delta, target(type="delta-ota", source_build="EN1A.9"))


def test_one_authority_alone_is_no_agreement_and_says_so() -> None:
    agreed = by_manifest_alone("phone", RELEASE, PAYLOAD)
    assert (agreed.product, agreed.release, agreed.payload, agreed.record) == ("phone", RELEASE, PAYLOAD, None)
    assert "no release authority vouches" in agreed.evidence.detail


def test_a_payload_that_the_release_authority_never_signed_is_refused() -> None:
    with pytest.raises(RefusedError, match="DUAL-AGREEMENT"):
        agree("phone", RELEASE, PAYLOAD, None)


def test_a_target_without_a_payload_record_is_malformed() -> None:
    with pytest.raises(MalformedError, match=r": custom: "):
        agree("phone", RELEASE, PAYLOAD, TargetFile(PATH, 1000, dict(HASHES)))


def test_a_field_that_the_record_does_not_have_is_malformed() -> None:
    with pytest.raises(MalformedError, match="unknown field"):
        agree("phone", RELEASE, PAYLOAD, target(grants="everything"))


@pytest.mark.rule("ROLLBACK-INDEX", "accept")
def test_an_index_at_the_floor_passes() -> None:
    assert rollback_index(agree("phone", RELEASE, PAYLOAD, target()), 7).rule == "ROLLBACK-INDEX"


@pytest.mark.rule("ROLLBACK-INDEX", "reject")
def test_an_index_one_below_the_floor_is_refused() -> None:
    with pytest.raises(RefusedError, match="ROLLBACK-INDEX"):
        rollback_index(agree("phone", RELEASE, PAYLOAD, target()), 8)


@pytest.mark.rule("ARTIFACT-INTEGRITY", "accept")
def test_the_agreed_bytes_become_a_verified_artifact() -> None:
    artifact = admit_artifact(agree("phone", RELEASE, PAYLOAD, target()), PurePath("ota.zip"), 1000, HASHES)
    assert (artifact.version, artifact.rollback_index) == ("1.2", 7)


@pytest.mark.rule("ARTIFACT-INTEGRITY", "reject")
@pytest.mark.parametrize(
    ("length", "hashes"),
    [
        (999, HASHES),
        (1000, HASHES | {"sha256": "0" * 64}),
        (1000, HASHES | {"sha512": "0" * 128}),
        (1000, {"sha256": HASHES["sha256"]}),
    ],
)
def test_other_bytes_are_refused(length: int, hashes: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="ARTIFACT-INTEGRITY"):
        admit_artifact(agree("phone", RELEASE, PAYLOAD, target()), PurePath("ota.zip"), length, hashes)


def test_an_agreement_cannot_be_made_by_hand() -> None:
    with pytest.raises(MisuseError):
        AgreedPayload("phone", RELEASE, PAYLOAD, None, Evidence("", "", ""), _seal=object())  # type: ignore[arg-type]


MANIFEST = OtaManifest("staging", "phone", "stable", (RELEASE,))


def test_a_manifest_at_its_own_path_in_its_own_environment_passes() -> None:
    assert manifest_matches(MANIFEST, "staging", "phone", "stable").rule == "ENVIRONMENT-MATCH"


@pytest.mark.parametrize(
    ("manifest", "rule"),
    [
        (replace(MANIFEST, environment="production"), "ENVIRONMENT-MATCH"),
        (replace(MANIFEST, product="tablet"), "DUAL-AGREEMENT"),
        (replace(MANIFEST, channel="beta"), "DUAL-AGREEMENT"),
    ],
)
def test_a_manifest_for_something_else_is_refused(manifest: OtaManifest, rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        manifest_matches(manifest, "staging", "phone", "stable")
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    "path", ["manifests/phone/ota.zip", "payloads/tablet/1.2/ota.zip", "payloads/phone/1.1/ota.zip", "ota.zip"]
)
def test_a_path_that_is_not_of_this_releases_payloads_is_refused(path: str) -> None:
    """Under ``manifests/`` both accounts would be the manifest authority's own."""
    with pytest.raises(RefusedError, match=r"DUAL-AGREEMENT: .*, path"):
        agree("phone", RELEASE, replace(PAYLOAD, path=path), target(path=path))
