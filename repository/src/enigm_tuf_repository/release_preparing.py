"""``release prepare``: from ``release.toml`` and the build's files to two signing requests."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.manifest import (
    ManifestPayload,
    OtaManifest,
    Release,
    manifest_path,
    payload_path,
    read_manifest,
    write_manifest,
)
from enigm_tuf.model.payload import PAYLOAD_RECORD
from enigm_tuf.model.request import Action, RuleOutcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Snapshot, TargetFile, Targets
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.artifacts import Artifact, measure, take
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.inspection.plugins import inspect_file
from enigm_tuf_repository.lineage import Lineage, Signed, lineage_of, require_delegated
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.release_description import ReleaseDescription, read_release_description
from enigm_tuf_repository.requests import Draft, role_evidence
from enigm_tuf_repository.role_building import payload_record, target_file, with_targets, with_versions
from enigm_tuf_repository.staging import require_no_signed_root
from enigm_tuf_repository.workspace import Workspace

DOWNGRADE = "DOWNGRADE"
KEPT_RELEASES = 10  # a manifest lists what devices may still need, not all history


def prepare_release(
    workspace: Workspace,
    description_file: Path,
    now: datetime,
    evidence: Sequence[Path] = (),
    *,
    emergency: bool = False,
) -> ReleaseRecord:
    """Open the record ``<product>-<version>``. ``evidence`` are statements beside those that the description names.

    An ``emergency`` is asked for as such; the record, and so its gates, are those of a release.
    """
    written = read_release_description(read_input(description_file, LIMITS.document_bytes), str(description_file))
    folder = description_file.parent
    register = load_register(workspace)
    _require_channel(register.products, written.fields["product"], written.fields["channel"])
    require_no_signed_root(workspace, register)
    with ThreadPoolExecutor() as pool:
        description = written.completed(list(pool.map(lambda file: inspect_file(folder / file), written.files)))
    record_id = f"{description.product}-{description.version}"
    lineage = lineage_of(workspace, register, without=record_id)
    require_delegated(lineage, description.product)
    provenance = _all_provenance([*(folder / name for name in description.provenance), *evidence])
    with new_record(workspace, record_id):
        artifacts = _take_all(workspace, record_id, description, folder)
        drafts = _drafts(workspace, lineage, description, record_id, artifacts, provenance, now)
        built = (*(_seen(description, artifact) for artifact in artifacts), *_asked(description))
        asked: Action | None = "emergency" if emergency else None
        plan = Plan(record_id, "release", description.product, drafts, built, asked)
        return open_record(workspace, lineage, plan, now)


def _require_channel(products: dict[str, tuple[str, ...]], product: str, channel: str) -> None:
    if channel not in products.get(product, ()):
        hint = f"run `enigm-repo product add {product} --channel {channel}`"
        raise MisuseError(f"there is no channel {channel} of a product {product} here", hint=hint)


def _take_all(
    workspace: Workspace, record_id: str, description: ReleaseDescription, folder: Path
) -> tuple[Artifact, ...]:
    """Each artifact is read once; several at a time."""
    target = workspace.staged(record_id) / "targets" / "payloads" / description.product / description.version
    algorithms = workspace.configuration().hash_algorithms
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(lambda payload: take(folder / payload.file, target, algorithms), description.payloads))


def _all_provenance(paths: Sequence[Path]) -> dict[str, bytes]:
    """By file name; MisuseError where two files have one."""
    found: dict[str, bytes] = {}
    for path in paths:
        if path.name in found:
            raise MisuseError(f"{path}: another evidence file is called {path.name} too")
        found[path.name] = _provenance(path)
    return found


def _provenance(path: Path) -> bytes:
    """A statement that travels in the request as evidence."""
    data = read_input(path, LIMITS.evidence_bytes)
    if len(data) > LIMITS.evidence_bytes:
        raise MalformedError(str(path), "", f"at most {LIMITS.evidence_bytes:,} bytes")
    return data


def _seen(description: ReleaseDescription, artifact: Artifact) -> RuleOutcome:
    path = payload_path(description.product, description.version, artifact.name)
    return RuleOutcome("BUILT", True, f"{path}: {artifact.length} bytes, chunk root {artifact.chunks.root}")


def _asked(description: ReleaseDescription) -> tuple[RuleOutcome, ...]:
    """What a gate will want to know was asked for on purpose."""
    said = RuleOutcome(DOWNGRADE, True, "release.toml: this release may bring an older build, or wipe devices")
    return (said,) if description.downgrade else ()


def _drafts(
    workspace: Workspace,
    lineage: Lineage,
    description: ReleaseDescription,
    record_id: str,
    artifacts: tuple[Artifact, ...],
    provenance: dict[str, bytes],
    now: datetime,
) -> tuple[Draft, ...]:
    """Payload role for the release authority; manifest role and snapshot for the manifest authority."""
    config = workspace.configuration()
    days, payloads = config.expiry_days, payload_role(description.product)
    manifests = manifest_role(description.product)
    release = _release(description, artifacts)
    made: dict[str, Signed] = {}
    if config.authority_model == "dual":
        records = _payload_targets(description.product, release, artifacts, provenance)
        made[payloads] = with_targets(lineage.require(payloads, Targets), records, now + days.of(payloads))
    path = manifest_path(description.product, description.channel)
    data = write_manifest(_manifest(workspace, lineage, description, release, path))
    read_manifest(data, path)  # newest first, stages that grow: what no single field shows
    listed = target_file(path, stage_manifest(workspace, record_id, path, data))
    manifest = with_targets(lineage.require(manifests, Targets), {path: listed}, now + days.of(manifests))
    versions = {role: value.version for role, value in made.items()} | {manifests: manifest.version}
    snapshot = with_versions(lineage.require("snapshot", Snapshot), versions, now, now + days.of("snapshot"))
    bytes_of = {other: lineage.target(target) for other, target in manifest.targets.items() if other != path}
    evidence = {f"manifests/{name}": content for name, content in (bytes_of | {path: data}).items()}
    if replaced := lineage.require(manifests, Targets).targets.get(path):
        evidence[f"manifests-before/{path}"] = lineage.target(replaced)
    built = {f"provenance/{name}": content for name, content in provenance.items()}
    evidence |= role_evidence(made) if made else built
    proposals: dict[str, Signed] = {manifests: manifest, "snapshot": snapshot}
    asked = Draft(
        "manifest", proposals, evidence, context=("targets",)
    )  # it says whose keys may sign the manifest role
    return (Draft("release", made, built), asked) if made else (asked,)


def _payload_targets(
    product: str, release: Release, artifacts: tuple[Artifact, ...], provenance: dict[str, bytes]
) -> dict[str, TargetFile]:
    """Each artifact with the record of it, which says what the manifest says."""
    digests = tuple(sorted({sha256(data) for data in provenance.values()}))
    targets = {}
    for payload, artifact in zip(release.payloads, artifacts, strict=True):
        record = payload_record(product, release, payload, artifact.chunks, digests)
        targets[payload.path] = target_file(payload.path, artifact, PAYLOAD_RECORD.write(record))
    return targets


def _manifest(
    workspace: Workspace, lineage: Lineage, description: ReleaseDescription, release: Release, path: str
) -> OtaManifest:
    """The channel's manifest with the new release in front."""
    before = lineage.require(manifest_role(description.product), Targets).targets.get(path)
    kept = read_manifest(lineage.target(before), path).releases[: KEPT_RELEASES - 1] if before else ()
    environment = workspace.configuration().environment
    return OtaManifest(environment, description.product, description.channel, (release, *kept))


def _release(description: ReleaseDescription, artifacts: tuple[Artifact, ...]) -> Release:
    payloads = tuple(
        ManifestPayload(
            path=payload_path(description.product, description.version, artifact.name),
            length=artifact.length,
            hashes=dict(artifact.hashes),
            type=payload.type,
            source_build=payload.source_build,
        )
        for payload, artifact in zip(description.payloads, artifacts, strict=True)
    )
    return Release(
        version=description.version,
        build_id=description.build_id,
        security_patch_level=description.security_patch_level,
        rollback_index=description.rollback_index,
        hardware_ids=description.hardware_ids,
        applicable_from=description.applicable_from,
        payloads=payloads,
        rollout=description.rollout,
        release_notes=description.release_notes,
        minimum_client=description.minimum_client,
        mandatory=description.mandatory,
    )


def stage_manifest(workspace: Workspace, record_id: str, path: str, data: bytes) -> Artifact:
    """The bytes of a manifest into the record's tree, under their published name."""
    folder, _, name = path.rpartition("/")
    place = workspace.staged(record_id) / "targets" / folder / f"{sha256(data)}.{name}"
    write_durably(place, data)
    return replace(measure(place), name=name)
