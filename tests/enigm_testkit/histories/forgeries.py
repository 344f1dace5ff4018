"""What a thief changes in a copy of the vendor's world before it is signed again with the stolen keys.

Each forgery gets the world and a number to choose by, and returns the roles that must be signed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from enigm_testkit.histories.takeovers import TAKEOVERS, Forgery
from enigm_testkit.histories.world import Json, World, ota_bytes
from enigm_testkit.scenes import manifest, ota, release
from enigm_tuf.model.manifest import write_manifest
from enigm_tuf.model.root_extension import FIELD

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


CONTENT: dict[str, Forgery] = {
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
    "other versions": _versions,
    "unlisted": _unlisted,
}
FORGERIES = CONTENT | TAKEOVERS


def in_order(name: str) -> tuple[bool, bool]:
    """Forgeries that leave nothing for others to work on come last."""
    return name.startswith("tweak"), name == "down to manifest-only"
