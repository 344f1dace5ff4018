"""The requests of every action, as they should be: each passes every rule of the policy."""

from dataclasses import replace as replace_keys
from datetime import timedelta
from hashlib import sha512
from typing import Any

from tuf.api.metadata import MetaFile, Snapshot, TargetFile, Targets

from enigm_testkit.authorities import (
    NOW,
    Cast,
    extension_of,
    make_role,
    make_root,
    make_snapshot,
    make_targets,
    manifest_only_extension,
    new_signer,
)
from enigm_testkit.requests import Scene, Signed, policy_toml
from enigm_tuf.model.manifest import ManifestPayload, OtaManifest, Release, Rollout, Stage, write_manifest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace

MANIFEST = "manifests/phone/stable.json"
OLD_OTA = "payloads/phone/1.0/ota.zip"
NEW_OTA = "payloads/phone/1.1/ota.zip"


def first_root() -> Scene:
    """The release authority is asked for root version 1; no root is trusted yet."""
    cast = Cast()
    return Scene("release", "root", cast, {"root": make_root(cast)}, policy_toml("release"))


def next_root() -> Scene:
    """The same authority, one root later: it lives ten days longer."""
    scene = first_root()
    scene.root = make_root(scene.cast)
    scene.before = {"root": scene.root}
    scene.proposals = {"root": make_root(scene.cast, 2, extension_of(scene.cast))}
    scene.new_root.expires += timedelta(days=10)
    scene.pin_policy(scene.root)
    return scene


def payload_product() -> Scene:
    """The release authority is asked for the first, empty ``phone.payload``."""
    cast = Cast()
    return Scene("release", "product", cast, {"phone.payload": make_role({})}, policy_toml("release"), make_root(cast))


def manifest_product() -> Scene:
    """The manifest authority is asked to delegate to product ``phone``: its first targets and snapshot."""
    cast = Cast()
    proposals: dict[str, Signed] = {
        "targets": make_targets(cast),
        "phone.manifest": make_role({}),
        "snapshot": make_snapshot({"targets": 1, "phone.manifest": 1, "phone.payload": 1}),
    }
    scene = Scene("manifest", "product", cast, proposals, policy_toml("manifest"), make_root(cast))
    scene.others = {"phone.payload": make_role({})}
    return scene


def payload_release() -> Scene:
    """The release authority is asked for version 1.1 of ``phone``; 1.0 is there."""
    cast = Cast()
    scene = Scene("release", "release", cast, {}, policy_toml("release"), make_root(cast))
    scene.before = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 2)}
    scene.proposals = {"phone.payload": make_role({OLD_OTA: ota("1.0"), NEW_OTA: ota("1.1")}, 3)}
    return scene


def manifest_release() -> Scene:
    """The manifest authority is asked to offer version 1.1 of ``phone`` before 1.0."""
    cast = Cast()
    scene = Scene("manifest", "release", cast, {}, policy_toml("manifest"), make_root(cast))
    scene.earlier = {MANIFEST: write_manifest(manifest(release("1.0")))}
    scene.before = {
        "phone.manifest": make_role({MANIFEST: listed(MANIFEST, scene.earlier[MANIFEST])}, 2),
        "snapshot": make_snapshot({"targets": 1, "phone.manifest": 2, "phone.payload": 2, "tablet.payload": 4}, 2),
    }
    scene.context = {"phone.payload": make_role({OLD_OTA: ota("1.0")}, 2)}
    scene.others = {"phone.payload": make_role({OLD_OTA: ota("1.0"), NEW_OTA: ota("1.1")}, 3)}
    scene.proposals = {
        "phone.manifest": make_role({}, 3),
        "snapshot": make_snapshot({"targets": 1, "phone.manifest": 3, "phone.payload": 3, "tablet.payload": 4}, 3),
    }
    offer(scene, manifest(release("1.1"), release("1.0")))
    return scene


def manifest_roles() -> Scene:
    """After a root with other manifest keys: the manifest authority is asked to sign what it holds anew."""
    scene = manifest_release()
    old, new = replace_keys(scene.cast, manifest=[new_signer(), scene.cast.manifest[1]]), scene.cast
    scene.action, scene.others, scene.earlier = "roles", {}, {}
    shown = write_manifest(manifest(release("1.0")))
    scene.manifests = {MANIFEST: shown}
    kept = {MANIFEST: listed(MANIFEST, shown)}
    versions = {"phone.payload": 2, "tablet.payload": 4}
    scene.before = {
        "targets": make_targets(old),
        "phone.manifest": make_role(dict(kept), 2),
        "snapshot": make_snapshot({"targets": 1, "phone.manifest": 2, **versions}, 2),
    }
    scene.proposals = {
        "targets": make_targets(new),
        "phone.manifest": make_role(dict(kept), 3),
        "snapshot": make_snapshot({"targets": 2, "phone.manifest": 3, **versions}, 3),
    }
    scene.targets("targets").version = 2
    return scene


def payload_roles() -> Scene:
    """After a root with other payload keys: the release authority is asked to sign what it holds anew."""
    scene = payload_release()
    scene.action = "roles"
    del scene.targets("phone.payload").targets[NEW_OTA]
    return scene


def adopted_payloads() -> Scene:
    """After a migration: the release authority is asked to vouch for what the manifests offer already."""
    scene = payload_roles()
    scene.before = {}
    scene.targets("phone.payload").version = 1
    scene.manifests = {MANIFEST: write_manifest(manifest(release("1.0")))}
    scene.root = make_root(scene.cast, 2)
    scene.members["context/root/1.root.json"] = one_authority(manifest_product()).root_file()
    return scene


def one_authority(scene: Scene) -> Scene:
    """The same in model ``manifest-only``: no payload roles, and root is held by the manifest authority."""
    scene.cast.root = scene.cast.manifest
    extension = manifest_only_extension(scene.cast)
    extension["recovery"]["threshold"] = 2
    scene.root = make_root(scene.cast, extension=extension)
    scene.root.roles["root"].threshold = 1
    scene.replace_policy("\nroot = 2", "\nroot = 1")
    scene.others, scene.context = {}, {}
    for values in (scene.before, scene.proposals):
        for value in values.values():
            _without_payload_roles(scene.cast, value)
    return scene


def root_of_one_authority() -> Scene:
    """In that model the manifest authority is asked for the first root."""
    scene = one_authority(manifest_product())
    assert scene.root is not None
    scene.action, scene.proposals = "root", {"root": scene.root}
    scene.root, scene.before = None, {}
    return scene


def _without_payload_roles(cast: Cast, value: Signed) -> None:
    if isinstance(value, Snapshot):
        value.meta = {name: meta for name, meta in value.meta.items() if not name.endswith(".payload.json")}
    elif isinstance(value, Targets) and value.delegations and value.delegations.roles:
        roles = value.delegations.roles.values()
        value.delegations.roles = {role.name: role for role in roles if not role.name.endswith(".payload")}
        value.delegations.keys = {signer.public_key.keyid: signer.public_key for signer in cast.manifest}


def halt() -> Scene:
    """The manifest authority is asked to halt 1.0: the manifest changes, the payload role does not."""
    scene = manifest_release()
    scene.others = {}
    scene.snapshot.meta["phone.payload.json"] = MetaFile(2)
    old = release("1.0")
    offer(scene, manifest(replace(old, rollout=replace(old.rollout, halted=True))))
    return scene


def offer(scene: Scene, new: OtaManifest, channel: str = "stable", path: str = "") -> None:
    """The manifest that the request proposes, listed and shown at the place of ``channel``."""
    path = path or f"manifests/phone/{channel}.json"
    data = write_manifest(replace(new, channel=channel) if channel != "stable" else new)
    scene.manifests[path] = data
    scene.targets("phone.manifest").targets[path] = listed(path, data)


def listed(path: str, data: bytes, custom: dict[str, Any] | None = None) -> TargetFile:
    hashes = {"sha256": sha256(data), "sha512": sha512(data).hexdigest()}
    return TargetFile(len(data), hashes, path, {"custom": custom} if custom else None)


def ota(version: str, **changes: Any) -> TargetFile:
    """The payload of a version of ``phone``; ``changes`` replace fields of its record."""
    custom: dict[str, Any] = {
        "schema": 1,
        "product": "phone",
        "version": version,
        "build_id": f"BUILD.{version}",
        "rollback_index": 1,
        "hardware_ids": ["phone-a"],
        "type": "full-ota",
        "provenance": [],
        "chunks": {"size": 1048576, "root": "c" * 64},
    }
    return listed(f"payloads/phone/{version}/ota.zip", _bytes_of(version), custom | changes)


def release(version: str) -> Release:
    """What the manifest says about the same version."""
    file = listed("", _bytes_of(version))
    payload = ManifestPayload(f"payloads/phone/{version}/ota.zip", file.length, dict(file.hashes), "full-ota", None)
    return Release(
        version=version,
        build_id=f"BUILD.{version}",
        security_patch_level="2026-11-05",
        rollback_index=1,
        hardware_ids=("phone-a",),
        applicable_from=None,
        payloads=(payload,),
        rollout=Rollout(NOW, (Stage(0, 100),), (), halted=False),
        release_notes="",
        minimum_client="0.1",
        mandatory=False,
    )


def manifest(*releases: Release) -> OtaManifest:
    return OtaManifest("staging", "phone", "stable", releases)


def _bytes_of(version: str) -> bytes:
    return f"ota {version}".encode()
