"""A vendor with both authorities, in memory, as raw JSON: what an honest repository serves, and how one is signed."""

from __future__ import annotations

import copy
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner

from enigm_testkit.authorities import (
    NOW,
    Cast,
    keyids,
    make_role,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
)
from enigm_testkit.scenes import MANIFEST, listed, manifest, ota, release
from enigm_tuf.errors import NotFoundError, TransportError
from enigm_tuf.model.chunks import chunk_tree
from enigm_tuf.model.manifest import write_manifest
from enigm_tuf.model.value import as_dict, replace
from enigm_tuf.ports import Channel, Source

Json = dict[str, Any]
VENDOR, THIEF = Cast(), Cast()
"""The vendor's keys, and those that an attacker makes."""
OWNERS: dict[str, list[CryptoSigner]] = {
    "root": VENDOR.root,
    "timestamp": VENDOR.timestamp,
    "snapshot": VENDOR.manifest,
    "targets": VENDOR.manifest,
    "phone.manifest": VENDOR.manifest,
    "phone.payload": VENDOR.payload,
}
_LIFETIMES = defaultdict(
    lambda: timedelta(days=30), root=timedelta(days=365), targets=timedelta(days=90), timestamp=timedelta(days=2)
)
DELEGATED = ("targets", "phone.manifest", "phone.payload")


def signed_json(signed: Json, signers: Iterable[CryptoSigner]) -> bytes:
    """The file: canonical JSON under each signature."""
    data = cast("str", encode_canonical(signed)).encode()
    signatures = [{"keyid": signer.public_key.keyid, "sig": signer.sign(data).signature} for signer in signers]
    return json.dumps({"signatures": signatures, "signed": signed}).encode()


def ota_bytes(version: str) -> bytes:
    """The payload that ``scenes.ota`` describes."""
    return f"ota {version}".encode()


@dataclass
class World:
    """``docs`` are the signed parts by role, ``manifest`` the OTA manifest, ``files`` all that is served, by path.

    What is published expires in so many days after ``now`` as the testkit's makers give it after NOW.
    """

    docs: dict[str, Json]
    manifest: Json
    files: dict[str, bytes] = field(default_factory=dict)
    now: datetime = NOW

    def copied(self) -> World:
        return World(copy.deepcopy(self.docs), copy.deepcopy(self.manifest), dict(self.files), self.now)

    def publish(self, changed: Iterable[str], thief: Sequence[CryptoSigner] | None = None) -> None:
        """Sign the ``changed`` roles, then snapshot and timestamp, each one version on; by ``thief`` or the owners."""
        data = json.dumps(self.manifest).encode()
        target = listed(MANIFEST, data)
        self.docs["phone.manifest"]["targets"][MANIFEST] = target.to_dict()
        self.files[_target_path(MANIFEST, data)] = data
        for role in [role for role in self.docs if role in changed]:
            self._sign(role, thief)
            if role not in {"root", "snapshot", "timestamp"}:
                self.docs["snapshot"]["meta"][f"{role}.json"] = {"version": self.docs[role]["version"]}
        snapshot = self._sign("snapshot", thief)
        self.docs["timestamp"]["meta"]["snapshot.json"] = {
            "version": self.docs["snapshot"]["version"],
            "length": len(snapshot),
            "hashes": {"sha256": hashlib.sha256(snapshot).hexdigest()},
        }
        self._sign("timestamp", thief)

    def _sign(self, role: str, thief: Sequence[CryptoSigner] | None) -> bytes:
        signed = self.docs[role]
        signed["version"] += 1
        signed["expires"] = f"{self.now + _LIFETIMES[role]:%Y-%m-%dT%H:%M:%SZ}"
        data = signed_json(signed, OWNERS[role] if thief is None else self._thieves(role, thief))
        prefix = "" if role == "timestamp" else f"{signed['version']}."
        self.files[f"metadata/{prefix}{role}.json"] = data
        return data

    def _thieves(self, role: str, thief: Sequence[CryptoSigner]) -> Sequence[CryptoSigner]:
        """A role that was given to the thief's own keys is signed by them alone, so that it shows."""
        own = set(keyids(THIEF.everybody()))
        roles = self.docs["targets"]["delegations"].get("roles", [])
        taken_over = any(own & set(item["keyids"]) for item in roles if item["name"] == role)
        return THIEF.everybody() if taken_over else thief

    def catch_up(self) -> None:
        """Publish everything but root with versions beyond those that a thief of online keys may have used."""
        for role in self.docs.keys() - {"root"}:
            self.docs[role]["version"] += 5
        self.publish(DELEGATED)

    def add_release(self, version: str, rollback_index: int) -> None:
        """The newest release, by both authorities."""
        data = ota_bytes(version)
        chunks = as_dict(chunk_tree(hashlib.sha256(data).digest()))
        target = ota(version, rollback_index=rollback_index, chunks=chunks)
        self.docs["phone.payload"]["targets"][target.path] = target.to_dict()
        entry = manifest(replace(release(version), rollback_index=rollback_index))
        self.manifest["releases"][:0] = json.loads(write_manifest(entry))["releases"]
        self.files[_target_path(target.path, data)] = data


def _target_path(path: str, data: bytes) -> str:
    folder, _, name = path.rpartition("/")
    return f"targets/{folder}/{hashlib.sha256(data).hexdigest()}.{name}"


def first_world() -> World:
    """Root 1, product ``phone``, release 1.0 with rollback index 1."""
    values = {
        "root": make_root(VENDOR),
        "targets": make_targets(VENDOR),
        "phone.manifest": make_role({}),
        "phone.payload": make_role({}),
        "snapshot": make_snapshot({}),
        "timestamp": make_timestamp(),
    }
    docs = {role: value.to_dict() for role, value in values.items()}
    for signed in docs.values():
        signed["version"] = 0
    world = World(docs, json.loads(write_manifest(manifest())))
    world.add_release("1.0", 1)
    world.publish(["root", *DELEGATED])
    return world


class WorldFetcher:
    """Implements ``enigm_tuf.ports.Fetcher``."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def channel(self) -> Channel:
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError when it is longer than ``max_bytes``."""
        data = self._get(path)
        if len(data) > max_bytes:
            raise TransportError(f"{path}: longer than {max_bytes}")
        return data

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """Bytes ``start`` to ``stop``."""
        return _Bytes(self._get(path)[start:stop])

    def _get(self, path: str) -> bytes:
        if path not in self.files:
            raise NotFoundError(path)
        return self.files[path]


class _Bytes(io.BytesIO):
    """Bytes as a ``Source``."""
