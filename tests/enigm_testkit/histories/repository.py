"""A TUF repository in memory, on python-tuf's public API, of which every published state is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from securesystemslib.signer import Key
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from enigm_testkit.histories.keys import BY_KEYID, EXOTIC, SoftSigner

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)
Value: TypeAlias = Root | Timestamp | Snapshot | Targets
START = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
TOP = ("root", "timestamp", "snapshot", "targets")
_HOURS = {"root": 2000, "timestamp": 300, "snapshot": 400}


class Repository:
    """Change it, then ``publish()``. ``dirty`` roles get a new version and new signatures.

    ``hours`` are lifetimes for the next publication alone. ``files`` is what lies on the server, by path; ``history``
    the bytes of each role after each publication.
    """

    def __init__(self, keys: Mapping[str, Sequence[SoftSigner]], *, consistent: bool, meta_style: int) -> None:
        self.now = START
        self.meta_style = meta_style
        self.root = _unpublished(Root(consistent_snapshot=consistent))
        self.root_keyids: list[str] = []
        self.timestamp = _unpublished(Timestamp())
        self.snapshot = _unpublished(Snapshot())
        self.targets = {"targets": _unpublished(Targets())}
        self.hours: dict[str, int] = {}
        self.dirty = {"root", "targets"}
        self.files: dict[str, bytes] = {}
        self.current: dict[str, bytes] = {}
        self.history: list[dict[str, bytes]] = []
        for role in TOP:
            self.rotate(role, keys[role], 1)
        self.publish()

    def roles(self) -> list[str]:
        return [*TOP[:3], *self.targets]

    def delegations_of(self, role: str) -> list[tuple[str, Role]]:
        """(delegator, definition) for each place where the role's keys are named; delegator ``root`` at the top."""
        if role in TOP:
            return [("root", self.root.roles[role])]
        found: list[tuple[str, Role]] = []
        for name, parent in self.targets.items():
            if parent.delegations is not None:
                roles, succinct = parent.delegations.roles, parent.delegations.succinct_roles
                if roles is not None and role in roles:
                    found.append((name, roles[role]))
                elif succinct is not None and succinct.is_delegated_role(role):
                    found.append((name, succinct))
        return found

    def signers(self, role: str) -> list[SoftSigner]:
        """Everybody whose signature could count now; for root those of its predecessor too."""
        keyids = [keyid for _, definition in self.delegations_of(role) for keyid in definition.keyids]
        if role == "root":
            keyids += self.root_keyids
        return [BY_KEYID[keyid] for keyid in dict.fromkeys(keyids) if keyid in BY_KEYID]

    def rotate(self, role: str, keys: Sequence[SoftSigner], threshold: int, *, exotic: bool = False) -> None:
        """New keys and threshold, wherever the role is delegated."""
        known: dict[str, Key] = {key.keyid: key.public_key for key in keys}
        if exotic:
            known[EXOTIC.keyid] = EXOTIC
        if role == "root" and self.root.version:
            self.root_keyids = list(self.root.roles["root"].keyids)
        for parent, definition in self.delegations_of(role):
            definition.keyids = list(known)
            definition.threshold = threshold
            holder = self.root if parent == "root" else self.targets[parent].delegations
            if holder is not None:
                holder.keys.update(known)
            same_keys = definition.get_roles() if isinstance(definition, SuccinctRoles) else [role]
            self.dirty |= {parent, *same_keys} & {"root", *self.targets}

    def delegate(self, parent: str, role: DelegatedRole, keys: Sequence[SoftSigner]) -> None:
        """Add or replace one delegation."""
        delegations = self.targets[parent].delegations
        if delegations is None or delegations.roles is None:
            delegations = self.targets[parent].delegations = Delegations({}, {})
        assert delegations.roles is not None
        delegations.roles[role.name] = role
        delegations.keys.update({key.keyid: key.public_key for key in keys})
        self._ensure(role.name)
        self.dirty |= {parent, role.name}

    def delegate_bins(self, parent: str, bits: int, keys: Sequence[SoftSigner]) -> None:
        """TAP 15 instead of whatever ``parent`` delegated before."""
        bins = SuccinctRoles([key.keyid for key in keys], 1, bits, "bin")
        public = {key.keyid: key.public_key for key in keys}
        self.targets[parent].delegations = Delegations(public, succinct_roles=bins)
        self.dirty.add(parent)
        for name in bins.get_roles():
            self._ensure(name)

    def _ensure(self, name: str) -> None:
        if name not in self.targets:
            self.targets[name] = _unpublished(Targets())
        self.dirty.add(name)

    def list_target(self, role: str, path: str, content: bytes | None) -> None:
        """None takes the target away."""
        self.targets[role].targets.pop(path, None)
        if content is not None:
            self.targets[role].targets[path] = TargetFile.from_data(path, content, ["sha256"])
        self.dirty.add(role)

    def jump(self, role: str, by: int) -> None:
        """The next version is ``by`` further than it would be; by a negative number a rollback with valid keys."""
        value = self.value(role)
        value.version = max(0, value.version + by)
        self.dirty |= {role} & set(self.targets)

    def value(self, role: str) -> Value:
        tops: dict[str, Value] = {"root": self.root, "timestamp": self.timestamp, "snapshot": self.snapshot}
        return tops[role] if role in tops else self.targets[role]

    def publish(self) -> None:
        """Sign what changed, snapshot and timestamp."""
        for role in sorted(self.dirty):
            self._store(role, self.value(role))
        self.snapshot.meta |= {f"{role}.json": self._meta(role) for role in self.targets if role in self.dirty}
        self._store("snapshot", self.snapshot)
        self.timestamp.snapshot_meta = self._meta("snapshot")
        self._store("timestamp", self.timestamp)
        self.dirty = set()
        self.root_keyids = []
        self.hours = {}
        self.history.append(dict(self.current))

    def _store(self, role: str, value: Value) -> None:
        value.version += 1
        value.unrecognized_fields["x-publication"] = len(self.history)  # no two files are the same
        value.expires = self.now + timedelta(hours=self.hours.get(role, _HOURS.get(role, 1000)))
        data = self.signed(role, value)
        self.current[role] = data
        self.files[self.path(role, value.version)] = data

    def path(self, role: str, version: int) -> str:
        versioned = role == "root" or (self.root.consistent_snapshot and role != "timestamp")
        return f"{version}.{quote(role, safe='')}.json" if versioned else f"{quote(role, safe='')}.json"

    def signed(self, role: str, value: Value, signers: Sequence[SoftSigner] | None = None) -> bytes:
        """The bytes of the file, by default signed by all who may."""
        metadata: Metadata[Any] = Metadata(value)
        for signer in self.signers(role) if signers is None else signers:
            metadata.sign(signer, append=True)
        return metadata.to_bytes(JSONSerializer(compact=True))

    def _meta(self, role: str) -> MetaFile:
        data = self.current[role]
        length = len(data) if self.meta_style & 1 else None
        hashes = {"sha256": hashlib.sha256(data).hexdigest()} if self.meta_style & 2 else None
        return MetaFile(self.value(role).version, length, hashes)


def _unpublished(value: T) -> T:
    """The first publication makes it version 1."""
    value.version = 0
    return value
