"""The same with python-tuf's Metadata API. Arguments: how often, the tree, the bin, the new target.

Prints the seconds of each, and the SHA-256 of the three files.
"""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

HASHES = {"sha256": "0" * 64, "sha512": "0" * 128}
ISSUED = {"schema": 1, "issued": "2029-01-01T00:00:00Z"}
times, tree, name, path = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
signer = CryptoSigner(Ed25519PrivateKey.from_private_bytes((tree / "seed").read_bytes()))
before = [(tree / "metadata" / f"{role}.json").read_bytes() for role in (f"1.{name}", "1.snapshot", "timestamp")]


def file(metadata: Metadata[Any]) -> bytes:
    """The next version, signed and encoded."""
    metadata.signed.version += 1
    metadata.signed.expires = datetime(2030, 1, 1, tzinfo=UTC)
    metadata.signed.spec_version = "1.0.33"  # as ours, so that the bytes can be compared
    metadata.sign(signer)
    return metadata.to_bytes(JSONSerializer(compact=True))


seconds, made = [], b""
for _ in range(times):
    start = time.perf_counter()
    role = Metadata[Targets].from_bytes(before[0])
    role.signed.targets[path] = TargetFile(1, HASHES, path)
    files = [file(role)]
    snapshot = Metadata[Snapshot].from_bytes(before[1])
    snapshot.signed.meta[f"{name}.json"].version = role.signed.version
    snapshot.signed.unrecognized_fields["x-enigm-tuf"] = ISSUED
    files.append(file(snapshot))
    timestamp = Metadata[Timestamp].from_bytes(before[2])
    timestamp.signed.snapshot_meta = MetaFile.from_data(snapshot.signed.version, files[1], ["sha256"])
    timestamp.signed.unrecognized_fields["x-enigm-tuf"] = ISSUED
    files.append(file(timestamp))
    seconds.append(time.perf_counter() - start)
    made = b"".join(files)
sys.stdout.write(json.dumps({"seconds": seconds, "sha256": hashlib.sha256(made).hexdigest()}))
