"""What a record adds to the tree: its signed roles, the targets that they list, the decisions, and nothing else."""

from pathlib import Path

from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.chunks import SUFFIX
from enigm_tuf.model.decisions import FOLDER, DecisionIndex, index_path_of, write_decision_index
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf_repository.durable import file_sha256, write_durably
from enigm_tuf_repository.lineage import SignedFile, file_name, read_signed_file
from enigm_tuf_repository.records import ReleaseRecord, Step, staged_files
from enigm_tuf_repository.register import Register
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.workspace import Workspace

TIMESTAMP = "staged/metadata/timestamp.json"


def signed_roles(workspace: Workspace, record: ReleaseRecord) -> dict[str, SignedFile]:
    """The staged metadata of every role of the record."""
    folder = workspace.staged(record.id) / "metadata"
    paths = {role: folder / file_name(role, version) for role, version in record.roles.items()}
    return {role: read_signed_file(path.read_bytes(), role, str(path)) for role, path in paths.items()}


def root_is_signed(workspace: Workspace, record: ReleaseRecord) -> bool:
    """Whether the record makes a root, and all signatures of it are here."""
    version = record.roles.get("root")
    return version is not None and (workspace.staged(record.id) / "metadata" / file_name("root", version)).is_file()


def require_no_signed_root(workspace: Workspace, register: Register) -> None:
    """MisuseError where a root is signed and not out yet: what is prepared now would be judged by another root."""
    for record_id in register.open:
        if any((workspace.staged(record_id) / "metadata").glob("*.root.json")):
            hint = "`enigm-repo status` shows its next step"
            raise MisuseError(f"{record_id} makes a root that is signed and not published yet", hint=hint)


def new_targets(workspace: Workspace, record: ReleaseRecord) -> list[TargetFile]:
    """The targets that the record's roles list and whose bytes the record brings."""
    built = record.evidence(Step.BUILT)
    brought = built.digests if built else {}
    return [
        target
        for file in signed_roles(workspace, record).values()
        if isinstance(file.value, Targets)
        for _, target in sorted(file.value.targets.items())
        if staged_path(target) in brought
    ]


def staged_path(target: TargetFile) -> str:
    """Where a target's file lies in the record."""
    return f"staged/targets/{hashed_name(target)}"


def offered_payloads(workspace: Workspace, record: ReleaseRecord) -> list[TargetFile]:
    """Model ``manifest-only``: the payloads of new manifests whose bytes the record brings; no role lists them."""
    if any(role.endswith(".payload") for role in record.roles):
        return []
    folder, built = workspace.record(record.id), record.evidence(Step.BUILT)
    manifests = [target for target in new_targets(workspace, record) if target.path.startswith("manifests/")]
    offered = [
        TargetFile(payload.path, payload.length, dict(payload.hashes))
        for target in manifests
        for release in read_manifest((folder / staged_path(target)).read_bytes(), target.path).releases
        for payload in release.payloads
    ]
    return [target for target in offered if built and staged_path(target) in built.digests]


def stage_decisions(workspace: Workspace, record: ReleaseRecord) -> None:
    """The responses of both authorities into the tree, for ``enigm-sign explain``; no device asks for them."""
    folder = workspace.record(record.id)
    for path in _decisions(record):
        write_durably(folder / path, (folder / "responses" / Path(path).name).read_bytes())
    for path, data in _index(record).items():
        write_durably(folder / path, data)


def _index(record: ReleaseRecord) -> dict[str, bytes]:
    """By staged path, the list of the responses, for copies."""
    path, names = index_path_of(record.roles), sorted(Path(item).name for item in _decisions(record))
    if path is None or not names:
        return {}
    return {f"staged/{path}": write_decision_index(DecisionIndex(record.id, tuple(names)))}


def _decisions(record: ReleaseRecord) -> dict[str, str]:
    """SHA-256 by staged path, of the responses that were judged."""
    judged = record.evidence(Step.POLICY)
    digests = judged.digests if judged else {}
    return {f"staged/{FOLDER}/{record.id}/{Path(path).name}": digest for path, digest in digests.items()}


def require_only_signed(workspace: Workspace, record: ReleaseRecord) -> None:
    """RECORD-EVIDENCE: every staged file is signed metadata of this record, a target that it lists, or a decision."""
    allowed = {f"staged/metadata/{file_name(role, version)}" for role, version in record.roles.items()}
    for target in (*new_targets(workspace, record), *offered_payloads(workspace, record)):
        allowed |= {staged_path(target), f"{staged_path(target)}{SUFFIX}"}
    if {"snapshot", "root"} & record.roles.keys():
        allowed.add(TIMESTAMP)
    decisions = _decisions(record) | {path: sha256(data) for path, data in _index(record).items()}
    for path in staged_files(workspace, record.id):
        if path in decisions and file_sha256(workspace.record(record.id) / path) == decisions[path]:
            continue
        if path not in allowed:
            raise RefusedError(
                RepositoryRule.RECORD_EVIDENCE,
                f"{record.id}, {path}",
                expected="signed metadata of this record, a target that it lists, or an answer of an authority",
                got="an extra file that nobody signed",
            )
