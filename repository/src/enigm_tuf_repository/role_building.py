"""The next version of targets, snapshot and the product roles. Nothing here is trusted until it is signed."""

import copy
from collections.abc import Container, Mapping
from datetime import datetime

from enigm_tuf.model.issued import issued_field
from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.manifest import ManifestPayload, Release
from enigm_tuf.model.payload import Chunks, PayloadRecord
from enigm_tuf.model.plain_snapshot import PlainSnapshot
from enigm_tuf.model.plain_targets import PlainTargets
from enigm_tuf.model.shapes import Time
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.tuf import Signed, Snapshot, TargetFile, Targets
from enigm_tuf.trust.delegation_rules import delegated_paths
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_repository.artifacts import Artifact
from enigm_tuf_repository.splicing import with_spliced, with_spliced_versions

SPECIFICATION = "1.0.33"


def signed_part(kind: type[Signed], version: int, expires: datetime) -> JsonObject:
    """What the ``signed`` object of every role has (TUF specification 4.2.1)."""
    return {"_type": kind.type, "spec_version": SPECIFICATION, "version": version, "expires": Time().write(expires)}


def product_role(name: str, keys: tuple[KeyRecord, ...], threshold: int) -> JsonObject:
    """The terminating delegation of one product role (4.5)."""
    return {
        "name": name,
        "keyids": [record.keyid for record in keys],
        "threshold": threshold,
        "terminating": True,
        "paths": delegated_paths(name),
    }


def with_delegations(
    targets: Targets | None, roles: Mapping[str, tuple[JsonObject, tuple[KeyRecord, ...]]], expires: datetime
) -> Targets:
    """The next ``targets``: ``roles`` with their keys, each in place of the one of that name, or behind the rest."""
    before = targets.raw.get("delegations") if targets else None
    delegations = copy.deepcopy(before) if before else {"keys": {}, "roles": []}
    by_name = {item["name"]: item for item in delegations["roles"]} | {name: role for name, (role, _) in roles.items()}
    keys = delegations["keys"] | {record.keyid: record.key for _, records in roles.values() for record in records}
    used = {keyid for role in by_name.values() for keyid in role["keyids"]}
    delegations["keys"] = {keyid: copy.deepcopy(key) for keyid, key in keys.items() if keyid in used}
    delegations["roles"] = list(by_name.values())
    return Targets.read({**_next(Targets, targets, expires), "targets": {}, "delegations": delegations}, "targets")


def without_product(targets: Targets, product: str, expires: datetime) -> Targets:
    """The next ``targets``: without the roles of ``product``, and without keys that no other role has."""
    delegations = copy.deepcopy(targets.raw["delegations"])
    left = [item for item in delegations["roles"] if item["name"].rpartition(".")[0] != product]
    used = {keyid for role in left for keyid in role["keyids"]}
    kept = {keyid: key for keyid, key in delegations["keys"].items() if keyid in used}
    new = {**delegations, "keys": kept, "roles": left}
    return Targets.read({**_next(Targets, targets, expires), "targets": {}, "delegations": new}, "targets")


def with_targets(
    role: Targets | None, targets: Mapping[str, TargetFile], expires: datetime, without: Container[str] = ()
) -> Targets:
    """The next version of a product role: what it listed, ``without`` those paths, ``targets`` added or replaced."""
    signed = _next(Targets, role, expires)
    new = {path: target_object(target) for path, target in targets.items()}
    if isinstance(role, PlainTargets) and not without and (made := with_spliced(role, signed, new)):
        return made
    before = {path: item for path, item in _listed(role).items() if path not in without}
    return Targets.read({**signed, "targets": {**before, **new}}, "product role")


def _listed(role: Targets | None) -> Mapping[str, JsonObject]:
    if isinstance(role, PlainTargets):
        return {target.path: target_object(target) for target in role.targets.values()}
    return role.raw["targets"] if role else {}


def with_versions(snapshot: Snapshot | None, versions: Mapping[str, int], now: datetime, expires: datetime) -> Snapshot:
    """The next snapshot: every role that it had, with the new versions of ``versions``; it says that it is ``now``."""
    new = {f"{role}.json": {"version": version} for role, version in versions.items()}
    signed = {**_next(Snapshot, snapshot, expires), **issued_field(now)}
    if isinstance(snapshot, PlainSnapshot):
        if made := with_spliced_versions(snapshot, signed, new):
            return made
        before: Mapping[str, JsonObject] = {name: {"version": meta.version} for name, meta in snapshot.meta.items()}
    else:
        before = snapshot.raw["meta"] if snapshot else {}
    return Snapshot.read({**signed, "meta": {**before, **new}}, "snapshot")


def target_file(path: str, artifact: Artifact, custom: Mapping[str, object] | None = None) -> TargetFile:
    """A target with both hashes; ``custom`` holds the payload record."""
    return TargetFile(path, artifact.length, dict(artifact.hashes), {"custom": dict(custom)} if custom else {})


def hashed_name(target: TargetFile) -> str:
    """The path of a target's file below ``targets/`` (TUF specification 6.2)."""
    return hashed_path(target.path, target.hashes["sha256"])


def _next(kind: type[Signed], before: Signed | None, expires: datetime) -> JsonObject:
    return signed_part(kind, before.version + 1 if before else 1, expires)


def target_object(target: TargetFile) -> JsonObject:
    """As a role lists it."""
    return {"length": target.length, "hashes": dict(target.hashes), **target.unrecognized_fields}


def payload_record(
    product: str, release: Release, payload: ManifestPayload, chunks: Chunks, provenance: tuple[str, ...] = ()
) -> PayloadRecord:
    """What the manifest says of a payload, in the form of a record. ``provenance`` are SHA-256 of statements."""
    return PayloadRecord(
        product=product,
        version=release.version,
        build_id=release.build_id,
        rollback_index=release.rollback_index,
        hardware_ids=release.hardware_ids,
        type=payload.type,
        source_build=payload.source_build,
        provenance=provenance,
        chunks=chunks,
    )
