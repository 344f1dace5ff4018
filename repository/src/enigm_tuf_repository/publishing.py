"""Step 8: payloads, manifests, versioned metadata, and the timestamp last. Killed anywhere, it can be run again."""

from collections.abc import Mapping
from datetime import datetime

from enigm_tuf.errors import ConflictError, RefusedError
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.gating import require_verified
from enigm_tuf_repository.lineage import Lineage, file_name
from enigm_tuf_repository.publication import PublicationStore
from enigm_tuf_repository.records import ReleaseRecord, Step, StepEvidence, load_record, save_record
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.settings import settings_in
from enigm_tuf_repository.staging import TIMESTAMP
from enigm_tuf_repository.workspace import Workspace


def publish(workspace: Workspace, store: PublicationStore, record_id: str, now: datetime) -> ReleaseRecord:
    """Only what was verified and gated, byte for byte, and only on top of what it was verified against."""
    record = load_record(workspace, record_id)
    digests = require_verified(workspace, record, Step.PUBLISHED)
    if record.evidence(Step.PUBLISHED) is None:
        require_no_strangers(workspace, digests)
        with store.session():
            _put_all(workspace, store, record, digests)
        done = RuleOutcome("PUBLISHED", True, f"{len(digests)} files, timestamp last")
        record = record.with_evidence(StepEvidence(Step.PUBLISHED, now, dict(digests), (done,)))
        save_record(workspace, record)
    _put_in_force(workspace, record)
    save_register(workspace, load_register(workspace).closed(record_id))
    return record


def _put_in_force(workspace: Workspace, record: ReleaseRecord) -> None:
    """The settings of a root that is published now. Killed half way, publishing again does it."""
    if "root" in record.roles and record.id in load_register(workspace).open:
        settings = workspace.with_settings_of(record.id)
        if settings != workspace:
            settings_in(settings).write(workspace)


def _put_all(workspace: Workspace, store: PublicationStore, record: ReleaseRecord, digests: Mapping[str, str]) -> None:
    folder = workspace.record(record.id)
    base, candidate = record.base, digests.get(TIMESTAMP)
    found = store.read(_TIMESTAMP)
    there = sha256(found) if found is not None else None
    if there not in {base, candidate}:
        hint = f"run `enigm-repo release verify {record.id}` again, on top of what is published now"
        raise ConflictError(f"{record.id}: something else was published since it was verified", hint=hint)
    for path in in_order(digests):
        store.create(path.removeprefix("staged/"), folder / path)
    if candidate and there != candidate:
        store.replace(_TIMESTAMP, (folder / TIMESTAMP).read_bytes(), base)


def in_order(digests: Mapping[str, str]) -> list[str]:
    """Payloads, manifests, then metadata; what a file names is there before the file is. Without the timestamp.

    Root is last: from then on until the new timestamp is there a device may find roles that its new root refuses.
    """
    paths = [path for path in digests if path != TIMESTAMP]
    return sorted(paths, key=lambda path: (_ORDER.index(_kind(path)), path))


_ORDER = ("payloads", "manifests", "payload", "manifest", "targets", "snapshot", "root")
_TIMESTAMP = "metadata/timestamp.json"


def _kind(path: str) -> str:
    """``payloads``, ``manifests``, or what kind of role a metadata file is of."""
    _, tree, name = path.split("/", 2)
    return name.split("/")[0] if tree == "targets" else name.removesuffix(".json").rpartition(".")[2]


def require_no_strangers(workspace: Workspace, digests: Mapping[str, str]) -> None:
    """PUBLISHED-TREE: ``metadata/`` holds versions that were published, those of this record, and nothing else."""
    heads = Lineage(workspace.published, []).heads
    folder = workspace.published / "metadata"
    for name in sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ():
        version, _, role = name.removesuffix(".json").partition(".")
        known = role in heads and version.isdecimal() and 1 <= int(version) <= heads[role].version
        ours = f"staged/metadata/{name}" in digests
        if not (ours or (known and name == file_name(role, int(version))) or name == "timestamp.json"):
            expected = "published versions of the roles in force, and nothing else"
            raise RefusedError(
                RepositoryRule.PUBLISHED_TREE, f"published/metadata/{name}", expected=expected, got="an extra file"
            )
