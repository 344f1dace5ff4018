"""Forgeries that change who may sign: delegations, and roots."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from securesystemslib.signer import CryptoSigner

from enigm_testkit.authorities import extension_of, key_info, keyids
from enigm_testkit.histories.world import DELEGATED, THIEF, VENDOR, Json, World
from enigm_tuf.model.root_extension import FIELD

Forgery: TypeAlias = Callable[[World, int], set[str]]


def _take_over_role(role: str, threshold: int) -> Forgery:
    """``targets`` gives a product role to the thief; every third time beside the owner's keys."""

    def forgery(world: World, number: int) -> set[str]:
        delegations = world.docs["targets"]["delegations"]
        thieves = THIEF.payload[: threshold + 1]
        delegations["keys"] |= _public(thieves)
        for item in delegations["roles"]:
            if item["name"] == role:
                item["keyids"] = keyids(thieves) + (item["keyids"] if number % 3 == 0 else [])
                item["threshold"] = 1 + number % 2
        return {"targets", role}

    return forgery


def _twin_payload_key(world: World, number: int) -> set[str]:
    """One payload key stands under two keyids, so that it meets a threshold of two by itself."""
    signer = VENDOR.payload[number % 2]
    key, delegations = signer.public_key, world.docs["targets"]["delegations"]
    delegations["keys"]["f" * 64] = _public([signer])[key.keyid]
    for item in delegations["roles"]:
        if item["name"] == "phone.payload":
            item["keyids"] = [key.keyid, "f" * 64]
    return {"targets", "phone.payload"}


def _another_role(world: World, number: int) -> set[str]:
    """A role of the thief's before all others, for payloads or manifests, terminating or not."""
    name = ("evil", "phone2.payload", "phone.payload2", "tablet.manifest")[number % 4]
    keys = (THIEF.manifest, VENDOR.manifest, VENDOR.payload)[number % 3]
    delegations = world.docs["targets"]["delegations"]
    delegations["keys"] |= _public(keys)
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
        holder["keys"][after.keyid] = copy.deepcopy(after.to_dict())


def _public(signers: Sequence[CryptoSigner]) -> Json:
    """Key objects by keyid; copies, since python-tuf gives out its own."""
    return {signer.public_key.keyid: copy.deepcopy(signer.public_key.to_dict()) for signer in signers}


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


def _one_key_for_both(world: World, number: int) -> set[str]:
    """The manifest authority's keys, or those of root, sign payloads."""
    keys = (VENDOR.manifest, VENDOR.root)[number % 2]
    authorities = world.docs["root"][FIELD]["authorities"]
    authorities["release"] = authorities.get("release", {}) | {
        "keyids": keyids([*VENDOR.root, *VENDOR.payload, *VENDOR.manifest]),
        "payload_keyids": keyids(keys[:2]),
    }
    delegations = world.docs["targets"]["delegations"]
    delegations["keys"] |= _public(keys)
    for item in delegations["roles"]:
        if item["name"] == "phone.payload":
            item["keyids"] = keyids(keys[:2])
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


TAKEOVERS: dict[str, Forgery] = {
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
    "one key for both authorities": _one_key_for_both,
    "down to manifest-only": _down_to_manifest_only,
}
