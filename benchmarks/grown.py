"""A vendor who has published for years: products with a hundred releases each, signed as they would be."""

import contextlib
import hashlib
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.trees import make_published
from enigm_testkit.custodians import SoftKey
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.chunks import SUFFIX, chunk_tree
from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.manifest import ManifestPayload, OtaManifest, Release, Rollout, Stage, write_manifest
from enigm_tuf.model.payload import PAYLOAD_RECORD, Chunks
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.model.tuf import Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.artifacts import Artifact
from enigm_tuf_repository.delegating import product_delegations
from enigm_tuf_repository.lineage import Lineage, file_name, metadata_file, read_signed_file
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.requests import proposal_bytes
from enigm_tuf_repository.role_building import (
    hashed_name,
    payload_record,
    target_file,
    with_delegations,
    with_targets,
    with_versions,
)
from enigm_tuf_repository.settings import settings_in
from enigm_tuf_repository.timestamps import next_timestamp, sign_timestamp

RELEASES = 100  # of each product
KEPT = 10  # in a manifest
LIFE = timedelta(days=365)


def make_grown(path: Path, products: int, *, whole: bool = False) -> Vendor:
    """``phone`` and ``products`` - 1 others. Payloads are tiny; their files are there in a ``whole`` tree only, for a
    release needs none of the old ones."""
    vendor = make_published(path)
    names = ["phone", *(f"product-{number:04}" for number in range(1, products))]
    _Growth(vendor, vendor.clock.now(), whole).publish(names)
    with contextlib.redirect_stdout(io.StringIO()):
        vendor.done("timestamp")
    return vendor


class _Growth:
    def __init__(self, vendor: Vendor, now: datetime, whole: bool) -> None:
        self.vendor, self.now, self.whole = vendor, now, whole
        self.versions: dict[str, int] = {}

    def publish(self, names: Iterable[str]) -> None:
        vendor, workspace = self.vendor, self.vendor.workspace
        lineage, settings = Lineage(workspace.published, []), settings_in(workspace)
        delegations: dict[str, tuple[JsonObject, tuple[KeyRecord, ...]]] = {}
        register = load_register(workspace)
        for name in names:
            delegations |= product_delegations(settings, name)
            register = register.with_product(name, ("stable",))
            self._product(name)
        save_register(workspace, register)
        targets = with_delegations(lineage.require("targets", Targets), delegations, self.now + LIFE)
        self._write("targets", targets, vendor.keys["manifest"][:1])
        before = lineage.require("snapshot", Snapshot)
        snapshot = with_versions(before, self.versions, self.now, self.now + LIFE)
        self._write("snapshot", snapshot, vendor.keys["manifest"][:1])
        self._timestamp(snapshot.version)

    def _product(self, name: str) -> None:
        releases = [_release(name, number, self.now) for number in range(RELEASES, 0, -1)]
        payloads = {item.payloads[0].path: _target(name, item) for item in releases}
        self._write(payload_role(name), with_targets(None, payloads, self.now + LIFE), self.vendor.keys["payload"])
        for target in payloads.values() if self.whole else ():
            self._payload(target)
        data = write_manifest(OtaManifest("staging", name, "stable", tuple(releases[:KEPT])))
        path = f"manifests/{name}/stable.json"
        file = self.vendor.published / "targets" / "manifests" / name / f"{sha256(data)}.stable.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        listed = target_file(
            path, Artifact("stable.json", len(data), {"sha256": sha256(data)}, Chunks(2**20, "0" * 64))
        )
        made = with_targets(None, {path: listed}, self.now + LIFE)
        self._write(manifest_role(name), made, self.vendor.keys["manifest"][:1])

    def _payload(self, target: TargetFile) -> None:
        file = self.vendor.published / "targets" / hashed_name(target)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_content(target.path))
        file.with_name(f"{file.name}{SUFFIX}").write_bytes(hashlib.sha256(_content(target.path)).digest())

    def _write(self, role: str, value: Signed, keys: list[SoftKey]) -> None:
        if "." in role:
            value = type(value).read({**value.raw, "version": RELEASES + 1}, role)
        self.versions[role] = value.version
        data = proposal_bytes(value)  # type: ignore[arg-type]
        signatures = {key.keyid: key.sign(data).hex() for key in keys}
        (self.vendor.published / "metadata" / file_name(role, value.version)).write_bytes(
            metadata_file(data, signatures)
        )

    def _timestamp(self, snapshot: int) -> None:
        """Vouches for the new snapshot, so that a renewal can."""
        published, config = self.vendor.published, self.vendor.workspace.configuration()
        lineage = Lineage(published, [])
        path = published / "metadata" / file_name("snapshot", snapshot)
        head = read_signed_file(path.read_bytes(), "snapshot", str(path))
        before = lineage.value("timestamp", Timestamp)
        timestamp = next_timestamp(before, head, self.now, self.now + timedelta(days=2))
        data = sign_timestamp(config.timestamp_signer, timestamp, lineage.require("root", Root))
        (published / "metadata" / "timestamp.json").write_bytes(data)


def _release(product: str, number: int, now: datetime) -> Release:
    version = f"0.{number}"
    path = f"payloads/{product}/{version}/ota.zip"
    content = _content(path)
    payload = ManifestPayload(path, len(content), {"sha256": sha256(content)}, "full-ota", None)
    rollout = Rollout(now - timedelta(days=RELEASES - number), (Stage(0, 100),), (), halted=False)
    return Release(
        version=version,
        build_id=f"BUILD.{version}",
        security_patch_level="2026-11-05",
        rollback_index=0,
        hardware_ids=("phone-a",),
        applicable_from=None,
        payloads=(payload,),
        rollout=rollout,
        release_notes="Better.",
        minimum_client="0.1.0",
        mandatory=False,
    )


def _target(product: str, release: Release) -> TargetFile:
    payload = release.payloads[0]
    chunks = chunk_tree(hashlib.sha256(_content(payload.path)).digest())
    record = payload_record(product, release, payload, chunks)
    artifact = Artifact("ota.zip", payload.length, payload.hashes, chunks)
    return target_file(payload.path, artifact, PAYLOAD_RECORD.write(record))


def _content(path: str) -> bytes:
    """What lies at a payload's path."""
    return f"the payload of {path}".encode()
