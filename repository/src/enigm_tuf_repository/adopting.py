"""A fleet gets a release authority: the payload records of what is offered already, for it to look at and sign."""

from dataclasses import replace
from pathlib import Path

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.manifest import ManifestPayload, Release, read_manifest
from enigm_tuf.model.payload import PAYLOAD_RECORD
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf_repository.artifacts import Artifact, measure
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.mirror import bring
from enigm_tuf_repository.role_building import payload_record, target_file
from enigm_tuf_repository.rules import RepositoryRule


def adopted_payloads(published: Path, remote: Fetcher | None, lineage: Lineage, product: str) -> dict[str, TargetFile]:
    """The targets of a first payload role: every payload of every release that a manifest lists.

    Each file is hashed again, out of the bucket where it lies there alone; RefusedError PAYLOAD-BYTES where it is not
    what the manifest says. Nobody can say any more how it was built: its record names no provenance.
    """
    manifests = lineage.require(manifest_role(product), Targets).targets
    offered = [
        (release, payload)
        for path, target in manifests.items()
        for release in read_manifest(lineage.target(target), path).releases
        for payload in release.payloads
    ]
    for _, payload in offered:
        bring(published, remote, TargetFile(payload.path, payload.length, dict(payload.hashes)))
    return {payload.path: _adopted(lineage, product, release, payload) for release, payload in offered}


def _adopted(lineage: Lineage, product: str, release: Release, payload: ManifestPayload) -> TargetFile:
    artifact = _measured(lineage, payload)
    record = payload_record(product, release, payload, artifact.chunks)
    return target_file(payload.path, artifact, PAYLOAD_RECORD.write(record))


def _measured(lineage: Lineage, payload: ManifestPayload) -> Artifact:
    artifact = measure(lineage.target_file(payload.path, payload.hashes["sha256"]), payload.hashes)
    signed = {"length": payload.length, **payload.hashes}
    got = {"length": artifact.length, **artifact.hashes}
    for name, value in signed.items():
        if got[name] != value:
            subject = f"{payload.path} on the disk, {name}"
            raise RefusedError(RepositoryRule.PAYLOAD_BYTES, subject, expected=str(value), got=str(got[name]))
    return replace(artifact, hashes=dict(payload.hashes))
