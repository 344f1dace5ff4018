"""What a thief changes in a copy of the vendor's world before it is signed again with the stolen keys.

Each forgery gets the world and a number to choose by, and returns the roles that must be signed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from enigm_testkit.authorities import extension_of, key_info, keyids
from enigm_testkit.histories.world import DELEGATED, THIEF, VENDOR, Json, World, ota_bytes
from enigm_testkit.scenes import manifest, ota, release
from enigm_tuf.model.manifest import write_manifest
from enigm_tuf.model.root_extension import FIELD

Forgery = Callable[[World, int], set[str]]
Place = tuple[Any, Any]
"""A container and the key or index of a leaf in it."""


def _leaves(value: Any) -> Iterator[Place]:
    """All places of texts, numbers and truths below ``value``, and all lists that can lose an item."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from _leaves(item)
        yield value, key


def _tweak(value: Any, number: int) -> None:
    """Change one place: a little more, another text, the opposite, one item less, or nothing there at all."""
    places = list(_leaves(value))
    if not places:
        return
    container, key = places[number % len(places)]
    old = container[key]
    if isinstance(old, bool):
        container[key] = not old
    elif isinstance(old, int):
        container[key] = max(0, old + (1, -1, 1000)[number % 3])
    elif isinstance(old, str):
        container[key] = (_other_text(old), "1.0", "phone-a", "")[number % 4]
    elif isinstance(old, list) and old:
        del old[0]
    else:
        del container[key]


def _other_text(text: str) -> str:
    return text[:-1] + ("0" if text[-1:] != "0" else "1")


def _newest(world: World) -> Json:
    releases: list[Json] = world.manifest["releases"]
    return releases[0] if releases else {}


def _tweak_manifest(world: World, number: int) -> set[str]:
    _tweak(world.manifest, number)
    return {"phone.manifest"}


def _tweak_record(world: World, number: int) -> set[str]:
    _tweak(world.docs["phone.payload"]["targets"], number)
    return {"phone.payload"}


def _tweak_targets(world: World, number: int) -> set[str]:
    _tweak(world.docs["targets"]["delegations"], number)
    return {"targets"}


def _tweak_root(world: World, number: int) -> set[str]:
    _tweak(world.docs["root"][FIELD] if number % 2 else world.docs["root"]["roles"], number // 2)
    return {"root"}


def _evil_payload_in_manifest(world: World, number: int) -> set[str]:
    """The manifest names bytes of the thief's; with an odd number under the path of the honest ones."""
    evil = b"evil" * (number % 50 + 1)
    for payload in _newest(world).get("payloads", [])[:1]:
        payload |= {"length": len(evil), "hashes": _hashes(evil)}
        if number % 2 == 0:
            payload["path"] = "payloads/phone/9.9/ota.zip"
        _serve(world, payload["path"], evil)
    return {"phone.manifest"}


def _evil_payload_in_record(world: World, number: int) -> set[str]:
    """The same bytes in the payload role."""
    evil = b"evil" * (number % 50 + 1)
    targets = world.docs["phone.payload"]["targets"]
    for path in sorted(targets)[-1:]:
        targets["payloads/phone/9.9/ota.zip"] = targets[path] | {"length": len(evil), "hashes": _hashes(evil)}
        targets[path] = targets["payloads/phone/9.9/ota.zip"]
    return {"phone.payload"}


def _evil_payload_in_both(world: World, number: int) -> set[str]:
    return _evil_payload_in_manifest(world, number) | _evil_payload_in_record(world, number)


def _hashes(data: bytes) -> dict[str, str]:
    return {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha512")}


def _serve(world: World, path: str, data: bytes) -> None:
    folder, _, name = path.rpartition("/")
    world.files[f"targets/{folder}/{hashlib.sha256(data).hexdigest()}.{name}"] = data


def _old_release_as_newest(world: World, number: int) -> set[str]:
    """The manifest offers 1.0 again; with an odd number as if its rollback index were high."""
    offered = json.loads(write_manifest(manifest(release("1.0"))))["releases"]
    offered[0]["rollback_index"] = 1000 if number % 2 else 1
    world.manifest["releases"] = offered
    return {"phone.manifest"}


def _old_release_in_both(world: World, number: int) -> set[str]:
    """Both accounts say that 1.0 is high."""
    target = ota("1.0", rollback_index=1000 if number % 2 else 1)
    world.docs["phone.payload"]["targets"][target.path] = target.to_dict()
    return _old_release_as_newest(world, number) | {"phone.payload"}


def _other_bytes(world: World, number: int) -> set[str]:
    """The server gives other bytes for every payload: one bit, one byte more or less, or the thief's own."""
    for path in [path for path in world.files if path.startswith("targets/payloads/")]:
        data = world.files[path]
        flipped = bytes([data[0] ^ 1]) + data[1:] if data else b"x"
        world.files[path] = (flipped, data + b"x", data[:-1], b"evil", b"")[number % 5]
    return set()


def _take_over_role(role: str, threshold: int) -> Forgery:
    """``targets`` gives a product role to the thief; every third time beside the owner's keys."""

    def forgery(world: World, number: int) -> set[str]:
        delegations = world.docs["targets"]["delegations"]
        thieves = THIEF.payload[: threshold + 1]
        delegations["keys"] |= {key.public_key.keyid: key.public_key.to_dict() for key in thieves}
        for item in delegations["roles"]:
            if item["name"] == role:
                item["keyids"] = keyids(thieves) + (item["keyids"] if number % 3 == 0 else [])
                item["threshold"] = 1 + number % 2
        return {"targets", role}

    return forgery


def _twin_payload_key(world: World, number: int) -> set[str]:
    """One payload key stands under two keyids, so that it meets a threshold of two by itself."""
    key = VENDOR.payload[number % 2].public_key
    delegations = world.docs["targets"]["delegations"]
    delegations["keys"]["f" * 64] = key.to_dict()
    for item in delegations["roles"]:
        if item["name"] == "phone.payload":
            item["keyids"] = [key.keyid, "f" * 64]
    return {"targets", "phone.payload"}


def _another_role(world: World, number: int) -> set[str]:
    """A role of the thief's before all others, for payloads or manifests, terminating or not."""
    name = ("evil", "phone2.payload", "phone.payload2", "tablet.manifest")[number % 4]
    keys = (THIEF.manifest, VENDOR.manifest, VENDOR.payload)[number % 3]
    delegations = world.docs["targets"]["delegations"]
    delegations["keys"] |= {key.public_key.keyid: key.public_key.to_dict() for key in keys}
    paths = ["payloads/phone/*/*", "manifests/phone/*"][: 1 + number % 2]
    role = {"name": name, "keyids": keyids(keys), "threshold": 1, "terminating": number % 5 > 0, "paths": paths}
    delegations["roles"].insert(0, role)
    world.docs[name] = {**world.docs["phone.payload"], "version": 0}
    return {"targets", name}


def _payload_listed_elsewhere(world: World, number: int) -> set[str]:
    """The record stands in a role of the manifest authority instead."""
    records = world.docs["phone.payload"]["targets"]
    role = ("targets", "phone.manifest")[number % 2]
    world.docs[role]["targets"] |= records
    if number % 3:
        world.docs["phone.payload"]["targets"] = {}
    if number % 2:
        for item in world.docs["targets"]["delegations"]["roles"]:
            item["paths"] = ["*/*/*", "*/*/*/*"]
    return {role, "targets", "phone.payload"}


def _root_with_thief(*parts: str) -> Forgery:
    """A root in which the thief's keys stand for those of manifest, payload, timestamp or root."""

    def forgery(world: World, number: int) -> set[str]:
        root = world.docs["root"]
        for part in parts:
            old, new = getattr(VENDOR, part), getattr(THIEF, part)
            for before, after in list(zip(old, new, strict=True))[number % 2 :]:
                _replace_key(root, before.public_key, after.public_key)
                _replace_key(world.docs["targets"]["delegations"], before.public_key, after.public_key)
                root[FIELD]["keyinfo"][after.public_key.keyid] = key_info(after)
        return {"root", *DELEGATED}

    return forgery


def _replace_key(holder: Json, before: Any, after: Any) -> None:
    text = json.dumps({name: value for name, value in holder.items() if name != "keys"})
    holder |= json.loads(text.replace(before.keyid, after.keyid))
    if holder["keys"].pop(before.keyid, None) is not None:
        holder["keys"][after.keyid] = after.to_dict()


def _lower_thresholds(world: World, number: int) -> set[str]:
    """All thresholds of root at one, or those of the payload roles, or of recovery."""
    root, extension = world.docs["root"], world.docs["root"][FIELD]
    if number % 3 == 0 or "release" not in extension["authorities"]:  # forged to one authority before
        root["roles"]["root"]["threshold"] = 1
        extension["recovery"]["threshold"] = 2
    elif number % 3 == 1:
        extension["authorities"]["release"]["payload_threshold"] = 1
        for item in world.docs["targets"]["delegations"]["roles"]:
            item["threshold"] = 1
    else:
        extension["authorities"]["release"] |= {"payload_keyids": keyids(VENDOR.root), "payload_threshold": 1}
    return {"root", "targets", "phone.payload"}


def _down_to_manifest_only(world: World, number: int) -> set[str]:
    """One authority again; with an odd number the manifest authority holds root as well."""
    extension = extension_of(VENDOR)
    extension["authority_model"] = "manifest-only"
    del extension["authorities"]["release"], extension["policies"]["release"]
    if number % 2:
        world.docs["root"]["roles"]["root"]["keyids"] = keyids(VENDOR.manifest)
        extension["recovery"]["threshold"] = 2
        world.docs["root"]["roles"]["root"]["threshold"] = 1
    world.docs["root"][FIELD] = extension
    delegations = world.docs["targets"]["delegations"]
    delegations["roles"] = [item for item in delegations["roles"] if item["name"] == "phone.manifest"]
    return {"root", "targets", "phone.manifest"}


def _versions(world: World, number: int) -> set[str]:
    """Old or far versions with valid keys."""
    roles = sorted(world.docs)
    signed = world.docs[roles[number % len(roles)]]
    signed["version"] = max(0, signed["version"] + (-2, -1, 1, 1000)[number % 4])
    return {roles[number % len(roles)]} - {"snapshot", "timestamp"}


def _unlisted(world: World, number: int) -> set[str]:
    """The payload record is gone, or its bytes are."""
    if number % 2:
        world.docs["phone.payload"]["targets"] = {}
    else:
        _serve(world, "payloads/phone/1.0/ota.zip", ota_bytes("1.0"))
    return {"phone.payload"}


FORGERIES: dict[str, Forgery] = {
    "tweak the manifest": _tweak_manifest,
    "tweak the record": _tweak_record,
    "tweak the delegations": _tweak_targets,
    "tweak the root": _tweak_root,
    "evil payload in the manifest": _evil_payload_in_manifest,
    "evil payload in the record": _evil_payload_in_record,
    "evil payload in both": _evil_payload_in_both,
    "old release as newest": _old_release_as_newest,
    "old release in both": _old_release_in_both,
    "other bytes": _other_bytes,
    "take over the payload role": _take_over_role("phone.payload", 2),
    "take over the manifest role": _take_over_role("phone.manifest", 1),
    "one payload key under two keyids": _twin_payload_key,
    "another role": _another_role,
    "payload listed elsewhere": _payload_listed_elsewhere,
    "thief's manifest authority": _root_with_thief("manifest"),
    "thief's payload keys": _root_with_thief("payload"),
    "thief's both": _root_with_thief("manifest", "payload"),
    "thief's timestamp": _root_with_thief("timestamp"),
    "lower thresholds": _lower_thresholds,
    "down to manifest-only": _down_to_manifest_only,
    "other versions": _versions,
    "unlisted": _unlisted,
}
