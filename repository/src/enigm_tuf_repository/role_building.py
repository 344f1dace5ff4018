"""The next version of targets, snapshot and the product roles. Nothing here is trusted until it is signed."""

from collections.abc import Mapping
from datetime import datetime

from tuf.api.metadata import DelegatedRole, Delegations, MetaFile, Snapshot, TargetFile, Targets

from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.trust.delegation_rules import delegated_paths
from enigm_tuf_client.download import hashed_path
from enigm_tuf_repository.artifacts import Artifact
from enigm_tuf_repository.root_building import tuf_key


def product_role(name: str, keys: tuple[KeyRecord, ...], threshold: int) -> DelegatedRole:
    """The terminating delegation of one product role."""
    keyids = [record.keyid for record in keys]
    return DelegatedRole(name, keyids, threshold, terminating=True, paths=delegated_paths(name))


def with_delegations(
    targets: Targets | None, roles: Mapping[str, tuple[DelegatedRole, tuple[KeyRecord, ...]]], expires: datetime
) -> Targets:
    """The next ``targets``: what it had, and ``roles`` with their keys."""
    before = targets.delegations if targets else None
    keys = dict(before.keys) if before else {}
    delegated = dict(before.roles or {}) if before else {}
    for name, (role, records) in roles.items():
        keys |= {record.keyid: tuf_key(record) for record in records}
        delegated[name] = role
    version = targets.version + 1 if targets else 1
    return Targets(version=version, expires=expires, delegations=Delegations(keys, delegated))


def with_targets(role: Targets | None, targets: Mapping[str, TargetFile], expires: datetime) -> Targets:
    """The next version of a product role: what it listed, with ``targets`` added or replaced."""
    version = role.version + 1 if role else 1
    return Targets(version=version, expires=expires, targets=(dict(role.targets) if role else {}) | dict(targets))


def with_versions(snapshot: Snapshot | None, versions: Mapping[str, int], expires: datetime) -> Snapshot:
    """The next snapshot: every role that it had, with the new versions of ``versions``."""
    meta = dict(snapshot.meta) if snapshot else {}
    meta |= {f"{role}.json": MetaFile(version) for role, version in versions.items()}
    return Snapshot(version=snapshot.version + 1 if snapshot else 1, expires=expires, meta=meta)


def target_file(path: str, artifact: Artifact, custom: Mapping[str, object] | None = None) -> TargetFile:
    """A target with both hashes; ``custom`` holds the payload record."""
    extra = {"custom": dict(custom)} if custom else {}
    return TargetFile(artifact.length, dict(artifact.hashes), path, unrecognized_fields=extra)


def hashed_name(target: TargetFile) -> str:
    """The path of a target's file below ``targets/`` (TUF specification 6.2)."""
    return hashed_path(target.path, target.hashes["sha256"])
