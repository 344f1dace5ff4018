"""A fleet gets a release authority: the payload records of what is offered already, for it to look at and sign."""

from dataclasses import replace

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.manifest import ManifestPayload, Release, read_manifest
from enigm_tuf.model.payload import PAYLOAD_RECORD, PayloadRecord
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf_repository.artifacts import Artifact, measure
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.role_building import target_file
from enigm_tuf_repository.rules import RepositoryRule


def adopted_payloads(lineage: Lineage, product: str) -> dict[str, TargetFile]:
    """The targets of a first payload role: every payload of every release that a manifest lists.

    Each file is hashed again; RefusedError PAYLOAD-BYTES where it is not what the manifest says. Nobody can say
    any more how it was built: its record names no provenance.
    """
    manifests = lineage.require(manifest_role(product), Targets).targets
    return {
        payload.path: _adopted(lineage, product, release, payload)
        for path, target in manifests.items()
        for release in read_manifest(lineage.target(target), path).releases
        for payload in release.payloads
    }


def _adopted(lineage: Lineage, product: str, release: Release, payload: ManifestPayload) -> TargetFile:
    artifact = _measured(lineage, payload)
    record = PayloadRecord(
        product=product,
        version=release.version,
        build_id=release.build_id,
        rollback_index=release.rollback_index,
        hardware_ids=release.hardware_ids,
        type=payload.type,
        source_build=payload.source_build,
        provenance=(),
        chunks=artifact.chunks,
    )
    return target_file(payload.path, artifact, PAYLOAD_RECORD.write(record))


def _measured(lineage: Lineage, payload: ManifestPayload) -> Artifact:
    artifact = measure(lineage.target_file(payload.path, payload.hashes["sha256"]))
    signed = {"length": payload.length, **payload.hashes}
    got = {"length": artifact.length, **artifact.hashes}
    for name, value in signed.items():
        if got.get(name, value) != value:
            subject = f"{payload.path} on the disk, {name}"
            raise RefusedError(RepositoryRule.PAYLOAD_BYTES, subject, expected=str(value), got=str(got[name]))
    return replace(artifact, hashes=dict(payload.hashes))
