"""What an attacker does with stolen keys: sign beside our tools, with the token's own libraries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives import hashes
from pkcs11 import Mechanism, ObjectClass
from pkcs11.util.ec import encode_ecdsa_signature
from securesystemslib.signer import CryptoSigner, Key, Signature, Signer
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from yubikit.piv import KEY_TYPE, SLOT, PivSession

from enigm_testkit.piv_connection import VirtualPivConnection
from enigm_testkit.softhsm import MODULE
from enigm_tuf.model.keys import read_key_record
from examples.stage import CARD_PIN, PIN, Stage


@dataclass
class StolenKey(Signer):
    """A TUF signer over a stolen token: whoever has the PIN can sign what they like."""

    key: Key
    raw: Callable[[bytes], bytes]

    @property
    def public_key(self) -> Key:
        return self.key

    def sign(self, payload: bytes) -> Signature:
        return Signature(self.key.keyid, self.raw(payload).hex())

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: object = None) -> "StolenKey":
        raise NotImplementedError("stolen keys have no address")


def stolen_hsm_key(stage: Stage, label: str) -> StolenKey:
    """The key on a SoftHSM token whose PIN got out."""

    def raw(data: bytes) -> bytes:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        with pkcs11.lib(MODULE).get_token(token_label=label).open(user_pin=PIN) as session:
            key: Any = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
            made = key.sign(digest.finalize(), mechanism=Mechanism.ECDSA, pin=PIN)  # the token asks for it each time
            return bytes(encode_ecdsa_signature(made))

    pkcs11.lib(MODULE).reinitialize()
    return StolenKey(public_key(stage, label), raw)


def stolen_card(stage: Stage, owner: str) -> StolenKey:
    """Somebody's PIV card with its PIN, and a finger."""

    def raw(data: bytes) -> bytes:
        session = PivSession(VirtualPivConnection(stage.cards[owner]))
        session.verify_pin(CARD_PIN)
        return session.sign(SLOT.SIGNATURE, KEY_TYPE.ECCP256, data, hashes.SHA256())

    return StolenKey(public_key(stage, owner), raw)


def own_key() -> CryptoSigner:
    """A key of the attacker's own."""
    return CryptoSigner.generate_ecdsa()


def public_key(stage: Stage, name: str) -> Key:
    file = stage.folder / f"{name}.key.json"
    record = read_key_record(file.read_bytes(), str(file))
    return Key.from_dict(record.keyid, dict(record.key))


@dataclass
class Forgery:
    """A copy of the published tree that the attacker serves, and changes as the stolen keys allow."""

    tree: Path

    def file(self, role: str, version: int | None = None) -> Path:
        return self.tree / "metadata" / (f"{version}.{role}.json" if version else f"{role}.json")

    def newest(self, role: str) -> int:
        names = self.file("*").parent.glob(f"*.{role}.json")
        return max(int(name.name.split(".")[0]) for name in names if name.name.split(".", 1)[1] == f"{role}.json")

    def delegated(self) -> tuple[Targets, Delegations, DelegatedRole]:
        """Role targets, its delegations, and the one of the payload role."""
        targets = self.targets("targets")
        if targets.delegations is None or targets.delegations.roles is None:
            raise ValueError("the published targets delegate nothing")
        return targets, targets.delegations, targets.delegations.roles["phone.payload"]

    def targets(self, role: str) -> Targets:
        return Metadata[Targets].from_file(str(self.file(role, self.newest(role)))).signed

    def root(self) -> Root:
        return Metadata[Root].from_file(str(self.file("root", self.newest("root")))).signed

    def put(self, role: str, value: Root | Targets | Snapshot | Timestamp, signers: Sequence[Signer]) -> None:
        """Sign and serve."""
        metadata: Metadata[Root | Targets | Snapshot | Timestamp] = Metadata(value)  # type: ignore[type-var]
        for signer in signers:
            metadata.sign(signer, append=True)
        self.file(role, None if role == "timestamp" else value.version).write_bytes(metadata.to_bytes())

    def put_in_force(self, versions: dict[str, int], manifest: Signer, timestamp: Signer) -> None:
        """A new snapshot and timestamp that name these versions: needs the manifest authority and the freshness key."""
        snapshot = Metadata[Snapshot].from_file(str(self.file("snapshot", self.newest("snapshot")))).signed
        for role, version in versions.items():
            snapshot.meta[f"{role}.json"].version = version
        snapshot.version += 1
        self.put("snapshot", snapshot, [manifest])
        current = Metadata[Timestamp].from_file(str(self.file("timestamp"))).signed
        current.version += 1
        current.snapshot_meta = MetaFile(snapshot.version)
        self.put("timestamp", current, [timestamp])
