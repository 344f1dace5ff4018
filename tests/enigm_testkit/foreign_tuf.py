"""A plain TUF repository made with python-tuf's Metadata API: what other tools publish, and `import` reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

OTA = "phones/1.0/ota.zip"
IMAGE = "phones/1.0/boot.img"


@dataclass
class ForeignRepository:
    """``targets`` delegates ``phones/*/*`` to a role ``phones``, 2 of 3 keys, or everything to hash bins."""

    path: Path
    consistent: bool = True
    bins: bool = False
    expires: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) + timedelta(days=9))
    keys: dict[str, list[CryptoSigner]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=lambda: {OTA: b"ota " * 99, IMAGE: b"boot " * 99})
    hashes: tuple[str, ...] = ("sha256",)

    def __post_init__(self) -> None:
        wanted = {"root": 2, "timestamp": 1, "snapshot": 1, "targets": 1, "phones": 3}
        for role, count in wanted.items():
            self.keys.setdefault(role, [_MAKERS[role]() for _ in range(count)])

    def publish(self) -> "ForeignRepository":
        """Everything, at version 1; root 1 and 2."""
        self.write_root(1)
        self.write_root(2)
        roles: dict[str, Targets] = {"targets": self._targets(), **self._delegated()}
        meta = {f"{name}.json": MetaFile(1) for name in roles}
        for name, role in roles.items():
            self.sign(name, role, self.keys["targets" if name == "targets" else "phones"])
        self.sign("snapshot", Snapshot(expires=self.expires, meta=meta), self.keys["snapshot"])
        snapshot = (self.path / "metadata" / self.name("snapshot")).read_bytes()
        timestamp = Timestamp(expires=self.expires, snapshot_meta=MetaFile.from_data(1, snapshot, ["sha256"]))
        self.sign("timestamp", timestamp, self.keys["timestamp"])
        for path, data in self.files.items():
            self.write_target(path, data)
        return self

    def name(self, role: str, version: int = 1) -> str:
        return (
            f"{version}.{role}.json" if role == "root" or (self.consistent and role != "timestamp") else f"{role}.json"
        )

    def sign(self, role: str, signed: Any, signers: list[CryptoSigner], version: int = 1) -> None:
        metadata: Metadata[Any] = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        path = self.path / "metadata" / self.name(role, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(metadata.to_bytes())

    def write_root(self, version: int, expires: datetime | None = None) -> None:
        root = Root(version=version, expires=expires or self.expires, consistent_snapshot=self.consistent)
        for role in ("root", "timestamp", "snapshot", "targets"):
            for signer in self.keys[role]:
                root.add_key(signer.public_key, role)
        root.roles["root"].threshold = 2
        self.sign("root", root, self.keys["root"], version)

    def write_target(self, path: str, data: bytes) -> Path:
        folder, _, name = path.rpartition("/")
        digest = self.target(path, data).hashes[self.hashes[0]]
        place = self.path / "targets" / folder / (f"{digest}.{name}" if self.consistent else name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return place

    def target(self, path: str, data: bytes) -> TargetFile:
        return TargetFile.from_data(path, data, list(self.hashes))

    @property
    def first_root(self) -> Path:
        return self.path / "metadata/1.root.json"

    def _listed(self) -> dict[str, TargetFile]:
        return {path: self.target(path, data) for path, data in self.files.items()}

    def _targets(self) -> Targets:
        targets = Targets(expires=self.expires)
        keys: Mapping[str, Key] = {item.public_key.keyid: item.public_key for item in self.keys["phones"]}
        if self.bins:
            succinct = SuccinctRoles([], 2, 2, "bin")
            targets.delegations = Delegations({}, succinct_roles=succinct)
        else:
            phones = DelegatedRole("phones", [], 2, terminating=True, paths=["phones/*/*"])
            targets.delegations = Delegations({}, {"phones": phones})
        for key in keys.values():
            targets.add_key(key, None if self.bins else "phones")
        return targets

    def _delegated(self) -> dict[str, Targets]:
        if not self.bins:
            return {"phones": Targets(expires=self.expires, targets=self._listed())}
        succinct = SuccinctRoles([], 2, 2, "bin")
        roles = {name: Targets(expires=self.expires) for name in succinct.get_roles()}
        for path, target in self._listed().items():
            roles[succinct.get_role_for_target(path)].targets[path] = target
        return roles


_MAKERS = {
    "root": CryptoSigner.generate_rsa,
    "timestamp": CryptoSigner.generate_ed25519,
    "snapshot": CryptoSigner.generate_ed25519,
    "targets": CryptoSigner.generate_ecdsa,
    "phones": CryptoSigner.generate_ed25519,
}
