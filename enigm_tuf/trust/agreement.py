"""DUAL-AGREEMENT and ROLLBACK-INDEX: what both authorities say about a payload, and whether a device may take it."""

from __future__ import annotations

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import ManifestPayload, OtaManifest, Release, payload_path
from enigm_tuf.model.payload import Chunks, PayloadRecord, read_payload_record
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf.model.value import Value
from enigm_tuf.trust._seal import SEAL, Seal, require_seal
from enigm_tuf.trust.artifact import VerifiedArtifact
from enigm_tuf.trust.rules import AuthorityRule, Evidence

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from pathlib import PurePath


class AgreedPayload(Value):
    """A payload of a release on which both authorities agree (in ``manifest-only``: that the manifest names).

    ``record`` is the release authority's account, None in model ``manifest-only``.
    """

    product: str
    release: Release
    payload: ManifestPayload
    record: PayloadRecord | None
    evidence: Evidence
    _seal: Seal | None = None

    def __post_init__(self) -> None:
        require_seal(self._seal, "an AgreedPayload")

    @property
    def chunks(self) -> Chunks | None:
        """The payload's chunk tree, where the release authority signed one."""
        return self.record.chunks if self.record else None


def manifest_matches(manifest: OtaManifest, environment: Environment, product: str, channel: str) -> Evidence:
    """ENVIRONMENT-MATCH on the manifest, and that it is the one that its path says."""
    subject = f"manifest of {product}, channel {channel}"
    if manifest.environment != environment:
        raise RefusedError(
            AuthorityRule.ENVIRONMENT_MATCH, subject, expected=f"environment {environment}", got=manifest.environment
        )
    if (manifest.product, manifest.channel) != (product, channel):
        got = f"{manifest.product}, channel {manifest.channel}"
        raise RefusedError(
            AuthorityRule.DUAL_AGREEMENT, subject, expected="the product and channel of its path", got=got
        )
    return Evidence(AuthorityRule.ENVIRONMENT_MATCH, subject, f"environment {environment}")


def agree(product: str, release: Release, payload: ManifestPayload, target: TargetFile | None) -> AgreedPayload:
    """DUAL-AGREEMENT: ``target`` is the file of that path in the release authority's role, None if it has none.

    The path itself is one that only that role may list: under any other the manifest authority would agree with itself.
    """
    subject = f"{product} {release.version}, {payload.path}"
    own = payload_path(product, release.version, payload.path.rpartition("/")[2])
    if payload.path != own:
        raise RefusedError(AuthorityRule.DUAL_AGREEMENT, f"{subject}, path", expected=own, got=payload.path)
    if target is None:
        raise RefusedError(
            AuthorityRule.DUAL_AGREEMENT, subject, expected="a payload record of the release authority", got="none"
        )
    custom = target.unrecognized_fields.get("custom")
    record = read_payload_record(custom, f"payload record of {payload.path}", "custom")
    manifest_side = _manifest_side(product, release, payload)
    release_side = _release_side(target, record)
    for name, expected in manifest_side.items():
        if release_side[name] != expected:
            raise RefusedError(
                AuthorityRule.DUAL_AGREEMENT,
                f"{subject}, {name}",
                expected=f"{expected} as in the manifest",
                got=f"{release_side[name]} in the payload record",
            )
    detail = f"both authorities agree on {', '.join(manifest_side)}"
    evidence = Evidence(AuthorityRule.DUAL_AGREEMENT, subject, detail)
    return AgreedPayload(product, release, payload, record, evidence, _seal=SEAL)


def by_manifest_alone(product: str, release: Release, payload: ManifestPayload) -> AgreedPayload:
    """The model ``manifest-only``: there is one authority, and the evidence says that nobody else vouches."""
    subject = f"{product} {release.version}, {payload.path}"
    detail = "model manifest-only: the manifest's hashes alone, no release authority vouches"
    evidence = Evidence(AuthorityRule.DUAL_AGREEMENT, subject, detail)
    return AgreedPayload(product, release, payload, None, evidence, _seal=SEAL)


def _manifest_side(product: str, release: Release, payload: ManifestPayload) -> dict[str, object]:
    return {
        "path": payload.path,
        "length": payload.length,
        "hashes": payload.hashes,
        "product": product,
        "version": release.version,
        "build_id": release.build_id,
        "rollback_index": release.rollback_index,
        "hardware_ids": sorted(release.hardware_ids),
        "type": payload.type,
        "source_build": payload.source_build,
    }


def _release_side(target: TargetFile, record: PayloadRecord) -> dict[str, object]:
    return {
        "path": target.path,
        "length": target.length,
        "hashes": target.hashes,
        "product": record.product,
        "version": record.version,
        "build_id": record.build_id,
        "rollback_index": record.rollback_index,
        "hardware_ids": sorted(record.hardware_ids),
        "type": record.type,
        "source_build": record.source_build,
    }


def rollback_index(agreed: AgreedPayload, floor: int) -> Evidence:
    """ROLLBACK-INDEX: the release is not below the floor that the device's last confirmed install set."""
    subject = f"{agreed.product} {agreed.release.version}"
    if agreed.release.rollback_index < floor:
        raise RefusedError(
            AuthorityRule.ROLLBACK_INDEX,
            subject,
            expected=f"a rollback index of at least {floor}",
            got=str(agreed.release.rollback_index),
        )
    return Evidence(AuthorityRule.ROLLBACK_INDEX, subject, f"{agreed.release.rollback_index}, floor {floor}")


def admit_artifact(agreed: AgreedPayload, file: PurePath, length: int, hashes: dict[str, str]) -> VerifiedArtifact:
    """ARTIFACT-INTEGRITY: the bytes in ``file`` have the agreed length and every agreed hash."""
    subject = f"{agreed.product} {agreed.release.version}, {agreed.payload.path}"
    expected = {"length": agreed.payload.length, **agreed.payload.hashes}
    got = {"length": length, **hashes}
    for name, value in expected.items():
        if got.get(name) != value:
            raise RefusedError(
                AuthorityRule.ARTIFACT_INTEGRITY, f"{subject}, {name}", expected=str(value), got=str(got.get(name))
            )
    release = agreed.release
    return VerifiedArtifact(
        file=file,
        product=agreed.product,
        version=release.version,
        build_id=release.build_id,
        rollback_index=release.rollback_index,
        length=length,
        hashes=dict(agreed.payload.hashes),
        _seal=SEAL,
    )


def is_of(artifact: VerifiedArtifact, agreed: AgreedPayload) -> bool:
    """Whether the artifact is this payload of this release, and not the same bytes of another."""
    release = agreed.release
    return (artifact.product, artifact.version, artifact.build_id, artifact.rollback_index, artifact.hashes) == (
        agreed.product,
        release.version,
        release.build_id,
        release.rollback_index,
        agreed.payload.hashes,
    )
