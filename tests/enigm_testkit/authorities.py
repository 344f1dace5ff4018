"""Two authorities with keys made at run time, and the TUF metadata that they would sign. For tests only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from enigm_tuf.model import tuf
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.tuf_fields import Key as PublicKey
from enigm_tuf.trust.threshold import spki_sha256

T = TypeVar("T", Root, Targets, Snapshot, Timestamp)
NOW = datetime(2026, 11, 23, 20, 0, 0, tzinfo=UTC)
TOKEN = {"manufacturer": "Maker", "model": "Model", "serial": "1", "firmware": "5.7.4"}


def new_signer() -> CryptoSigner:
    """A P-256 key that lives as long as the test."""
    return CryptoSigner(ec.generate_private_key(ec.SECP256R1()))


@dataclass
class Cast:
    """Keys of both authorities: 2 of 3 root, 2 of 2 payload, 1 of 2 manifest, one timestamp."""

    root: list[CryptoSigner] = field(default_factory=lambda: [new_signer() for _ in range(3)])
    payload: list[CryptoSigner] = field(default_factory=lambda: [new_signer() for _ in range(2)])
    manifest: list[CryptoSigner] = field(default_factory=lambda: [new_signer() for _ in range(2)])
    timestamp: list[CryptoSigner] = field(default_factory=lambda: [new_signer()])

    def everybody(self) -> list[CryptoSigner]:
        return [*self.root, *self.payload, *self.manifest, *self.timestamp]


def keyids(signers: Sequence[CryptoSigner]) -> list[str]:
    return [signer.public_key.keyid for signer in signers]


def spki_digest(key: Key) -> str:
    """The SPKI digest of a python-tuf key."""
    return spki_sha256(PublicKey(key.keyid, key.keytype, key.scheme, key.keyval["public"]))


def key_info(signer: CryptoSigner, environment: str = "staging", home: str = "hsm") -> dict[str, Any]:
    digest = spki_digest(signer.public_key)
    return {
        "spki_sha256": digest,
        "home": home,
        "token": TOKEN | {"serial": digest[:16]},
        "custodian": f"keeper of {digest[:16]}",
        "environment": environment,
    }


def extension_of(cast: Cast) -> dict[str, Any]:
    """The field x-enigm-tuf of a valid dual root."""
    return {
        "schema": 1,
        "environment": "staging",
        "authority_model": "dual",
        "authorities": {
            "manifest": {"keyids": keyids(cast.manifest)},
            "release": {
                "keyids": keyids([*cast.root, *cast.payload]),
                "payload_keyids": keyids(cast.payload),
                "payload_threshold": 2,
            },
        },
        "policies": {
            "manifest": {"version": 1, "sha256": "a" * 64},
            "release": {"version": 1, "sha256": "b" * 64},
        },
        "audit_logs": [],
        "keyinfo": {signer.public_key.keyid: key_info(signer) for signer in cast.everybody()},
        "recovery": {"threshold": 3},
    }


def manifest_only_extension(cast: Cast) -> dict[str, Any]:
    """The field of a root in the model of today's production: one authority, which holds root too."""
    extension = extension_of(cast)
    extension["authority_model"] = "manifest-only"
    del extension["authorities"]["release"], extension["policies"]["release"]
    holders = [*cast.root, *cast.manifest, *cast.timestamp]
    extension["keyinfo"] = {signer.public_key.keyid: key_info(signer) for signer in holders}
    return extension


def make_root(cast: Cast, version: int = 1, extension: dict[str, Any] | None = None) -> Root:
    """A root of ``cast`` that breaks no rule; change one thing before you sign it."""
    root = Root(version=version, expires=NOW + timedelta(days=365), consistent_snapshot=True)
    roles = {"root": cast.root, "targets": cast.manifest, "snapshot": cast.manifest, "timestamp": cast.timestamp}
    for role, signers in roles.items():
        for signer in signers:
            root.add_key(signer.public_key, role)
    root.roles["root"].threshold = 2
    root.unrecognized_fields[FIELD] = extension or extension_of(cast)
    return root


def read_root(value: Root) -> tuf.Root:
    """The root as our own code reads it."""
    return tuf.Root.read(value.to_dict(), "root")


def read_targets(value: Targets) -> tuf.Targets:
    """Targets as our own code reads them."""
    return tuf.Targets.read(value.to_dict(), "targets")


def signed(value: T, signers: Sequence[CryptoSigner]) -> bytes:
    """The bytes of the file."""
    metadata: Metadata[T] = Metadata(value)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def product_role(name: str, paths: list[str], signers: Sequence[CryptoSigner], threshold: int) -> DelegatedRole:
    return DelegatedRole(name, keyids(signers), threshold, terminating=True, paths=paths)


def product_roles(cast: Cast) -> dict[str, DelegatedRole]:
    """The two roles of product ``phone``, one for each authority."""
    return {
        "phone.manifest": product_role("phone.manifest", ["manifests/phone/*"], cast.manifest, 1),
        "phone.payload": product_role("phone.payload", ["payloads/phone/*/*"], cast.payload, 2),
    }


def make_targets(cast: Cast, roles: dict[str, DelegatedRole] | None = None) -> Targets:
    """Role targets that delegates ``roles``, by default product ``phone`` to both authorities."""
    keys: dict[str, Key] = {signer.public_key.keyid: signer.public_key for signer in [*cast.manifest, *cast.payload]}
    delegations = Delegations(keys=keys, roles=product_roles(cast) if roles is None else roles)
    return Targets(version=1, expires=NOW + timedelta(days=90), delegations=delegations)


def make_role(targets: dict[str, TargetFile], version: int = 1) -> Targets:
    """A delegated role's metadata."""
    return Targets(version=version, expires=NOW + timedelta(days=30), targets=targets)


def make_snapshot(versions: dict[str, int], version: int = 1) -> Snapshot:
    meta = {f"{role}.json": MetaFile(number) for role, number in versions.items()}
    return Snapshot(version=version, expires=NOW + timedelta(days=30), meta=meta)


def make_timestamp(snapshot: int = 1, version: int = 1) -> Timestamp:
    return Timestamp(version=version, expires=NOW + timedelta(days=2), snapshot_meta=MetaFile(snapshot))
