"""A million targets in hash bins, as a package index publishes them: made with python-tuf's Metadata API.

Of all bins only the one that a new target falls into is written. No tool reads another one to add a target, and no
client fetches another one to find it.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

BITS = 14
NEW_TARGET = "packages/more/1.0/more.zip"
SEED = "seed"  # beside the tree: one key signs every role, and Ed25519 signs the same bytes the same way


def make_bins(path: Path, targets: int, bits: int = BITS) -> str:
    """``targets`` in 2**``bits`` bins, those of the bin of NEW_TARGET in its file; the bin's name."""
    (path / "metadata").mkdir(parents=True)
    key = Ed25519PrivateKey.generate()
    (path / SEED).write_bytes(key.private_bytes_raw())
    signer = CryptoSigner(key)
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    bins = SuccinctRoles([signer.public_key.keyid], 1, bits, "bin")
    name = bins.get_role_for_target(NEW_TARGET)
    paths = (f"packages/{number}/ota.zip" for number in range(targets))
    first = int(name.rpartition("-")[2], 16)
    listed = [item for item in paths if _bin(item, bits) == first]
    root = Root(version=1, expires=expires, consistent_snapshot=True)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    delegations = Delegations({signer.public_key.keyid: signer.public_key}, succinct_roles=bins)
    roles: dict[str, Any] = {
        "1.root": root,
        "1.targets": Targets(expires=expires, delegations=delegations),
        f"1.{name}": Targets(expires=expires, targets={item: _target(item) for item in listed}),
        "1.snapshot": Snapshot(
            expires=expires, meta={f"{role}.json": MetaFile(1) for role in ("targets", *bins.get_roles())}
        ),
    }
    for role, value in roles.items():
        _write(path, role, value, signer)
    snapshot = (path / "metadata" / "1.snapshot.json").read_bytes()
    meta = MetaFile.from_data(1, snapshot, ["sha256"])
    _write(path, "timestamp", Timestamp(expires=expires, snapshot_meta=meta), signer)
    return name


def listed_in(path: Path, name: str) -> int:
    """How many targets the first version of the bin lists."""
    return len(json.loads((path / "metadata" / f"1.{name}.json").read_bytes())["signed"]["targets"])


def _bin(path: str, bits: int) -> int:
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") >> (32 - bits)


def _target(path: str) -> TargetFile:
    data = path.encode()
    hashes = {"sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest()}
    return TargetFile(len(data), hashes, path)


def _write(path: Path, name: str, value: Any, signer: CryptoSigner) -> None:
    metadata: Metadata[Any] = Metadata(value)
    metadata.sign(signer)
    (path / "metadata" / f"{name}.json").write_bytes(metadata.to_bytes(JSONSerializer(compact=True)))
